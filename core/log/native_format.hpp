// The native file, `.residue`, version 2. All numbers are little-endian; nothing is aligned.
//
//   +------------------------- file header, 16 bytes -------------------------+
//   |  0  magic     89 'R' 'S' 'D' 0D 0A 1A 0A                                |
//   |  8  version   u32: 1 or 2                                               |
//   | 12  checksum  u32: CRC-32C of bytes 0..11                               |
//   +-------------------------------------------------------------------------+
//   then chunks, one after the other, appended and never changed:
//   +------------------------- chunk header, 32 bytes ------------------------+
//   |  0  tag       four letters                                              |
//   |  4  codec     u8: 0 none, 1 zstd                                        |
//   |  5  zero      3 bytes                                                   |
//   |  8  length    u64: bytes that follow this header                        |
//   | 16  raw       u64: bytes once decoded, at most 64 MiB; codec 0: length  |
//   | 24  payload   u32: CRC-32C of the bytes that follow                     |
//   | 28  checksum  u32: CRC-32C of bytes 0..27                               |
//   +-------------------------------------------------------------------------+
//   payloads, once decoded ("text" is u32 length, then bytes):
//     SRCE  u8 clock (0 steps, 1 ticks), u8 layout simulated, f64 ticks a second, text name, text provenance.
//           Then u16 payloads only; where it is missing, as in older files, it is 0. The last one counts.
//     TRCE  u32 first id, u32 n, n x u32 parent, n x u64 frame: the nodes first .. first + n - 1, parent < id.
//     NAME  u32 n, then n x { u64 frame, u32 line, text function, text file }.
//     INLN  the same with, behind each, u32 m, m x { u32 line, text function, text file }: what was inlined there,
//           innermost first. A frame is in one of the two.
//     TEXT  u64 first row, u32 n, n x { u32 row - first row, u32 bytes }, all bytes: texts of rows of the EVNT chunk
//           that follows, rows ascending.
//     EVNT  u64 first row, u32 n (1..65,536), u32 c, c x { u64 min, u8 width }, then for each column n x width bytes:
//           value = min + bytes; width 0, 1, 2, 4 or 8. From version 2 on also width 16 + w, w in 1..8: w planes of
//           n bytes, the lowest byte of each row first; together the difference to the row before (of the first: to
//           min), modulo 2^64, as 2d or -2d - 1. So are stamps, which ascend: .03 bytes a row instead of 2.6.
//           Columns in the order of log/columns.hpp; a reader leaves out
//           columns that it does not know (c <= 64), and missing ones are 0. Where the columns of blocks are missing,
//           as in version 1, the reader's appender finds out again which blocks a row concerns, and so makes any stream
//           legal. Where they are there, in all chunks or in none, they are checked (log/row_check.hpp) and believed.
//     DIED  u64 first row, u32 n, n x { u32 row - first row, u32 blocks }, all blocks as u32: what ended together in
//           rows of the EVNT chunk that follows, rows ascending. Of many there may be several chunks; a row can go on
//           in the next. Only where blocks are stored.
//     END_  u64 rows, u32 nodes: the file is whole.
//   A chunk comes after all that it needs: nodes before the events that name them. Chunks of an unknown tag are left
//   out. What follows the last whole chunk of a file that was cut off is left out with a warning.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "log/crc32c.hpp"

namespace residue::log::native {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::uint8_t kDifferences = 16;  // added to a column's width
inline constexpr std::size_t kFileHeaderBytes = 16;
inline constexpr std::size_t kChunkHeaderBytes = 32;
inline constexpr std::uint64_t kMaxRaw = 64u << 20;
inline constexpr std::uint32_t kMaxColumns = 64;
inline constexpr std::array<std::byte, 8> kMagic = {std::byte{0x89}, std::byte{'R'},  std::byte{'S'},  std::byte{'D'},
                                                    std::byte{0x0D}, std::byte{0x0A}, std::byte{0x1A}, std::byte{0x0A}};

enum class Codec : std::uint8_t { None = 0, Zstd = 1 };

constexpr std::uint32_t Tag(const char (&letters)[5]) {
    std::uint32_t tag = 0;
    for (std::size_t i = 0; i < 4; ++i)
        tag |= static_cast<std::uint32_t>(static_cast<unsigned char>(letters[i])) << (8 * i);
    return tag;
}
inline constexpr std::uint32_t kSource = Tag("SRCE");
inline constexpr std::uint32_t kTraces = Tag("TRCE");
inline constexpr std::uint32_t kNames = Tag("NAME");
inline constexpr std::uint32_t kInlined = Tag("INLN");
inline constexpr std::uint32_t kTexts = Tag("TEXT");
inline constexpr std::uint32_t kEvents = Tag("EVNT");
inline constexpr std::uint32_t kDeaths = Tag("DIED");
inline constexpr std::uint32_t kEnd = Tag("END_");

// Bytes being written.
class Writer {
public:
    template <class T>
    void Number(T value) {
        static_assert(std::is_arithmetic_v<T>);
        const std::size_t at = bytes_.size();
        bytes_.resize(at + sizeof(T));
        std::memcpy(bytes_.data() + at, &value, sizeof(T));
    }
    void Bytes(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void Characters(std::string_view text) { Bytes(std::as_bytes(std::span(text.data(), text.size()))); }
    void Text(std::string_view text) {  // shorter than 4 GiB
        Number(static_cast<std::uint32_t>(text.size()));
        Characters(text);
    }
    std::span<const std::byte> Written() const { return bytes_; }
    void Clear() { bytes_.clear(); }

private:
    std::vector<std::byte> bytes_;
};

// Bytes being read: past the end everything is 0 and empty, and Ok() false for good.
class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
    template <class T>
    T Number() {
        static_assert(std::is_arithmetic_v<T>);
        T value{};
        const auto bytes = Bytes(sizeof(T));
        if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(T));
        return value;
    }
    std::span<const std::byte> Bytes(std::uint64_t count) {
        if (count > bytes_.size()) {
            ok_ = false;
            bytes_ = {};
            return {};
        }
        const auto taken = bytes_.first(static_cast<std::size_t>(count));
        bytes_ = bytes_.subspan(static_cast<std::size_t>(count));
        return taken;
    }
    std::string_view Characters(std::uint64_t count) {
        const auto bytes = Bytes(count);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    std::string_view Text() { return Characters(Number<std::uint32_t>()); }
    bool Ok() const { return ok_; }
    std::size_t Left() const { return bytes_.size(); }

private:
    std::span<const std::byte> bytes_;
    bool ok_ = true;
};

inline void WriteFileHeader(Writer& to, std::uint32_t version = kVersion) {
    Writer header;
    header.Bytes(kMagic);
    header.Number(version);
    header.Number(Crc32c(header.Written()));
    to.Bytes(header.Written());
}

struct ChunkHeader {
    std::uint32_t tag = 0;
    std::uint8_t codec = 0;
    std::uint64_t length = 0;
    std::uint64_t raw = 0;
    std::uint32_t payloadChecksum = 0;
};

inline void WriteChunkHeader(Writer& to, const ChunkHeader& chunk) {
    Writer header;
    header.Number(chunk.tag);
    header.Number(std::uint32_t{chunk.codec});
    header.Number(chunk.length);
    header.Number(chunk.raw);
    header.Number(chunk.payloadChecksum);
    header.Number(Crc32c(header.Written()));
    to.Bytes(header.Written());
}

// False where the checksum or the reserved bytes are not right. `bytes`: kChunkHeaderBytes of them.
inline bool ReadChunkHeader(std::span<const std::byte> bytes, ChunkHeader& chunk) {
    Reader reader(bytes);
    chunk.tag = reader.Number<std::uint32_t>();
    const auto codec = reader.Number<std::uint32_t>();
    chunk.codec = static_cast<std::uint8_t>(codec);
    chunk.length = reader.Number<std::uint64_t>();
    chunk.raw = reader.Number<std::uint64_t>();
    chunk.payloadChecksum = reader.Number<std::uint32_t>();
    const auto checksum = reader.Number<std::uint32_t>();
    return reader.Ok() && codec <= 0xFF && checksum == Crc32c(bytes.first(kChunkHeaderBytes - 4));
}

// "EVNT", or its number where it is not made of letters.
inline std::string TagText(std::uint32_t tag) {
    std::string text;
    for (int i = 0; i < 4; ++i) {
        const auto letter = static_cast<unsigned char>(tag >> (8 * i));
        if (letter < 0x20 || letter > 0x7E) return std::to_string(tag);
        text += static_cast<char>(letter);
    }
    return text;
}

}  // namespace residue::log::native
