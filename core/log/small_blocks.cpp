#include "log/small_blocks.hpp"

#include <algorithm>
#include <utility>

namespace residue::log {

namespace {
enum Mark : std::uint8_t { kResizing = 1, kRegion = 2 };

std::uint8_t MarksOf(bool resizing, bool region) {
    return static_cast<std::uint8_t>((resizing ? kResizing : 0) | (region ? kRegion : 0));
}
}  // namespace

SmallBlocks::Chunk* SmallBlocks::LookUp(std::uint64_t number) const {
    const auto found = chunks_.find(number);
    Known& known = known_[number & mask_];
    known = {number, found == chunks_.end() ? nullptr : found->second.get()};
    return known.chunk;
}

SmallBlocks::Chunk& SmallBlocks::Make(std::uint64_t number) {
    if (Chunk* const chunk = Find(number)) return *chunk;
    if (chunks_.size() * 2 > known_.size()) {
        known_.assign(known_.size() * 4, {});
        mask_ = known_.size() - 1;
    }
    auto& chunk = chunks_[number];
    chunk = std::make_unique<Chunk>();
    chunk->number = number;
    known_[number & mask_] = {number, chunk.get()};
    return *chunk;
}

void SmallBlocks::Drop(Chunk* chunk) {
    const std::uint64_t number = chunk->number;
    if (known_[number & mask_].number == number) known_[number & mask_].chunk = nullptr;
    chunks_.erase(number);
}

LiveBlock SmallBlocks::BlockAt(const Place& at) {
    const Slot& slot = SlotOf(at);
    LiveBlock block;
    block.begin = BeginOf(at);
    block.end = block.begin + slot.bytes;
    block.address = block.begin + slot.before;
    block.id = slot.id;
    block.resizing = (slot.marks & kResizing) != 0;
    block.region = (slot.marks & kRegion) != 0;
    return block;
}

SmallBlocks::Place SmallBlocks::FirstIn(Chunk* chunk, std::uint32_t chosen) {
    const std::uint32_t filled = chunk->filled & chosen;
    if (filled == 0) return {};
    const auto page = static_cast<std::uint32_t>(std::countr_zero(filled));
    return {chunk, page, static_cast<std::uint32_t>(std::countr_zero(chunk->pages[page].begins))};
}

SmallBlocks::Place SmallBlocks::LastIn(Chunk* chunk, std::uint32_t chosen) {
    const std::uint32_t filled = chunk->filled & chosen;
    if (filled == 0) return {};
    const auto page = static_cast<std::uint32_t>(31 - std::countl_zero(filled));
    return {chunk, page, static_cast<std::uint32_t>(63 - std::countl_zero(chunk->pages[page].begins))};
}

SmallBlocks::Place SmallBlocks::LastUpTo(Chunk* chunk, std::uint64_t address) {
    const auto page = static_cast<std::uint32_t>((address >> kPageBits) % kPages);
    const std::uint64_t upTo = ~std::uint64_t{0} >> (63 - (address / kGrain) % 64);
    const std::uint64_t begins = chunk->pages[page].begins & upTo;
    if (begins != 0) return {chunk, page, static_cast<std::uint32_t>(63 - std::countl_zero(begins))};
    return LastIn(chunk, (std::uint32_t{1} << page) - 1);
}

// A block is at most as large as a chunk, so the one around a byte begins in its chunk or in the one before.
SmallBlocks::Place SmallBlocks::PlaceAround(std::uint64_t address) const {
    static_assert(kMostBytes <= std::uint64_t{1} << kChunkBits);
    const std::uint64_t number = address >> kChunkBits;
    Place at;
    if (Chunk* const chunk = Find(number)) at = LastUpTo(chunk, address);
    if (at.chunk == nullptr && number > 0) {
        if (Chunk* const before = Find(number - 1)) at = LastIn(before, ~std::uint32_t{0});
    }
    return at.chunk != nullptr && address - BeginOf(at) < SlotOf(at).bytes ? at : Place{};
}

SmallBlocks::Place SmallBlocks::PlaceOf(std::uint64_t payload) const {
    const Place at = PlaceAround(payload);
    return at.chunk != nullptr && BeginOf(at) + SlotOf(at).before == payload ? at : Place{};
}

SmallBlocks::Place SmallBlocks::FirstFrom(std::uint64_t address, std::uint64_t end) const {
    if (address >= end) return {};
    std::uint64_t number = address >> kChunkBits;
    const auto within = [end](const Place& at) { return at.chunk != nullptr && BeginOf(at) < end ? at : Place{}; };
    if (Chunk* const chunk = Find(number)) {
        const auto page = static_cast<std::uint32_t>((address >> kPageBits) % kPages);
        // Up from the grain that begins at the address or, where it is none's, from the next one.
        const std::uint64_t inPage = address % (std::uint64_t{1} << kPageBits);
        const auto grain = static_cast<std::uint32_t>((inPage + kGrain - 1) / kGrain);
        const std::uint64_t begins = grain == 64 ? 0 : chunk->pages[page].begins & ~Below(grain);
        if (begins != 0) return within({chunk, page, static_cast<std::uint32_t>(std::countr_zero(begins))});
        if (const Place at = FirstIn(chunk, ~std::uint32_t{1} << page); at.chunk != nullptr) return within(at);
    }
    const std::uint64_t lastNumber = (end - 1) >> kChunkBits;
    if (number == lastNumber) return {};
    for (auto next = chunks_.upper_bound(number); next != chunks_.end() && next->first <= lastNumber; ++next) {
        if (const Place at = FirstIn(next->second.get(), ~std::uint32_t{0}); at.chunk != nullptr) return within(at);
    }
    return {};
}

std::optional<LiveBlock> SmallBlocks::Around(std::uint64_t address) const {
    const Place at = PlaceAround(address);
    if (at.chunk == nullptr) return std::nullopt;
    return BlockAt(at);
}

std::optional<LiveBlock> SmallBlocks::FirstTouching(std::uint64_t begin, std::uint64_t end) const {
    if (count_ == 0) return std::nullopt;
    Place at = PlaceAround(begin);
    if (at.chunk == nullptr) at = FirstFrom(begin, end);
    if (at.chunk == nullptr) return std::nullopt;
    return BlockAt(at);
}

std::optional<LiveBlock> SmallBlocks::AtOrBefore(std::uint64_t address) const {
    auto next = chunks_.upper_bound(address >> kChunkBits);
    for (bool first = true; next != chunks_.begin(); first = false) {
        --next;
        Chunk* const chunk = next->second.get();
        const bool within = first && chunk->number == address >> kChunkBits;
        const Place at = within ? LastUpTo(chunk, address) : LastIn(chunk, ~std::uint32_t{0});
        if (at.chunk != nullptr) return BlockAt(at);
    }
    return std::nullopt;
}

std::optional<LiveBlock> SmallBlocks::After(std::uint64_t address) const {
    constexpr std::uint64_t kLast = ~std::uint64_t{0};
    if (address == kLast) return std::nullopt;
    const Place at = FirstFrom(address + 1, kLast);
    if (at.chunk == nullptr) return std::nullopt;
    return BlockAt(at);
}

void SmallBlocks::Insert(const LiveBlock& block) {
    Put(Make(block.begin >> kChunkBits), block.begin,
        {block.id, static_cast<std::uint16_t>(block.end - block.begin),
         static_cast<std::uint8_t>(block.address - block.begin), MarksOf(block.resizing, block.region)});
}

void SmallBlocks::Put(Chunk& chunk, std::uint64_t begin, Slot slot) {
    Page& page = chunk.pages[PageIn(begin)];
    const std::uint32_t used = page.used;
    if (used == page.room) {
        const std::uint32_t room = std::min<std::uint32_t>(64, std::max<std::uint32_t>(4, page.room * 2u));
        auto slots = std::make_unique_for_overwrite<Slot[]>(room);
        std::copy_n(page.slots.get(), used, slots.get());
        page.slots = std::move(slots);
        page.room = static_cast<std::uint16_t>(room);
    }
    const auto grain = static_cast<std::uint32_t>((begin / kGrain) % 64);
    const std::uint32_t place = Ones(page.begins & Below(grain));
    Slot* const slots = page.slots.get();
    for (std::uint32_t i = used; i > place; --i) slots[i] = slots[i - 1];  // few
    slots[place] = slot;
    page.used = static_cast<std::uint16_t>(used + 1);
    page.begins |= std::uint64_t{1} << grain;
    chunk.filled |= std::uint32_t{1} << PageIn(begin);
    if (chunk.blocks++ == 0 && spare_ == &chunk) spare_ = nullptr;
    ++count_;
}

// Do no blocks of the chunk begin there? It ends in the chunk.
bool SmallBlocks::IsFree(const Chunk& chunk, std::uint64_t begin, std::uint64_t bytes) {
    const std::uint64_t last = begin + bytes - 1;
    const auto from = static_cast<std::uint32_t>(PageIn(begin)), to = static_cast<std::uint32_t>(PageIn(last));
    const std::uint64_t aboveFirst = ~Below((begin / kGrain) % 64);
    const std::uint64_t upToLast = ~std::uint64_t{0} >> (63 - (last / kGrain) % 64);
    if (from == to) return (chunk.pages[from].begins & aboveFirst & upToLast) == 0;
    if ((chunk.pages[from].begins & aboveFirst) != 0 || (chunk.pages[to].begins & upToLast) != 0) return false;
    const std::uint32_t between = (std::uint32_t{1} << to) - (std::uint32_t{2} << from);
    return (chunk.filled & between) == 0;
}

bool SmallBlocks::InsertOrdinary(std::uint64_t begin, std::uint64_t bytes, BlockId id) {
    if (begin % kGrain != 0 || bytes > kMostBytes || begin == 0 || begin + bytes <= begin) return false;
    if ((begin + bytes - 1) >> kChunkBits != begin >> kChunkBits) return false;
    Chunk* const chunk = Find(begin >> kChunkBits);
    if (chunk == nullptr || !IsFree(*chunk, begin, bytes)) return false;
    // The one that begins before it: mostly in its page.
    const Page& page = chunk->pages[PageIn(begin)];
    const std::uint64_t below = page.begins & Below((begin / kGrain) % 64);
    if (below != 0) {
        const auto grain = static_cast<std::uint32_t>(63 - std::countl_zero(below));
        const std::uint64_t distance = begin % (std::uint64_t{1} << kPageBits) - grain * kGrain;
        if (page.slots[Ones(below) - 1].bytes > distance) return false;
    } else if (PlaceAround(begin).chunk != nullptr) {
        return false;
    }
    Put(*chunk, begin, {id, static_cast<std::uint16_t>(bytes), 0, 0});
    return true;
}

BlockId SmallBlocks::RemoveOrdinary(std::uint64_t address) {
    Chunk* const chunk = Find(address >> kChunkBits);
    if (chunk == nullptr || address % kGrain != 0) return {};
    const Place at{chunk, static_cast<std::uint32_t>(PageIn(address)),
                   static_cast<std::uint32_t>((address / kGrain) % 64)};
    if ((chunk->pages[at.page].begins >> at.grain & 1) == 0) return {};
    const Slot slot = SlotOf(at);
    if (slot.before != 0 || slot.marks != 0) return {};
    RemoveAt(at);
    return slot.id;
}

void SmallBlocks::RemoveAt(const Place& at) {
    Page& page = at.chunk->pages[at.page];
    const std::uint32_t used = page.used;
    Slot* const slots = page.slots.get();
    for (std::uint32_t i = Ones(page.begins & Below(at.grain)) + 1; i < used; ++i) slots[i - 1] = slots[i];
    page.used = static_cast<std::uint16_t>(used - 1);
    page.begins &= ~(std::uint64_t{1} << at.grain);
    if (page.begins == 0) at.chunk->filled &= ~(std::uint32_t{1} << at.page);
    --count_;
    if (--at.chunk->blocks == 0) {
        if (spare_ != nullptr) Drop(spare_);
        spare_ = at.chunk;
    }
}

std::optional<LiveBlock> SmallBlocks::Remove(std::uint64_t address) {
    const Place at = PlaceOf(address);
    if (at.chunk == nullptr) return std::nullopt;
    const LiveBlock block = BlockAt(at);
    RemoveAt(at);
    return block;
}

bool SmallBlocks::SetMarks(std::uint64_t address, bool resizing, bool region) {
    const Place at = PlaceOf(address);
    if (at.chunk == nullptr) return false;
    SlotOf(at).marks = MarksOf(resizing, region);
    return true;
}

void SmallBlocks::Clear() {
    chunks_.clear();
    known_.assign(16, {});
    mask_ = 15;
    spare_ = nullptr;
    count_ = 0;
}

}  // namespace residue::log
