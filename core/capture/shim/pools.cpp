// What a program tells of its own pools (events/residue.h): checked as far as the program knows itself, and written.
#include <errno.h>

#include "capture/shim/pool_table.hpp"
#include "capture/shim/real.hpp"
#include "capture/shim/writer.hpp"
#include "events/event.hpp"
#include "events/residue.h"

namespace residue::capture::shim {
namespace {

using events::EventFlag;
using events::EventKind;

constinit PoolTable pools;

constexpr std::uint8_t kFlagsOfPrograms =
    events::Bit(EventFlag::IsCall) | events::Bit(EventFlag::NotACall) | events::Bit(EventFlag::StaysDead);

bool MayTell(std::uint8_t kind) noexcept {
    if (!events::IsKnownKind(kind)) return false;
    const auto known = static_cast<EventKind>(kind);
    return known != EventKind::Step && known != EventKind::Gap && known != EventKind::Continuation;
}

// Kinds that may be nobody's.
bool NeedsPool(EventKind kind) noexcept {
    return kind != EventKind::Marker && kind != EventKind::Output && kind != EventKind::Duck;
}

Detail DetailOf(const residue_told& told, std::uint16_t parent) noexcept {
    Detail detail;
    detail.argument = told.argument;
    detail.padding = told.padding;
    detail.slack = told.slack;
    detail.header = told.kind == RESIDUE_POOL_CREATED ? parent : told.header;
    detail.roundingHigh = static_cast<std::uint16_t>(told.rounding < kLow48 ? told.rounding >> 32 : 0xFFFF);
    detail.flags = told.flags & kFlagsOfPrograms;
    detail.error = told.error;
    return detail;
}

std::uint32_t AddText(const residue_told& told, Record* records) noexcept {
    if (told.text == nullptr) return 0;
    std::uint64_t length = told.text_bytes < events::kMaxText ? told.text_bytes : events::kMaxText;
    // Not in the middle of a UTF-8 character: back over the bytes that continue one.
    const auto continues = [&](std::uint64_t at) {
        return (static_cast<unsigned char>(told.text[at]) & 0xC0) == 0x80;
    };
    if (length < told.text_bytes) {
        for (int i = 0; i < 3 && length > 0 && continues(length); ++i) --length;
    }
    std::uint32_t count = 0;
    for (std::uint64_t at = 0; at < length; at += kTextBytes) {
        const std::uint64_t used = length - at < kTextBytes ? length - at : kTextBytes;
        unsigned char bytes[kTextBytes] = {};
        __builtin_memcpy(bytes, told.text + at, used);
        Record& record = records[count++] = {};
        __builtin_memcpy(&record.address, bytes, 8);
        __builtin_memcpy(&record.trace, bytes + 8, 4);
        __builtin_memcpy(&record.rounding, bytes + 12, 4);
        record.size = Record::Pack(RecordKind::Text, used, 0);
    }
    return count;
}

// Without its text. How many records.
std::uint32_t Fill(Record* records, const residue_told& told, std::uint16_t pool, std::uint16_t parent,
                   TraceId trace) noexcept {
    Record& record = records[0];
    record.address = (told.address & kLow48) | std::uint64_t{pool} << 48;
    record.size = Record::Pack(ToldKind(static_cast<EventKind>(told.kind)), told.size, told.alignment_log2);
    record.trace = trace.value;
    record.rounding = static_cast<std::uint32_t>(told.rounding < kLow48 ? told.rounding : 0xFFFFFFFF);
    const Detail detail = DetailOf(told, parent);
    if (!detail.Any()) return 1;
    records[1] = detail.Pack();
    return 2;
}

[[gnu::noinline]] void WriteWithText(Writer& writer, const residue_told& told, const Record* first,
                                     std::uint32_t count) noexcept {
    Record records[kMostInGroup];
    __builtin_memcpy(static_cast<void*>(records), first, count * sizeof(Record));
    count += AddText(told, records + count);
    writer.EmitGroup(records, count);
}

void Write(Writer& writer, const residue_told& told, std::uint16_t pool, std::uint16_t parent, TraceId trace) noexcept {
    Record records[2];
    const std::uint32_t count = Fill(records, told, pool, parent, trace);
    if (told.text != nullptr) return WriteWithText(writer, told, records, count);
    writer.EmitGroup(records, count);
}

// As for malloc: who frees is not asked, which would cost as much again as who allocates.
bool TakesTrace(EventKind kind) noexcept { return kind != EventKind::Freed && kind != EventKind::ResizeBegins; }

void Complain(Writer& writer, const residue_told& told, std::uint32_t handle) noexcept {
    Record record;
    record.address = told.address & kLow48;
    record.size = Record::Pack(RecordKind::Misused, told.kind, 0);
    record.rounding = handle;
    writer.EmitGroup(&record, 1);
}

std::uint32_t Tell(Writer& writer, const residue_told& told, const Place& place) noexcept {
    const auto kind = static_cast<EventKind>(told.kind);
    std::uint32_t handle = told.pool;
    std::uint16_t parent = 0;
    if (kind == EventKind::AllocatorCreated) {
        if (handle == 0) handle = pools.Add();
        parent = pools.Find(told.parent);
        if (told.parent != 0 && parent == 0) Complain(writer, told, told.parent);
    }
    const std::uint16_t pool = pools.Find(handle);
    if (pool == 0 && (handle != 0 || NeedsPool(kind))) {
        Complain(writer, told, handle);
        return 0;
    }
    const bool here = told.trace == RESIDUE_TRACE_HERE;
    const TraceId trace = !here ? TraceId{told.trace} : TakesTrace(kind) ? writer.Trace(place) : TraceId{};
    // Written before the id is free: nobody can be given it earlier.
    Write(writer, told, pool, parent, trace);
    if (kind == EventKind::AllocatorDestroyed) (void)pools.Remove(handle);
    return kind == EventKind::AllocatorCreated ? handle : 0;
}

}  // namespace
}  // namespace residue::capture::shim

using namespace residue::capture::shim;

#define RESIDUE_EXPORT extern "C" __attribute__((visibility("default"), noinline))
#define RESIDUE_PLACE (Place{__builtin_frame_address(0), residue::capture::Here()})

// One thing that happened. Answers with a handle where it was that a pool was created.
RESIDUE_EXPORT std::uint32_t residue_v1_tell(const residue_told* told) {
    if (told == nullptr || told->bytes < sizeof(residue_told) || !MayTell(told->kind) || !EnsureBegun()) return 0;
    const int kept = errno;
    std::uint32_t handle = 0;
    if (Writer* const writer = Enter()) {
        handle = Tell(*writer, *told, RESIDUE_PLACE);
        Leave();
    }
    errno = kept;
    return handle;
}

// The call trace of the caller, without `skip` innermost frames: the first of them is the caller's own.
RESIDUE_EXPORT std::uint32_t residue_v1_trace(unsigned skip) {
    if (!EnsureBegun()) return 0;
    const int kept = errno;
    std::uint32_t trace = 0;
    if (Writer* const writer = Enter()) {
        trace = Writer::Without(writer->Trace(RESIDUE_PLACE), skip).value;
        Leave();
    }
    errno = kept;
    return trace;
}

// The handle of a pool that will be told of as created.
RESIDUE_EXPORT std::uint32_t residue_v1_pool(void) {
    if (!EnsureBegun()) return 0;
    std::uint32_t handle = 0;
    if (Enter() != nullptr) {
        handle = pools.Add();
        Leave();
    }
    return handle;
}
