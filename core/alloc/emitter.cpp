#include "alloc/emitter.hpp"

namespace residue::alloc {

using events::Event;
using events::EventKind;

namespace {

// Frames above EventSink::Capture that are ours: the Emit... function and the allocator's callback.
constexpr unsigned kOwnFrames = 2;

std::uint8_t Log2(std::size_t alignment) noexcept {
    return alignment <= 1 ? 0 : static_cast<std::uint8_t>(63 - __builtin_clzll(alignment));
}

std::size_t Length(const char* text) noexcept {
    std::size_t length = 0;  // bare metal has no strlen
    while (text != nullptr && length < events::kMaxText && text[length] != '\0') ++length;
    return length;
}

Event Of(EventKind kind, AllocatorId allocator) noexcept {
    Event event;
    event.kind = kind;
    event.allocator = allocator;
    return event;
}

}  // namespace

std::uint64_t KindId(const char* kind) noexcept {
    std::uint64_t id = 0xCBF29CE484222325;
    for (; *kind != '\0'; ++kind) id = (id ^ static_cast<unsigned char>(*kind)) * 0x100000001B3;
    return id;
}

void Emitter::Attach(events::EventSink* sink, const char* name, const Created& created, AllocatorId parent,
                     const char* kind) noexcept {
    Destroyed();
    sink_ = sink;
    id_ = {};
    if (sink == nullptr) return;
    id_ = sink->NextAllocatorId();
    Event event = Of(EventKind::AllocatorCreated, id_);
    event.address = created.base;
    event.size = created.bytes;
    event.rounding = created.bookkeeping;
    event.header = parent.value;
    event.argument = kind == nullptr ? 0 : KindId(kind);
    events::EmitText(*sink, event, name, Length(name));
}

void Emitter::EmitDestroyed() noexcept { events::EmitNow(*sink_, Of(EventKind::AllocatorDestroyed, id_)); }

void Emitter::EmitDuck(const char* text, std::size_t length) noexcept {
    events::EmitText(*sink_, Of(EventKind::Duck, id_), text, length);
}

void Emitter::EmitBlock(EventKind kind, const Block& block, std::size_t alignment, std::uint64_t argument,
                        events::EventFlag flag) noexcept {
    Event event = Of(kind, id_);
    event.address = block.address;
    event.size = block.size;
    event.rounding = block.rounding;
    event.padding = block.padding;
    event.slack = block.slack;
    event.header = block.header;
    event.alignmentLog2 = Log2(alignment);
    event.argument = argument;
    event.flags = events::Bit(flag);
    event.trace = sink_->Capture(kOwnFrames);
    events::EmitNow(*sink_, event);
}

void Emitter::EmitPlain(EventKind kind, std::uintptr_t address, std::uint64_t size, std::uint64_t bookkeeping,
                        events::EventFlag flag, std::uint64_t argument) noexcept {
    Event event = Of(kind, id_);
    event.address = address;
    event.size = size;
    event.rounding = bookkeeping;
    event.argument = argument;
    event.flags = events::Bit(flag);
    if (event.EndsCall()) event.trace = sink_->Capture(kOwnFrames);
    events::EmitNow(*sink_, event);
}

void Emitter::EmitMark(std::uintptr_t address, std::uint64_t mark) noexcept {
    Event event = Of(EventKind::Marker, id_);
    event.address = address;
    event.argument = mark;
    event.flags = events::Bit(events::EventFlag::IsCall);
    event.trace = sink_->Capture(kOwnFrames);
    constexpr char kText[] = "mark";
    events::EmitText(*sink_, event, kText, sizeof kText - 1);
}

void Emitter::EmitFailure(EventKind kind, const Request& request, MemoryError error) noexcept {
    Event event = Of(kind, id_);
    event.error = static_cast<std::uint8_t>(error);
    event.size = request.bytes;
    event.alignmentLog2 = Log2(request.alignment);
    event.argument = request.freeBytes;
    event.address = request.largestHole;
    event.trace = sink_->Capture(kOwnFrames);
    events::EmitNow(*sink_, event);
}

void Emitter::EmitFreeFailed(MemoryError error, std::uintptr_t pointer, std::uintptr_t nearest) noexcept {
    Event event = Of(EventKind::FreeFailed, id_);
    event.error = static_cast<std::uint8_t>(error);
    event.address = pointer;
    event.argument = nearest;
    event.size = nearest == 0 ? 0 : pointer - nearest;
    event.trace = sink_->Capture(kOwnFrames);
    events::EmitNow(*sink_, event);
}

}  // namespace residue::alloc
