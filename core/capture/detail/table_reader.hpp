// Reads the bytes of unwinding tables, of which nothing is believed: every read is checked against the bounds of what
// is mapped, and after the first that does not fit all others give 0. Freestanding.
#pragma once

#include <cstddef>
#include <cstdint>

namespace residue::capture::detail {

// Readable bytes, by address.
struct TableBytes {
    std::uintptr_t low = 0;
    std::uintptr_t high = 0;  // one past the last

    bool Holds(std::uintptr_t at, std::uintptr_t bytes) const noexcept {
        return at >= low && at <= high && bytes <= high - at;
    }
};

// How an address is written in the tables (LSB, "DWARF Exception Header Encoding").
namespace encoding {
inline constexpr std::uint8_t kOmitted = 0xff;
inline constexpr std::uint8_t kIndirect = 0x80;
inline constexpr std::uint8_t kFromHere = 0x10;    // pcrel
inline constexpr std::uint8_t kFromHeader = 0x30;  // datarel: from the beginning of .eh_frame_hdr
inline constexpr std::uint8_t kFormMask = 0x0f;
inline constexpr std::uint8_t kBaseMask = 0x70;
}  // namespace encoding

class TableReader {
public:
    TableReader(TableBytes bytes, std::uintptr_t at) noexcept
        : at_(at), end_(bytes.high), ok_(bytes.Holds(at, 0)) {}

    bool Ok() const noexcept { return ok_; }
    bool AtEnd() const noexcept { return !ok_ || at_ >= end_; }
    std::uintptr_t At() const noexcept { return at_; }
    std::uintptr_t Left() const noexcept { return end_ - at_; }

    // From here on only `bytes` more can be read.
    void Limit(std::uintptr_t bytes) noexcept {
        if (!ok_ || bytes > end_ - at_) ok_ = false;
        else end_ = at_ + bytes;
    }
    void Skip(std::uintptr_t bytes) noexcept {
        if (!ok_ || bytes > end_ - at_) ok_ = false;
        else at_ += bytes;
    }

    template <class T>
    T Read() noexcept {
        T value{};
        if (!ok_ || sizeof(T) > end_ - at_) {
            ok_ = false;
            return value;
        }
        __builtin_memcpy(&value, reinterpret_cast<const void*>(at_), sizeof(T));
        at_ += sizeof(T);
        return value;
    }

    // LEB128; bits beyond the 64th are lost.
    std::uint64_t Uleb() noexcept {
        unsigned shift = 0;
        return Leb(shift);
    }
    std::int64_t Sleb() noexcept {
        unsigned shift = 0;
        std::uint64_t value = Leb(shift);
        if (shift < 64 && (last_ & 0x40) != 0) value |= ~std::uint64_t{0} << shift;
        return static_cast<std::int64_t>(value);
    }

    // An address as `how` says; one that is to be read through a pointer is not followed and makes the reader fail.
    std::uintptr_t Address(std::uint8_t how, std::uintptr_t header) noexcept {
        const std::uintptr_t here = at_;
        const std::uint64_t value = Form(how);
        if ((how & encoding::kIndirect) != 0) ok_ = false;
        switch (how & encoding::kBaseMask) {
            case 0: return value;
            case encoding::kFromHere: return here + value;
            case encoding::kFromHeader: return header + value;
            default: ok_ = false; return 0;
        }
    }

    // The bare number of an encoded address: its length, or what is only to be skipped.
    std::uint64_t Form(std::uint8_t how) noexcept {
        switch (how & encoding::kFormMask) {
            case 0x0: case 0x4: case 0xc: return Read<std::uint64_t>();
            case 0x1: return Uleb();
            case 0x2: return Read<std::uint16_t>();
            case 0x3: return Read<std::uint32_t>();
            case 0x9: return static_cast<std::uint64_t>(Sleb());
            case 0xa: return static_cast<std::uint64_t>(std::int64_t{Read<std::int16_t>()});
            case 0xb: return static_cast<std::uint64_t>(std::int64_t{Read<std::int32_t>()});
            default: ok_ = false; return 0;
        }
    }

private:
    std::uint64_t Leb(unsigned& shift) noexcept {
        std::uint64_t value = 0;
        do {
            last_ = Read<std::uint8_t>();
            if (shift < 64) value |= std::uint64_t{last_ & 0x7fu} << shift;
            shift += 7;
        } while (ok_ && (last_ & 0x80) != 0);
        return value;
    }

    std::uintptr_t at_;
    std::uintptr_t end_;
    bool ok_;
    std::uint8_t last_ = 0;
};

}  // namespace residue::capture::detail
