// The event stream, version 1: events as bytes on a wire that other things are written to as well, such as a serial
// port with a boot loader's and a kernel's own messages. Written by events/stream_sink.hpp without an operating
// system, read by import/event_stream.hpp. All numbers are little-endian; nothing is aligned.
//
//   A stream is packets; between them there may be anything, and a reader finds the next one by its mark:
//   +-------------------------------- packet ---------------------------------+
//   |  0  mark      F5 'R' 'E' 'V'   (F5 is in no UTF-8 text)                 |
//   |  4  type      u8: 'B' begins, 'E' event, 'T' call trace, 'Z' ends       |
//   |  5  records   u8: how many, at most 21                                  |
//   |  6  number    u32: B, E, Z: events sent before, mod 2^32; T: its id     |
//   | 10  records x { u64 mask, bytes }: 64 bytes each once unfolded. Bit i   |
//   |     of the mask: byte i is there, in order; all other bytes are zero    |
//   |     checksum  u32: CRC-32C of everything from the mark on               |
//   +-------------------------------------------------------------------------+
//   B  one record: u32 version, u8 clock (0 steps, 1 ticks), 3 zero, u64 ticks a second (0: not known),
//      48 bytes name, zero-filled. Another B begins another run: the machine was started again.
//   E  an event as it is in lanes (events/event.hpp, little-endian), then its text in continuation records.
//   T  frames, 8 x u64 a record, innermost first, up to the first zero: what events with this trace id, which come
//      after it, mean by it. Within one run an id is one trace.
//   Z  no record: nothing was lost up to here.
//   A packet that is lost or damaged costs itself alone: the numbers tell how many events are missing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "events/event.hpp"

namespace residue::events::stream {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr char kMark[4] = {'\xF5', 'R', 'E', 'V'};
inline constexpr std::size_t kHeaderBytes = 10;
inline constexpr std::size_t kMaskBytes = 8;
inline constexpr std::size_t kRecordBytes = 64;
inline constexpr std::size_t kChecksumBytes = 4;
inline constexpr std::size_t kMaxRecords = 1 + kMaxText / kContinuationBytes;
inline constexpr std::size_t kMaxPacketBytes =
    kHeaderBytes + kMaxRecords * (kMaskBytes + kRecordBytes) + kChecksumBytes;
inline constexpr std::size_t kFramesInRecord = kRecordBytes / sizeof(std::uint64_t);

enum class PacketType : std::uint8_t { Begins = 'B', Event = 'E', Trace = 'T', Ends = 'Z' };

struct BeginsRecord {
    std::uint32_t version;
    std::uint8_t clock;
    std::uint8_t zero[3];
    std::uint64_t ticksPerSecond;
    char name[48];
};

// What is in memory is what is on the wire.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
static_assert(sizeof(BeginsRecord) == kRecordBytes && sizeof(Event) == kRecordBytes);
static_assert(kMaxRecords == 21);
static_assert(__builtin_offsetof(Event, stamp) == 0 && __builtin_offsetof(Event, address) == 8);
static_assert(__builtin_offsetof(Event, size) == 16 && __builtin_offsetof(Event, argument) == 24);
static_assert(__builtin_offsetof(Event, rounding) == 32 && __builtin_offsetof(Event, padding) == 40);
static_assert(__builtin_offsetof(Event, slack) == 44 && __builtin_offsetof(Event, trace) == 48);
static_assert(__builtin_offsetof(Event, thread) == 52 && __builtin_offsetof(Event, header) == 56);
static_assert(__builtin_offsetof(Event, allocator) == 58 && __builtin_offsetof(Event, kind) == 60);
static_assert(__builtin_offsetof(Event, error) == 61 && __builtin_offsetof(Event, alignmentLog2) == 62);
static_assert(__builtin_offsetof(Event, flags) == 63);
static_assert(__builtin_offsetof(Continuation, bytes) == 8 && __builtin_offsetof(Continuation, used) == 59);
static_assert(__builtin_offsetof(Continuation, last) == 61);

}  // namespace residue::events::stream
