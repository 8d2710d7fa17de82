#include "log/chunk.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

namespace residue::log {
namespace {

constexpr std::size_t kTextBlock = 4096;

// It ends a call and does not trail.
bool IsOrdinaryCall(const events::Event& event) {
    return event.flags == 0 &&
           (event.kind == events::EventKind::Allocated || event.kind == events::EventKind::Freed);
}

}  // namespace

void ChunkTexts::Add(std::uint32_t rowInChunk, std::string_view text) {
    text = text.substr(0, std::numeric_limits<std::uint32_t>::max());
    if (text.size() > roomLeft_) {  // a long text gets a block of its own
        roomLeft_ = std::max(kTextBlock, text.size());
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(roomLeft_));
        next_ = blocks_.back().get();
        bytes_.fetch_add(roomLeft_, std::memory_order_relaxed);
    }
    char* const place = next_;
    std::copy(text.begin(), text.end(), place);
    next_ += text.size();
    roomLeft_ -= text.size();
    entries_.Push(place, static_cast<std::uint32_t>(text.size()), rowInChunk);
}

std::string_view ChunkTexts::Find(std::uint32_t rowInChunk) const {
    const std::size_t size = entries_.Size();
    const std::size_t at = entries_.PartitionPoint(size, [&](const Entry& entry) { return entry.row < rowInChunk; });
    if (at == size || entries_[at].row != rowInChunk) return {};
    return {entries_[at].data, entries_[at].length};
}

RowMemory::~RowMemory() { Release(spare_); }

void RowMemory::Release(Arrays arrays) {
    if (arrays.rows == nullptr) return;
    std::allocator<LoggedEvent>().deallocate(arrays.rows, kChunkRows);
    std::allocator<std::uint32_t>().deallocate(arrays.callsThrough, kChunkRows);
}

RowMemory::Arrays RowMemory::Take() {
    {
        const std::lock_guard lock(mutex_);
        if (spare_.rows != nullptr) return std::exchange(spare_, {});
    }
    Arrays arrays;
    arrays.rows = std::allocator<LoggedEvent>().allocate(kChunkRows);
    try {
        arrays.callsThrough = std::allocator<std::uint32_t>().allocate(kChunkRows);
    } catch (...) {
        std::allocator<LoggedEvent>().deallocate(arrays.rows, kChunkRows);
        throw;
    }
    return arrays;
}

void RowMemory::Return(Arrays arrays) {
    {
        const std::lock_guard lock(mutex_);
        std::swap(spare_, arrays);
    }
    Release(arrays);
}

OpenChunk::OpenChunk(std::uint64_t firstRow, std::uint64_t callsBefore, std::shared_ptr<RowMemory> memory)
    : firstRow_(firstRow),
      callsBefore_(callsBefore),
      memory_(std::move(memory)),
      texts_(std::make_shared<ChunkTexts>()) {}

OpenChunk::~OpenChunk() {
    if (arrays_.rows != nullptr) memory_->Return(arrays_);
}

void OpenChunk::Append(const LoggedEvent& row, std::string_view text) {
    const std::uint32_t index = length_.load(std::memory_order_relaxed);
    if (arrays_.rows == nullptr) arrays_ = memory_->Take();  // an empty log costs nothing
    std::construct_at(arrays_.rows + index, row);
    const std::uint32_t before = CallsUpTo(index);
    std::construct_at(arrays_.callsThrough + index, before + (row.event.EndsCall() ? 1u : 0u));
    if (!text.empty()) texts_->Add(index, text);
    length_.store(index + 1, std::memory_order_release);  // publishes all of the above
}

template <class Call>
void OpenChunk::AppendCalls(AllocatorId allocator, std::span<const Call> calls) {
    const std::uint32_t index = length_.load(std::memory_order_relaxed);
    if (arrays_.rows == nullptr) arrays_ = memory_->Take();
    std::uint32_t ended = CallsUpTo(index);
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const Call& call = calls[i];
        const bool freed = call.size == Call::kFreed;
        LoggedEvent& row = *std::construct_at(arrays_.rows + index + i);
        row.event.stamp = call.stamp;
        row.event.address = call.address;
        row.event.size = freed ? 0 : call.size;
        row.event.trace = call.trace;
        row.event.allocator = allocator;
        row.event.kind = freed ? events::EventKind::Freed : events::EventKind::Allocated;
        row.block = call.block;
        if constexpr (std::is_same_v<Call, PlacedCall>) {
            row.event.rounding = call.rounding;
            row.event.thread = call.thread;
            row.event.alignmentLog2 = call.alignmentLog2;
        }
        std::construct_at(arrays_.callsThrough + index + i, ++ended);
    }
    length_.store(index + static_cast<std::uint32_t>(calls.size()), std::memory_order_release);
}

template void OpenChunk::AppendCalls(AllocatorId, std::span<const KnownCall>);
template void OpenChunk::AppendCalls(AllocatorId, std::span<const PlacedCall>);

std::uint32_t OpenChunk::CallsUpTo(std::size_t row) const { return row == 0 ? 0 : arrays_.callsThrough[row - 1]; }

std::size_t OpenChunk::RowOfCall(std::uint32_t call, std::size_t length) const {
    const std::uint32_t* const begin = arrays_.callsThrough;
    return static_cast<std::size_t>(std::upper_bound(begin, begin + length, call) - begin);
}

void RankedBits::Finish() {
    std::uint32_t ones = 0;
    for (std::size_t w = 0; w < kWords; ++w) {
        // 65,536 ones would not fit before a word, but the last word has at most 65,472 before it.
        before_[w] = static_cast<std::uint16_t>(ones);
        ones += static_cast<std::uint32_t>(std::popcount(words_[w]));
    }
    ones_ = ones;
}

std::uint32_t RankedBits::Rank(std::size_t bit) const {
    if (bit >= kChunkRows) return ones_;
    const std::uint64_t below = words_[bit / 64] & ((std::uint64_t{1} << (bit % 64)) - 1);
    return before_[bit / 64] + static_cast<std::uint32_t>(std::popcount(below));
}

std::size_t RankedBits::Select(std::uint32_t one) const {
    const auto word =
        static_cast<std::size_t>(std::upper_bound(before_, before_ + kWords, one) - before_) - 1;
    std::uint64_t bits = words_[word];
    for (std::uint32_t skip = one - before_[word]; skip > 0; --skip) bits &= bits - 1;
    return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
}

std::size_t RankedBits::Next(std::size_t bit) const {
    if (bit >= kChunkRows) return kChunkRows;
    std::size_t word = bit / 64;
    std::uint64_t bits = words_[word] & (~std::uint64_t{0} << (bit % 64));
    while (bits == 0) {
        if (++word == kWords) return kChunkRows;
        bits = words_[word];
    }
    return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
}

std::size_t RankedBits::Previous(std::size_t bit) const {
    std::size_t word = bit / 64;
    std::uint64_t bits = words_[word] & (~std::uint64_t{0} >> (63 - bit % 64));
    while (bits == 0) {
        if (word-- == 0) return kChunkRows;
        bits = words_[word];
    }
    return word * 64 + 63 - static_cast<std::size_t>(std::countl_zero(bits));
}

SealedChunk::SealedChunk(const OpenChunk& open)
    : callsBefore(open.CallsBefore()), columns(Columns::Pack(open.Rows(kChunkRows), Widths::Any)), texts(open.Texts()) {
    for (std::size_t first = 0; first < kChunkRows; first += 64) {
        std::uint64_t ending = 0, stopping = 0;
        for (std::size_t i = 0; i < 64; ++i) {
            const events::Event& event = open.At(first + i).event;
            if (IsOrdinaryCall(event)) [[likely]] {
                ending |= std::uint64_t{1} << i;
                stopping |= std::uint64_t{1} << i;
                continue;
            }
            ending |= std::uint64_t{event.EndsCall()} << i;
            stopping |= std::uint64_t{!event.Trails()} << i;
        }
        calls.SetWord(first / 64, ending);
        stops.SetWord(first / 64, stopping);
    }
    calls.Finish();
    stops.Finish();
}

std::size_t SealedChunk::ResidentBytes() const {
    return sizeof(*this) + columns.ResidentBytes() + texts->ResidentBytes();
}

}  // namespace residue::log
