#include "import/event_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstring>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "events/stream_format.hpp"
#include "import/byte_source.hpp"
#include "log/appender.hpp"
#include "log/crc32c.hpp"

namespace residue::import {
namespace {

namespace stream = events::stream;
using events::Event;
using events::EventFlag;
using events::EventKind;
using stream::PacketType;

constexpr std::string_view kMark(stream::kMark, sizeof stream::kMark);
constexpr std::size_t kMaxWarnings = 1000;
constexpr std::size_t kLookAt = 64 << 10;
// A log takes some 10 times its stream's size; one made to fill memory is told by a share that no stream has.
constexpr std::uint64_t kMemoryFree = 64u << 20;
constexpr std::uint64_t kMemoryPerByte = 1024;

template <class T>
T Number(const char* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

struct Packet {
    PacketType type{};
    std::uint32_t number = 0;
    std::size_t records = 0;
    std::size_t bytes = 0;  // on the wire
    std::array<std::array<char, stream::kRecordBytes>, stream::kMaxRecords> unfolded;

    template <class T>
    T Record(std::size_t index) const {
        static_assert(sizeof(T) == stream::kRecordBytes);
        T record;
        std::memcpy(static_cast<void*>(&record), unfolded[index].data(), sizeof record);
        return record;
    }
};

enum class Found { Whole, Damaged, Short };

// The packet whose mark `bytes` begins with. Short: its end is not there yet.
Found Parse(std::string_view bytes, Packet& packet) {
    if (bytes.size() < stream::kHeaderBytes) return Found::Short;
    packet.type = static_cast<PacketType>(bytes[4]);
    packet.records = static_cast<unsigned char>(bytes[5]);
    packet.number = Number<std::uint32_t>(bytes.data() + 6);
    if (packet.records > stream::kMaxRecords) return Found::Damaged;
    std::size_t at = stream::kHeaderBytes;
    for (std::size_t i = 0; i < packet.records; ++i) {
        if (bytes.size() - at < stream::kMaskBytes) return Found::Short;
        auto mask = Number<std::uint64_t>(bytes.data() + at);
        at += stream::kMaskBytes;
        if (bytes.size() - at < static_cast<std::size_t>(std::popcount(mask))) return Found::Short;
        packet.unfolded[i].fill(0);
        for (; mask != 0; mask &= mask - 1) {
            packet.unfolded[i][static_cast<std::size_t>(std::countr_zero(mask))] = bytes[at++];
        }
    }
    if (bytes.size() - at < stream::kChecksumBytes) return Found::Short;
    const auto checksum = log::Crc32c(std::as_bytes(std::span(bytes.data(), at)));
    if (checksum != Number<std::uint32_t>(bytes.data() + at)) return Found::Damaged;
    packet.bytes = at + stream::kChecksumBytes;
    return Found::Whole;
}

// Where the next mark is; or where the end of `bytes` may be the beginning of one; or the end.
std::size_t FindMark(std::string_view bytes, std::size_t from) {
    if (const std::size_t at = bytes.find(kMark, from); at != std::string_view::npos) return at;
    const std::size_t tail = std::max(from, bytes.size() - std::min(bytes.size(), kMark.size() - 1));
    for (std::size_t at = tail; at < bytes.size(); ++at) {
        if (kMark.starts_with(bytes.substr(at))) return at;
    }
    return bytes.size();
}

bool IsText(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char character) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte < 0x20) return byte == '\t' || byte == '\n' || byte == '\r' || byte == 0x1B;
        return byte != 0x7F && byte != 0xC0 && byte != 0xC1 && byte < 0xF5;  // as in UTF-8
    });
}

struct TraceNode {
    TraceId parent;
    std::uint64_t frame;
    friend bool operator==(const TraceNode&, const TraceNode&) = default;
};
struct TraceNodeHash {
    std::size_t operator()(const TraceNode& node) const {
        const std::uint64_t mixed = (node.frame + node.parent.value) * 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio
        return static_cast<std::size_t>(mixed ^ (mixed >> 32));
    }
};

}  // namespace

struct EventStreamReader::State {
    State(std::string nameToShow, log::EventLog& into) : name(std::move(nameToShow)), log(into), appender(into) {
        source.name = name.substr(name.rfind('/') + 1);
        source.provenance = "recorded";
        log.SetSource(source);
    }

    // Bytes in no packet that are not taken for text.
    enum class Junk { None, NotText, Damaged, Short };

    std::string name;
    log::EventLog& log;
    log::Appender appender;
    log::SourceInfo source;
    StreamSummary summary;
    std::uint64_t moreWarnings = 0;

    std::string buffer;        // not looked at yet
    std::uint64_t offset = 0;  // in the stream, of the buffer's first byte
    Packet packet;
    std::uint64_t packetAt = 0;

    std::string text;  // what stands before the buffer and in no packet, as long as it may be text
    std::uint64_t textAt = 0;
    Junk junk = Junk::None;
    std::uint64_t junkAt = 0;
    std::uint64_t junkBytes = 0;

    std::optional<std::uint32_t> expected;              // the number of the next event
    std::uint64_t stamp = 0;                            // the last one
    std::bitset<65536> allocators;                      // seen, and not ended
    std::unordered_map<std::uint32_t, TraceId> traces;  // of this run, by their ids on the wire
    std::unordered_map<TraceNode, TraceId, TraceNodeHash> nodes;
    bool warnedTrace = false;

    void Warn(std::uint64_t at, std::string what) {
        if (summary.warnings.size() < kMaxWarnings) {
            summary.warnings.push_back({fmt::format("{}: byte {}", name, at), std::move(what)});
        } else {
            ++moreWarnings;
        }
    }
    Failure Bad(std::string what, std::string expectedInstead) const {
        return {fmt::format("{}: byte {}", name, packetAt), std::move(what), std::move(expectedInstead)};
    }
    Event Of(EventKind kind) const {
        Event event;
        event.kind = kind;
        event.stamp = stamp;
        return event;
    }

    Outcome<void> Scan(bool last);
    void Skip(std::string_view bytes, std::uint64_t at);
    void FlushText(std::size_t most);
    void StartJunk(Junk kind, std::uint64_t at);
    void TellJunk(bool last);

    Outcome<void> Take();
    Outcome<void> Begins();
    void TakeEvent();
    void TakeTrace();
    void CheckNumber();
    TraceId TraceOf(TraceId onWire);
};

// Takes whole packets out of the buffer; what may be the beginning of one stays, unless this is the last look.
Outcome<void> EventStreamReader::State::Scan(bool last) {
    const std::string_view bytes(buffer);
    std::size_t done = 0;
    for (std::size_t at = 0;;) {
        at = FindMark(bytes, at);
        const Found found = at == bytes.size() ? Found::Short : Parse(bytes.substr(at), packet);
        Skip(bytes.substr(done, at - done), offset + done);
        done = at;
        if (found == Found::Short && (!last || at == bytes.size())) break;
        if (found != Found::Whole) {
            FlushText(text.size());
            if (junk == Junk::NotText) TellJunk(false);
            if (junk == Junk::None) StartJunk(found == Found::Short ? Junk::Short : Junk::Damaged, offset + at);
            ++at;  // a whole packet may begin inside of what is none
            continue;
        }
        FlushText(text.size());
        TellJunk(false);
        packetAt = offset + at;
        if (auto taken = Take(); !taken) return taken;
        at += packet.bytes;
        done = at;
        if (const std::uint64_t limit = kMemoryFree + (offset + at) * kMemoryPerByte; log.ResidentBytes() > limit) {
            return Fail(Bad("the stream unfolds to more memory than one of its size can need",
                            fmt::format("at most {} bytes", limit)));
        }
    }
    offset += done;
    buffer.erase(0, done);
    return {};
}

void EventStreamReader::State::Skip(std::string_view bytes, std::uint64_t at) {
    if (text.empty()) textAt = at;
    if (junk == Junk::None) {
        text.append(bytes);
    } else {
        junkBytes += bytes.size();
    }
    while (text.size() > events::kMaxText) FlushText(events::kMaxText);
}

// The first `most` bytes become output, or all of them junk.
void EventStreamReader::State::FlushText(std::size_t most) {
    if (text.empty()) return;
    const std::string_view piece = std::string_view(text).substr(0, std::min<std::size_t>(most, events::kMaxText));
    if (IsText(piece)) {
        appender.Append(Of(EventKind::Output), piece);
        textAt += piece.size();
        text.erase(0, piece.size());
        return;
    }
    StartJunk(Junk::NotText, textAt);
    junkBytes = text.size();
    text.clear();
}

void EventStreamReader::State::StartJunk(Junk kind, std::uint64_t at) {
    junk = kind;
    junkAt = at;
    junkBytes = 0;
}

void EventStreamReader::State::TellJunk(bool last) {
    if (junk == Junk::NotText) {
        Warn(junkAt, fmt::format("{} bytes that are neither a packet nor text are left out", junkBytes));
    } else if (junk == Junk::Short && last) {
        Warn(junkAt, fmt::format("cut off within a packet; {} bytes are left out", junkBytes));
    } else if (junk != Junk::None) {
        Warn(junkAt, fmt::format("a damaged packet; {} bytes are left out", junkBytes));
    }
    junk = Junk::None;
}

Outcome<void> EventStreamReader::State::Take() {
    summary.whole = false;
    ++summary.packets;
    if (summary.packets == 1 && packet.type != PacketType::Begins) {
        Warn(packetAt, "the stream's beginning is missing: stamps are taken for steps");
    }
    switch (packet.type) {
        case PacketType::Begins: return Begins();
        case PacketType::Event: TakeEvent(); return {};
        case PacketType::Trace: TakeTrace(); return {};
        case PacketType::Ends:
            CheckNumber();
            summary.whole = summary.lost == 0;
            return {};
    }
    Warn(packetAt, fmt::format("a packet of unknown type {} is left out", static_cast<int>(packet.type)));
    return {};
}

Outcome<void> EventStreamReader::State::Begins() {
    if (packet.records != 1) return Fail(Bad(fmt::format("a beginning of {} records", packet.records), "1"));
    const auto record = packet.Record<stream::BeginsRecord>(0);
    if (record.version != stream::kVersion) {
        return Fail(Bad(fmt::format("an event stream of version {}", record.version),
                        fmt::format("version {}", stream::kVersion)));
    }
    if (record.clock > 1) return Fail(Bad(fmt::format("clock {}", record.clock), "0 (steps) or 1 (ticks)"));
    expected = packet.number;
    traces.clear();
    if (++summary.runs == 1) {
        const std::string_view given(record.name, sizeof record.name);
        if (record.name[0] != '\0') source.name = given.substr(0, given.find('\0'));
        source.clock = static_cast<log::Clock>(record.clock);
        source.ticksPerSecond = static_cast<double>(record.ticksPerSecond);
        log.SetSource(source);
    }
    if (summary.packets == 1) return {};
    // The heaps of the run before are gone, though nobody said so.
    for (std::size_t id = 0; id < allocators.size() && allocators.any(); ++id) {
        if (!allocators[id]) continue;
        Event destroyed = Of(EventKind::AllocatorDestroyed);
        destroyed.allocator = AllocatorId{static_cast<std::uint16_t>(id)};
        destroyed.flags = static_cast<std::uint8_t>(Bit(EventFlag::Inferred) | Bit(EventFlag::NotACall));
        appender.Append(destroyed, {});
        allocators.reset(id);
    }
    appender.Append(Of(EventKind::Marker), "The stream begins again here.");
    Warn(packetAt, "the stream begins again: the allocators of the run before are taken as destroyed");
    return {};
}

// Numbers that are missing are events that got lost on the wire.
void EventStreamReader::State::CheckNumber() {
    const std::uint32_t missing = packet.number - expected.value_or(0);
    expected = packet.number;
    if (missing == 0) return;
    if (missing >= 1u << 31) {
        Warn(packetAt, fmt::format("the events' numbers go back to {}", packet.number));
        return;
    }
    Warn(packetAt,
         fmt::format("{} {} before this packet", missing, missing == 1 ? "event is missing" : "events are missing"));
    summary.lost += missing;
    Event gap = Of(EventKind::Gap);
    gap.argument = missing;
    appender.Append(gap, {});
}

void EventStreamReader::State::TakeEvent() {
    CheckNumber();
    expected = packet.number + 1;
    if (packet.records == 0) {
        Warn(packetAt, "an event of no records is left out");
        return;
    }
    auto event = packet.Record<Event>(0);
    const auto kind = static_cast<std::uint8_t>(event.kind);
    if (!events::IsKnownKind(kind) || event.kind == EventKind::Continuation) {
        Warn(packetAt, fmt::format("an event of unknown kind {} is left out", kind));
        return;
    }
    std::string words;
    for (std::size_t i = 1; i < packet.records; ++i) {
        const auto more = packet.Record<events::Continuation>(i);
        const bool ends = i + 1 == packet.records;
        if (more.kind != EventKind::Continuation || more.used > events::kContinuationBytes ||
            (more.last != 0) != ends) {
            Warn(packetAt, fmt::format("record {} is no piece of a text: the text ends before it", i));
            break;
        }
        words.append(more.bytes, more.used);
    }
    event.trace = TraceOf(event.trace);
    allocators[event.allocator.value] = event.allocator && event.kind != EventKind::AllocatorDestroyed;
    stamp = event.stamp;
    ++summary.events;
    appender.Append(event, words);
}

TraceId EventStreamReader::State::TraceOf(TraceId onWire) {
    if (!onWire) return {};
    if (const auto known = traces.find(onWire.value); known != traces.end()) return known->second;
    if (!std::exchange(warnedTrace, true)) {
        Warn(packetAt, fmt::format("the frames of call trace {} are missing: events are without it, and without all "
                                   "others that are missing",
                                   onWire.value));
    }
    return {};
}

void EventStreamReader::State::TakeTrace() {
    std::vector<std::uint64_t> frames;  // innermost first
    for (std::size_t i = 0; i < packet.records; ++i) {
        for (const std::uint64_t frame : packet.Record<std::array<std::uint64_t, stream::kFramesInRecord>>(i)) {
            if (frame == 0) break;
            frames.push_back(frame);
        }
    }
    TraceId trace{};
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
        const auto [node, isNew] = nodes.try_emplace(TraceNode{trace, *frame});
        if (isNew) node->second = log.AddTrace(trace, *frame);
        trace = node->second;
    }
    traces[packet.number] = trace;
}

EventStreamReader::EventStreamReader(std::string name, log::EventLog& into)
    : state_(std::make_unique<State>(std::move(name), into)) {}

EventStreamReader::~EventStreamReader() = default;

Outcome<void> EventStreamReader::Feed(std::string_view bytes) {
    state_->buffer.append(bytes);
    return state_->Scan(false);
}

Outcome<StreamSummary> EventStreamReader::Finish() {
    State& state = *state_;
    if (auto scanned = state.Scan(true); !scanned) return Fail(scanned.error());
    if (state.summary.packets == 0) {
        return Fail(Failure{state.name, "holds no whole packet of an event stream",
                            "the mark F5 'R' 'E' 'V' and what it promises"});
    }
    state.FlushText(state.text.size());
    state.TellJunk(true);
    if (!state.summary.whole) {
        state.Warn(state.offset, fmt::format("the stream has no end: it opens up to its last whole packet, {} events",
                                             state.summary.events));
    }
    StreamSummary summary = std::move(state.summary);
    for (Warning& warning : state.appender.Warnings()) {
        if (warning.where.empty()) {
            warning.where = state.name;
        } else {
            warning.where = state.name + ": " + warning.where;
        }
        summary.warnings.push_back(std::move(warning));
    }
    if (state.moreWarnings != 0) {
        summary.warnings.push_back({state.name, fmt::format("{} more warnings", state.moreWarnings)});
    }
    state.log.Close();
    return summary;
}

bool LooksLikeEventStream(std::string_view start) {
    start = start.substr(0, kLookAt);
    Packet packet;
    for (std::size_t at = 0; (at = start.find(kMark, at)) != std::string_view::npos; ++at) {
        if (Parse(start.substr(at), packet) == Found::Whole) return true;
    }
    return false;
}

bool IsEventStream(const std::string& path) {
    auto source = OpenFileSource(path);
    if (!source) return false;
    std::string start(kLookAt, '\0');
    std::size_t count = 0;
    while (count < start.size()) {
        const auto read = (*source)->Read(start.data() + count, start.size() - count);
        if (!read || *read == 0) break;
        count += *read;
    }
    return LooksLikeEventStream(std::string_view(start).substr(0, count));
}

Outcome<StreamSummary> ReadEventStream(const std::string& path, log::EventLog& into, const std::atomic<bool>* cancelled,
                                       std::atomic<double>* progress) {
    auto source = OpenFileSource(path);
    if (!source) return Fail(source.error());
    EventStreamReader reader(path, into);
    std::string piece(kLookAt, '\0');
    for (;;) {
        if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
            return Fail(Failure{path, "cancelled", ""});
        }
        const auto read = (*source)->Read(piece.data(), piece.size());
        if (!read) return Fail(read.error());
        if (*read == 0) break;
        if (auto fed = reader.Feed(std::string_view(piece).substr(0, *read)); !fed) return Fail(fed.error());
        if (progress != nullptr) progress->store((*source)->Progress(), std::memory_order_relaxed);
    }
    auto summary = reader.Finish();
    if (summary && (*source)->CutOff()) summary->warnings.push_back({path, "the compressed data are cut off"});
    return summary;
}

Outcome<StreamSummary> ReadEventStreamBytes(const std::string& name, std::string_view bytes, log::EventLog& into) {
    EventStreamReader reader(name, into);
    if (auto fed = reader.Feed(bytes); !fed) return Fail(fed.error());
    return reader.Finish();
}

}  // namespace residue::import
