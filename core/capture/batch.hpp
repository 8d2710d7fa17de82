// Records on their way from the channel to the log, in as few bytes as is quickly done: some 11 each instead of 40. A
// program makes them faster than rows can be made of them, so that many wait; and memory that is touched for the first
// time costs more, a byte, than all else that is done with them.
//
// A record is three bytes that say how many bytes each of its fields has, and these fields: the stamp as what it is
// later than the one before, the address as the bits in which it differs from the one before, all others as they are.
// One thread at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>

#include "capture/layout.hpp"

namespace residue::capture {

// A record, and the number of the thread that wrote it (1, 2, ... in the order of their first events).
struct Told {
    Record record;
    std::uint32_t thread = 0;
};

class Batch {
public:
    Batch() = default;
    Batch(Batch&& other) noexcept { *this = std::move(other); }
    Batch& operator=(Batch&& other) noexcept {
        memory_ = std::move(other.memory_);
        capacity_ = std::exchange(other.capacity_, 0);
        used_ = std::exchange(other.used_, 0);
        size_ = std::exchange(other.size_, 0);
        last_ = std::exchange(other.last_, {});
        return *this;
    }

    std::size_t Size() const noexcept { return size_; }        // records
    bool IsEmpty() const noexcept { return size_ == 0; }
    std::size_t Bytes() const noexcept { return used_; }       // that they take
    std::size_t Capacity() const noexcept { return capacity_; }  // in bytes

    // Throws std::bad_alloc: then it is as it was.
    void Reserve(std::size_t bytes) {
        if (bytes > capacity_) MoveTo(bytes);
    }
    void Add(const Record& record, std::uint32_t thread) {
        if (capacity_ - used_ < kMostBytes) [[unlikely]] MoveTo(capacity_ == 0 ? kLeast : 2 * capacity_);
        Writer to{memory_.get() + used_ + kWidthBytes, 0, 0};
        to.Put(record.stamp - last_.record.stamp);
        to.Put(record.address ^ last_.record.address);
        to.Put(KindFirst(record.size));
        to.Put(record.trace);
        to.Put(record.rounding);
        to.Put(thread ^ last_.thread);
        __builtin_memcpy(memory_.get() + used_, &to.widths, kWidthBytes);
        used_ = static_cast<std::size_t>(to.at - memory_.get());
        last_.record.stamp = record.stamp;
        last_.record.address = record.address;
        last_.thread = thread;
        ++size_;
    }
    void Clear() noexcept {  // keeps the memory
        used_ = size_ = 0;
        last_ = {};
    }
    // The same records in no more memory than they need.
    Batch Copy() const {
        Batch copy;
        if (used_ != 0) copy.MoveTo(used_ + kMostBytes);
        if (used_ != 0) __builtin_memcpy(copy.memory_.get(), memory_.get(), used_);
        copy.used_ = used_;
        copy.size_ = size_;
        copy.last_ = last_;
        return copy;
    }

    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Told;
        using difference_type = std::ptrdiff_t;
        using pointer = const Told*;
        using reference = const Told&;

        Iterator() = default;
        Iterator(const std::byte* at, const std::byte* end) : at_(at), end_(end), next_(at) { Read(); }
        const Told& operator*() const noexcept { return told_; }
        const Told* operator->() const noexcept { return &told_; }
        Iterator& operator++() noexcept {
            at_ = next_;
            Read();
            return *this;
        }
        Iterator operator++(int) noexcept {
            const Iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.at_ == b.at_; }

    private:
        void Read() noexcept {
            if (at_ == end_) return;
            Reader from{at_ + kWidthBytes, 0};
            __builtin_memcpy(&from.widths, at_, sizeof(from.widths));  // the highest byte is not asked for
            told_.record.stamp += from.Take();
            told_.record.address ^= from.Take();
            told_.record.size = KindLast(from.Take());
            told_.record.trace = static_cast<std::uint32_t>(from.Take());
            told_.record.rounding = static_cast<std::uint32_t>(from.Take());
            told_.thread ^= static_cast<std::uint32_t>(from.Take());
            next_ = from.at;
        }
        const std::byte *at_ = nullptr, *end_ = nullptr, *next_ = nullptr;
        Told told_;
    };
    Iterator begin() const noexcept { return {memory_.get(), memory_.get() + used_}; }
    Iterator end() const noexcept { return {memory_.get() + used_, memory_.get() + used_}; }

private:
    static_assert(std::endian::native == std::endian::little, "fields are cut to their low bytes");
    static constexpr std::size_t kWidthBytes = 3;  // four bits a field
    // Of one record, and what eight-byte stores and loads touch behind it.
    static constexpr std::size_t kMostBytes = 64;
    static constexpr std::size_t kLeast = 4096;

    struct Writer {
        std::byte* at;
        std::uint32_t widths;
        unsigned shift;
        void Put(std::uint64_t value) noexcept {
            const unsigned width = value == 0 ? 0 : static_cast<unsigned>(71 - std::countl_zero(value)) / 8;
            __builtin_memcpy(at, &value, sizeof(value));
            at += width;
            widths |= width << shift;
            shift += 4;
        }
    };
    struct Reader {
        const std::byte* at;
        std::uint32_t widths;
        std::uint64_t Take() noexcept {
            static constexpr std::uint64_t kMasks[16] = {
                0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFF'FFFFFFFF, 0xFFFF'FFFFFFFF, 0xFFFFFF'FFFFFFFF, ~0ull};
            std::uint64_t value = 0;
            __builtin_memcpy(&value, at, sizeof(value));
            const unsigned width = widths & 15;
            widths >>= 4;
            at += width;
            return value & kMasks[width];
        }
    };

    // The kind in the lowest byte, the alignment in the highest: so the bytes of an ordinary size that are 0 lie
    // together.
    static constexpr std::uint64_t kMiddle = 0x00FFFFFF'FFFFFF00;
    static std::uint64_t KindFirst(std::uint64_t size) noexcept {
        return (size & ~(kMiddle | 0xFF)) | (size << 8 & kMiddle) | (size >> 48 & 0xFF);
    }
    static std::uint64_t KindLast(std::uint64_t word) noexcept {
        return (word & ~(kMiddle | 0xFF)) | (word & kMiddle) >> 8 | (word & 0xFF) << 48;
    }

    void MoveTo(std::size_t bytes) {
        auto larger = std::make_unique_for_overwrite<std::byte[]>(bytes);
        if (used_ != 0) __builtin_memcpy(larger.get(), memory_.get(), used_);
        memory_ = std::move(larger);
        capacity_ = bytes;
    }

    std::unique_ptr<std::byte[]> memory_;
    std::size_t capacity_ = 0, used_ = 0, size_ = 0;
    Told last_;
};

}  // namespace residue::capture
