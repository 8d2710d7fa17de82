// A small program to watch: a text editor's session, made of ordinary functions that allocate and free through
// whatever allocator they are given. It has eight call sites up to six calls deep, so the call tree of the sandbox
// is that of a real program. Deterministic for a seed.
//
// One thread. It never fails on an allocator's error: what it could not get, it does without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "alloc/allocator.hpp"

namespace residue::session {

class Workload {
public:
    explicit Workload(std::uint32_t seed) : random_(seed) {}

    // Does about one call to the allocator (sometimes a few more).
    void Step(alloc::Allocator* allocator);
    // Forgets what it holds (the allocator has gone, and the blocks with it).
    void Forget();
    // Forgets what was given back behind its back.
    void Forget(const std::function<bool(void*)>& isGone);
    std::size_t Held() const { return lines_.size() + undo_.size() + glyphs_.size() + pastes_.size(); }
    // At most so many bytes are held at once; so a small heap is not just full.
    void SetBudget(std::uint64_t bytes) { budget_ = bytes; }

private:
    struct Piece {
        void* pointer;
        std::size_t bytes;
    };
    using Pool = std::vector<Piece>;

    std::size_t Between(std::size_t low, std::size_t high);
    bool Take(alloc::Allocator* allocator, Pool& pool, std::size_t bytes, std::size_t alignment);
    void GiveBack(alloc::Allocator* allocator, Pool& pool, std::size_t index);
    void GiveBackSome(alloc::Allocator* allocator);

    std::size_t HandleInput(alloc::Allocator* allocator);
    std::size_t TypeText(alloc::Allocator* allocator);
    std::size_t InsertLine(alloc::Allocator* allocator, std::size_t length);
    std::size_t RecordUndo(alloc::Allocator* allocator, std::size_t length);
    std::size_t GrowLine(alloc::Allocator* allocator);
    std::size_t Paste(alloc::Allocator* allocator);
    std::size_t CopyClipboard(alloc::Allocator* allocator, std::size_t length);
    std::size_t Render(alloc::Allocator* allocator);
    std::size_t LayOutGlyphs(alloc::Allocator* allocator);
    std::size_t RasterGlyph(alloc::Allocator* allocator, std::size_t pixels);
    std::size_t OpenDocument(alloc::Allocator* allocator);
    std::size_t ReadChunk(alloc::Allocator* allocator);
    std::size_t ParseLines(alloc::Allocator* allocator, std::size_t count);

    std::minstd_rand random_;
    std::uint64_t budget_ = 1 << 20;
    std::uint64_t held_ = 0;
    Pool lines_, undo_, glyphs_, pastes_;
};

}  // namespace residue::session
