#include "events/sink.hpp"

#include <cstring>

namespace residue::events {

void EmitText(EventSink& sink, Event event, const char* text, std::size_t length) noexcept {
    constexpr std::size_t kMostContinuations = kMaxText / kContinuationBytes;
    if (length > kMaxText) {
        length = kMaxText;
        // Not in the middle of a UTF-8 character: back over the bytes that continue one.
        for (int i = 0; i < 3 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80; ++i) --length;
    }
    Event records[1 + kMostContinuations];
    records[0] = event;
    std::size_t count = 1;
    if (length != 0) records[0].flags = static_cast<std::uint8_t>(event.flags | Bit(EventFlag::HasText));
    for (std::size_t at = 0; at < length; at += kContinuationBytes) {
        const std::size_t used = length - at < kContinuationBytes ? length - at : kContinuationBytes;
        Continuation part{};
        std::memcpy(part.bytes, text + at, used);
        part.used = static_cast<std::uint8_t>(used);
        part.kind = EventKind::Continuation;
        part.last = at + used == length ? 1 : 0;
        std::memcpy(static_cast<void*>(&records[count++]), &part, sizeof part);
    }
    const std::uint64_t stamp = sink.Begin();
    sink.Emit(records, count, stamp);
}

}  // namespace residue::events
