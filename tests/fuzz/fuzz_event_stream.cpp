// The reader of event streams on any bytes. Checksums are put right first (a fuzzer cannot guess them), so that it
// reaches what lies behind; whatever opens must be a legal log, and the same log however the bytes are cut in pieces.
#include <bit>
#include <cstring>
#include <string>

#include "events/stream_sink.hpp"
#include "fuzz/fuzz.hpp"
#include "import/event_stream.hpp"
#include "log/crc32c.hpp"
#include "log/events.hpp"

namespace {

using namespace residue;
using namespace residue::log::testing;
namespace stream = events::stream;

void ToString(void* context, const void* bytes, std::size_t count) {
    static_cast<std::string*>(context)->append(static_cast<const char*>(bytes), count);
}

void PutChecksumsRight(std::string& bytes) {
    for (std::size_t mark = 0; (mark = bytes.find(std::string(stream::kMark, 4), mark)) != std::string::npos; ++mark) {
        if (bytes.size() - mark < stream::kHeaderBytes) return;
        std::size_t at = mark + stream::kHeaderBytes;
        for (int records = static_cast<unsigned char>(bytes[mark + 5]); records > 0; --records) {
            if (at > bytes.size() || bytes.size() - at < stream::kMaskBytes) return;
            std::uint64_t mask = 0;
            std::memcpy(&mask, bytes.data() + at, sizeof mask);
            at += stream::kMaskBytes + static_cast<std::size_t>(std::popcount(mask));
        }
        if (at > bytes.size() || bytes.size() - at < stream::kChecksumBytes) return;
        const auto checksum = log::Crc32c(std::as_bytes(std::span(bytes.data() + mark, at - mark)));
        std::memcpy(bytes.data() + at, &checksum, sizeof checksum);
        mark = at;
    }
}

void Check(std::string_view bytes) {
    log::EventLog log;
    const auto read = import::ReadEventStreamBytes("fuzz", bytes, log);
    if (import::LooksLikeEventStream(bytes)) fuzz::Require(read.has_value() || !read.error().what.empty());
    if (!read) return;
    fuzz::Require(Illegal(log.View()).empty());
    fuzz::Require(read->events <= bytes.size() / 20);
    log::EventLog again;
    import::EventStreamReader reader("fuzz", again);
    for (std::size_t at = 0, piece = 1; at < bytes.size(); at += piece, piece = piece * 3 % 257) {
        fuzz::Require(reader.Feed(bytes.substr(at, piece)).has_value());
    }
    const auto summary = reader.Finish();
    fuzz::Require(summary && summary->warnings.size() == read->warnings.size());
    fuzz::Require(Difference(log.View(), again.View()).empty());
}

}  // namespace

namespace residue::fuzz {

std::vector<std::string> Seeds() {
    std::string bytes;
    events::StreamSink sink(
        {.write = ToString, .context = &bytes, .name = "seed", .traceDepth = 4, .stack = events::OwnStack()});
    events::EmitText(sink, Make(EventKind::AllocatorCreated, 0x1000, 0x1000), "heap", 4);
    for (std::uint64_t i = 0; i < 6; ++i) {
        Event event = i % 3 == 2 ? Freed(0x1000 + (i - 1) * 32) : Allocated(0x1000 + i * 32, 8 + i);
        event.trace = sink.Capture(0);
        events::EmitNow(sink, event);
        if (i == 3) bytes += "the kernel says hello\n";
    }
    events::EmitNow(sink, ResizeBegins(0x1000, 64));
    events::EmitNow(sink, ResizeEnds(0x1000, 0x3000, 64));
    events::EmitNow(sink, Make(EventKind::BulkFreed, 0x1000, 0x100));
    const std::string open = bytes;
    sink.End();
    return {bytes, open + bytes, "noise" + bytes.substr(bytes.size() / 2)};
}

}  // namespace residue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string bytes(reinterpret_cast<const char*>(data), size);
    Check(bytes);
    PutChecksumsRight(bytes);
    Check(bytes);
    return 0;
}
