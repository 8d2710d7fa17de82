// Compiled with frame pointers and without sibling-call optimisation (core/CMakeLists.txt): every function below is a
// frame of its own in the call traces.
#include "session/workload.hpp"

#include <algorithm>

#define RESIDUE_FRAME [[gnu::noinline]]

namespace residue::session {

std::size_t Workload::Between(std::size_t low, std::size_t high) {
    return low + static_cast<std::size_t>(random_()) % (high - low + 1);
}

[[gnu::always_inline]] inline bool Workload::Take(alloc::Allocator* allocator, Pool& pool, std::size_t bytes,
                                                  std::size_t alignment) {
    const auto block = allocator->Allocate(allocator, bytes, alignment);
    if (!block) return false;
    pool.push_back({*block, bytes});
    held_ += bytes;
    return true;
}

RESIDUE_FRAME void Workload::GiveBack(alloc::Allocator* allocator, Pool& pool, std::size_t index) {
    const Piece piece = pool[index];
    pool[index] = pool.back();
    pool.pop_back();
    held_ -= piece.bytes;
    (void)allocator->Free(allocator, piece.pointer);
}

RESIDUE_FRAME void Workload::GiveBackSome(alloc::Allocator* allocator) {
    Pool* const pools[] = {&lines_, &undo_, &glyphs_, &pastes_};
    Pool* pool = pools[Between(0, 3)];
    if (pool->empty()) pool = *std::max_element(std::begin(pools), std::end(pools), [](const Pool* a, const Pool* b) {
        return a->size() < b->size();
    });
    if (!pool->empty()) GiveBack(allocator, *pool, Between(0, pool->size() - 1));
}

void Workload::Step(alloc::Allocator* allocator) {
    // The closer to the budget, the likelier something goes away, so that the heap breathes about half full.
    const bool full = held_ >= budget_;
    if (full || (Held() > 0 && Between(0, 99) < 20 + 50 * held_ / (budget_ + 1))) {
        GiveBackSome(allocator);
    } else {
        HandleInput(allocator);
    }
}

void Workload::Forget() {
    lines_.clear();
    undo_.clear();
    glyphs_.clear();
    pastes_.clear();
    held_ = 0;
}

void Workload::Forget(const std::function<bool(void*)>& isGone) {
    for (Pool* pool : {&lines_, &undo_, &glyphs_, &pastes_}) {
        std::erase_if(*pool, [&](const Piece& piece) {
            const bool gone = isGone(piece.pointer);
            if (gone) held_ -= piece.bytes;
            return gone;
        });
    }
}

RESIDUE_FRAME std::size_t Workload::HandleInput(alloc::Allocator* allocator) {
    switch (Between(0, 9)) {
        case 0: return OpenDocument(allocator) + 1;
        case 1:
        case 2: return Paste(allocator) + 1;
        case 3:
        case 4:
        case 5: return Render(allocator) + 1;
        default: return TypeText(allocator) + 1;
    }
}

RESIDUE_FRAME std::size_t Workload::TypeText(alloc::Allocator* allocator) {
    if (!lines_.empty() && Between(0, 2) == 0) return GrowLine(allocator) + 1;
    return InsertLine(allocator, Between(16, 120)) + 1;
}

RESIDUE_FRAME std::size_t Workload::InsertLine(alloc::Allocator* allocator, std::size_t length) {
    const bool inserted = Take(allocator, lines_, length, 8);
    return RecordUndo(allocator, inserted ? length / 4 + 8 : 8) + 1;
}

RESIDUE_FRAME std::size_t Workload::RecordUndo(alloc::Allocator* allocator, std::size_t length) {
    return Take(allocator, undo_, length, 8) ? length : 0;
}

RESIDUE_FRAME std::size_t Workload::GrowLine(alloc::Allocator* allocator) {
    Piece& line = lines_[Between(0, lines_.size() - 1)];
    if (allocator->options == nullptr || allocator->options->Resize == nullptr) return 0;
    const std::size_t bytes = std::min<std::size_t>(line.bytes + Between(8, 64), 4096);
    const auto moved = allocator->options->Resize(allocator, line.pointer, bytes, 8);
    if (!moved) return 0;
    held_ += bytes - line.bytes;
    line = {*moved, bytes};
    return bytes;
}

RESIDUE_FRAME std::size_t Workload::Paste(alloc::Allocator* allocator) {
    const std::size_t length = Between(64, 1500);
    return CopyClipboard(allocator, length) + length;
}

RESIDUE_FRAME std::size_t Workload::CopyClipboard(alloc::Allocator* allocator, std::size_t length) {
    if (!Take(allocator, pastes_, length, 16)) return 0;
    return RecordUndo(allocator, 48) + length;
}

RESIDUE_FRAME std::size_t Workload::Render(alloc::Allocator* allocator) { return LayOutGlyphs(allocator) + 1; }

RESIDUE_FRAME std::size_t Workload::LayOutGlyphs(alloc::Allocator* allocator) {
    return RasterGlyph(allocator, Between(6, 20)) + 1;
}

RESIDUE_FRAME std::size_t Workload::RasterGlyph(alloc::Allocator* allocator, std::size_t pixels) {
    return Take(allocator, glyphs_, pixels * pixels, 32) ? pixels : 0;
}

RESIDUE_FRAME std::size_t Workload::OpenDocument(alloc::Allocator* allocator) { return ReadChunk(allocator) + 1; }

RESIDUE_FRAME std::size_t Workload::ReadChunk(alloc::Allocator* allocator) {
    const std::size_t bytes = Between(1024, 4096);
    const bool read = Take(allocator, pastes_, bytes, 64);
    const std::size_t lines = ParseLines(allocator, read ? Between(1, 4) : 1);
    if (read) GiveBack(allocator, pastes_, pastes_.size() - 1);
    return lines;
}

RESIDUE_FRAME std::size_t Workload::ParseLines(alloc::Allocator* allocator, std::size_t count) {
    std::size_t parsed = 0;
    for (std::size_t i = 0; i < count; ++i) parsed += Take(allocator, lines_, Between(24, 90), 8) ? 1 : 0;
    return parsed;
}

}  // namespace residue::session
