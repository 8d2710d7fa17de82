#include "events/stream_sink.hpp"

namespace residue::events {

namespace {

using stream::PacketType;

// Half a byte a step: 64 bytes of table, where log/crc32c.hpp has 8 KiB.
struct NibbleTable {
    std::uint32_t of[16] = {};
    constexpr NibbleTable() noexcept {
        for (std::uint32_t nibble = 0; nibble < 16; ++nibble) {
            std::uint32_t crc = nibble;
            for (int bit = 0; bit < 4; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
            of[nibble] = crc;
        }
    }
};
constexpr NibbleTable kNibbles;

std::uint32_t Checksum(const unsigned char* bytes, std::size_t count) noexcept {
    std::uint32_t crc = ~0u;
    for (std::size_t i = 0; i < count; ++i) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ kNibbles.of[crc & 15];
        crc = (crc >> 4) ^ kNibbles.of[crc & 15];
    }
    return ~crc;
}

bool Same(const std::uintptr_t* a, const std::uintptr_t* b, unsigned count) noexcept {
    for (unsigned i = 0; i < count; ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

}  // namespace

StreamSink::StreamSink(const StreamOptions& options) noexcept : options_(options) {
    stream::BeginsRecord record{};
    record.version = stream::kVersion;
    record.clock = options.now != nullptr ? 1 : 0;
    record.ticksPerSecond = options.ticksPerSecond;
    for (std::size_t i = 0; i < sizeof record.name && options.name != nullptr && options.name[i] != '\0'; ++i) {
        record.name[i] = options.name[i];
    }
    if (options_.traceDepth > kMaxStreamFrames) options_.traceDepth = kMaxStreamFrames;
    Start(PacketType::Begins, 1, 0);
    Add(&record);
    Send();
}

void StreamSink::Start(PacketType type, std::size_t records, std::uint32_t number) noexcept {
    __builtin_memcpy(packet_, stream::kMark, sizeof stream::kMark);
    packet_[4] = static_cast<unsigned char>(type);
    packet_[5] = static_cast<unsigned char>(records);
    __builtin_memcpy(packet_ + 6, &number, sizeof number);
    used_ = stream::kHeaderBytes;
}

void StreamSink::Add(const void* record) noexcept {
    const auto* const bytes = static_cast<const unsigned char*>(record);
    unsigned char* const maskAt = packet_ + used_;
    used_ += stream::kMaskBytes;
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < stream::kRecordBytes; ++i) {
        if (bytes[i] == 0) continue;
        mask |= std::uint64_t{1} << i;
        packet_[used_++] = bytes[i];
    }
    __builtin_memcpy(maskAt, &mask, sizeof mask);
}

void StreamSink::Send() noexcept {
    const std::uint32_t checksum = Checksum(packet_, used_);
    __builtin_memcpy(packet_ + used_, &checksum, sizeof checksum);
    options_.write(options_.context, packet_, used_ + sizeof checksum);
}

std::uint64_t StreamSink::Begin() noexcept {
    return options_.now != nullptr ? options_.now(options_.context) : ++steps_;
}

void StreamSink::Emit(const Event* records, std::size_t count, std::uint64_t stamp) noexcept {
    for (std::size_t at = 0; at < count;) {
        std::size_t end = at + 1;
        while (end < count && records[end].kind == EventKind::Continuation) ++end;
        const std::size_t sent = end - at < stream::kMaxRecords ? end - at : stream::kMaxRecords;
        Event event = records[at];
        event.stamp = stamp;
        if (!event.thread) event.thread = ThreadId{options_.thread != nullptr ? options_.thread(options_.context) : 1};
        Start(PacketType::Event, sent, events_);
        Add(&event);
        for (std::size_t i = 1; i < sent; ++i) Add(&records[at + i]);
        Send();
        ++events_;
        at = end;
    }
}

TraceId StreamSink::Capture(unsigned skip) noexcept {
    if (options_.traceDepth == 0) return {};
    std::uintptr_t frames[kMaxStreamFrames];
    const unsigned count = WalkFrames(__builtin_frame_address(0), options_.stack, frames, options_.traceDepth, skip);
    if (count == 0) return {};
    for (const Stack& known : stacks_) {
        if (known.id != 0 && known.count == count && Same(known.frames, frames, count)) return TraceId{known.id};
    }
    Stack& stack = stacks_[nextStack_];
    nextStack_ = (nextStack_ + 1) % kStacks;
    if (++traces_ == 0) ++traces_;  // 0 is no trace
    stack.id = traces_;
    stack.count = count;
    for (unsigned i = 0; i < count; ++i) stack.frames[i] = frames[i];

    Start(PacketType::Trace, (count + stream::kFramesInRecord - 1) / stream::kFramesInRecord, stack.id);
    for (unsigned first = 0; first < count; first += stream::kFramesInRecord) {
        std::uint64_t record[stream::kFramesInRecord] = {};
        for (unsigned i = 0; i < stream::kFramesInRecord && first + i < count; ++i) record[i] = frames[first + i];
        Add(record);
    }
    Send();
    return TraceId{stack.id};
}

void StreamSink::End() noexcept {
    Start(PacketType::Ends, 0, events_);
    Send();
}

}  // namespace residue::events
