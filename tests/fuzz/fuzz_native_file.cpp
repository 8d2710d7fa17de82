// The reader of native files on any bytes. Checksums are put right first (a fuzzer cannot guess them), so that it
// reaches what lies behind; whatever opens must be a legal log that is written and read again without a difference.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "log/appender.hpp"
#include "log/events.hpp"
#include "log/native_file.hpp"
#include "log/native_format.hpp"

namespace {

using namespace residue;
using namespace residue::log;

struct MemoryOutput final : NativeOutput {
    std::vector<std::byte> bytes;
    Outcome<void> Write(std::span<const std::byte> more) override {
        bytes.insert(bytes.end(), more.begin(), more.end());
        return {};
    }
};

void Put(std::span<std::byte> to, std::uint32_t value) { std::memcpy(to.data(), &value, sizeof(value)); }

void PutChecksumsRight(std::span<std::byte> file) {
    if (file.size() < native::kFileHeaderBytes) return;
    Put(file.subspan(12), Crc32c(file.first(12)));
    for (std::size_t at = native::kFileHeaderBytes; file.size() - at >= native::kChunkHeaderBytes;) {
        const auto header = file.subspan(at, native::kChunkHeaderBytes);
        std::uint64_t length = 0;
        std::memcpy(&length, header.data() + 8, sizeof(length));
        at += native::kChunkHeaderBytes;
        const bool there = length <= file.size() - at;
        if (there) Put(header.subspan(24), Crc32c(file.subspan(at, static_cast<std::size_t>(length))));
        Put(header.subspan(28), Crc32c(header.first(28)));
        if (!there) return;
        at += static_cast<std::size_t>(length);
    }
}

std::string Saved(const LogView& log) {
    MemoryOutput output;
    NativeStream stream(output);
    fuzz::Require(stream.Finish(log).has_value());
    return {reinterpret_cast<const char*>(output.bytes.data()), output.bytes.size()};
}

}  // namespace

namespace residue::fuzz {

std::vector<std::string> Seeds() {
    using namespace residue::log::testing;
    EventLog log(SourceInfo{"seed", "made", Clock::Steps, 0, false});
    log.NameFrame(0x4000, {"main", "main.c", 3});
    log.AddTrace(log.AddTrace({}, 0x4000), 0x5000);
    Appender appender(log);
    appender.Append(Make(EventKind::AllocatorCreated, 0x1000, 0x1000), "heap");
    for (std::uint64_t i = 0; i < 20; ++i) {
        Event event = i % 3 == 2 ? Freed(0x1000 + (i - 1) * 32) : Allocated(0x1000 + i * 32, 8 + i);
        event.stamp = i;
        event.trace = TraceId{static_cast<std::uint32_t>(i % 3)};
        appender.Append(event, {});
    }
    appender.Append(ResizeBegins(0x1000, 64), {});
    appender.Append(ResizeEnds(0x1000, 0x3000, 64), {});
    appender.Append(Make(EventKind::Output), "text");
    appender.Append(Make(EventKind::BulkFreed, 0x1000, 0x100), {});
    return {Saved(EventLog().View()), Saved(log.View())};
}

}  // namespace residue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto* const first = reinterpret_cast<const std::byte*>(data);
    {
        EventLog untouched;
        (void)ReadNativeBytes("fuzz", {first, size}, untouched);
    }
    std::vector<std::byte> file(first, first + size);
    PutChecksumsRight(file);
    EventLog log;
    const auto read = ReadNativeBytes("fuzz", file, log);
    const LogView view = log.View();
    if (view.Rows().value > 20000) return 0;  // a few bytes can be many equal rows: checked, but not for seconds
    const bool mayOverlap = size > 8 && file[8] >= std::byte{2};
    fuzz::Require(residue::log::testing::Illegal(view, mayOverlap).empty());
    if (!read) return 0;
    const std::string saved = Saved(view);
    EventLog again;
    const auto readAgain = ReadNativeBytes("fuzz", std::as_bytes(std::span(saved.data(), saved.size())), again);
    fuzz::Require(readAgain && readAgain->whole);
    fuzz::Require(residue::log::testing::Difference(view, again.View()).empty());
    return 0;
}
