#include "export/json_lines_writer.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <unordered_set>

#include "events/event_names.hpp"
#include "export/atomic_file.hpp"
#include "export/text.hpp"

namespace residue::exports {
namespace {

using events::Event;
using events::EventFlag;
using events::EventKind;

constexpr std::uint64_t kCancelEvery = 4096;

// One object, key by key, into a buffer that is used again.
class Line {
public:
    void Begin(std::string_view key, std::string_view word) {
        buffer_.clear();
        fmt::format_to(std::back_inserter(buffer_), "{{\"{}\":\"{}\"", key, word);
    }
    void Begin(std::string_view key, std::uint64_t number) {
        buffer_.clear();
        fmt::format_to(std::back_inserter(buffer_), "{{\"{}\":{}", key, number);
    }
    template <class Value>
    void Number(std::string_view key, Value value) {
        fmt::format_to(std::back_inserter(buffer_), ",\"{}\":{}", key, value);
    }
    void Address(std::string_view key, std::uint64_t value) {
        fmt::format_to(std::back_inserter(buffer_), ",\"{}\":\"{:#x}\"", key, value);
    }
    void Word(std::string_view key, std::string_view word) {
        fmt::format_to(std::back_inserter(buffer_), ",\"{}\":\"{}\"", key, word);
    }
    // Any text; bytes that are no UTF-8 under key_hex.
    void Text(std::string_view key, std::string_view text) {
        if (IsUtf8(text)) {
            fmt::format_to(std::back_inserter(buffer_), ",\"{}\":\"", key);
            for (const char c : text) Put(c);
        } else {
            fmt::format_to(std::back_inserter(buffer_), ",\"{}_hex\":\"", key);
            for (const char c : text) {
                fmt::format_to(std::back_inserter(buffer_), "{:02x}", static_cast<unsigned char>(c));
            }
        }
        buffer_.push_back('"');
    }
    void Flags(std::uint8_t flags) {
        const char* before = ",\"flags\":[\"";
        for (const events::FlagName& flag : events::kFlagNames) {
            if ((flags & events::Bit(flag.flag)) == 0) continue;
            fmt::format_to(std::back_inserter(buffer_), "{}{}\"", before, flag.name);
            before = ",\"";
        }
        buffer_.push_back(']');
    }
    std::string_view End() {
        buffer_.push_back('}');
        buffer_.push_back('\n');
        return {buffer_.data(), buffer_.size()};
    }

private:
    void Put(char c) {
        if (c == '"' || c == '\\') {
            buffer_.push_back('\\');
            buffer_.push_back(c);
        } else if (static_cast<unsigned char>(c) < 0x20) {
            fmt::format_to(std::back_inserter(buffer_), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
            buffer_.push_back(c);
        }
    }

    fmt::memory_buffer buffer_;
};

class Writer {
public:
    Writer(const log::LogView& log, AtomicFile& file) : log_(log), file_(file) {}

    void Header() {
        const log::SourceInfo& source = log_.Source();
        line_.Begin("residue", "events");
        line_.Number("version", 1);
        line_.Text("name", source.name);
        line_.Text("provenance", source.provenance);
        line_.Word("clock", source.clock == log::Clock::Ticks ? "ticks" : "steps");
        line_.Number("ticks_per_second", source.ticksPerSecond);  // as short as it is read back the same
        line_.Number("layout_simulated", source.layoutSimulated);
        if (source.payloadsOnly) line_.Number("payloads_only", source.payloadsOnly.value);
        file_.Write(line_.End());
    }

    // Traces come before the first event that has them, in order.
    void TracesUpTo(std::uint32_t last) {
        for (; traces_ < last && traces_ < log_.Traces(); ++traces_) {
            const TraceId trace{traces_ + 1};
            const std::uint64_t frame = log_.FrameAddress(trace);
            line_.Begin("trace", trace.value);
            if (const TraceId parent = log_.ParentTrace(trace)) line_.Number("parent", parent.value);
            line_.Address("frame", frame);
            if (named_.insert(frame).second) {
                const log::Frame name = log_.TopFrame(trace);
                line_.Text("function", name.function);
                if (!name.file.empty()) line_.Text("file", name.file);
                if (name.line != 0) line_.Number("line", name.line);
            }
            file_.Write(line_.End());
        }
    }

    void EventAt(Row row) {
        const Event event = log_.At(row).event;
        TracesUpTo(event.trace.value);
        std::string kind(events::Info(event.kind).text);
        for (char& c : kind) c = c == ' ' ? '_' : c;
        line_.Begin("event", kind);
        const auto number = [this](std::string_view key, std::uint64_t value) {
            if (value != 0) line_.Number(key, value);
        };
        number("stamp", event.stamp);
        number("allocator", event.allocator.value);
        number("thread", event.thread.value);
        if (event.address != 0) line_.Address("address", event.address);
        number("size", event.size);
        if (event.kind == EventKind::ResizeEnds && event.argument != 0) {
            line_.Address("old_address", event.argument);
        } else {
            number("argument", event.argument);
        }
        number("rounding", event.rounding);
        number("padding", event.padding);
        number("slack", event.slack);
        number(event.kind == EventKind::AllocatorCreated ? "parent" : "header", event.header);
        if (event.alignmentLog2 != 0) line_.Number("alignment", std::uint64_t{1} << (event.alignmentLog2 & 63));
        Error(event);
        const auto flags = static_cast<std::uint8_t>(event.flags & ~events::Bit(EventFlag::HasText));
        if (flags != 0) line_.Flags(flags);
        number("trace", event.trace.value);
        if (const std::string_view text = log_.Text(row); !text.empty()) line_.Text("text", text);
        file_.Write(line_.End());
    }

private:
    void Error(const Event& event) {
        if (event.error == 0) return;
        const std::string_view name = events::ErrorName(event.kind, event.error);
        if (name.empty()) {
            line_.Number("error", event.error);
        } else {
            line_.Word("error", name);
        }
    }

    const log::LogView& log_;
    AtomicFile& file_;
    Line line_;
    std::uint32_t traces_ = 0;  // written
    std::unordered_set<std::uint64_t> named_;
};

}  // namespace

Outcome<void> WriteJsonLines(const log::LogView& log, const std::string& path, const WriteExtras& extras) {
    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    Writer writer(log, *file);
    writer.Header();
    for (Row row{}; row < log.Rows(); ++row) {
        const bool stop = extras.cancelled != nullptr && extras.cancelled->load(std::memory_order_relaxed);
        if (row.value % kCancelEvery == 0 && stop) return Fail(Failure{"", "cancelled", ""});
        if (row.value % kCancelEvery == 0 && extras.progress != nullptr) {
            const double share = static_cast<double>(row.value) / static_cast<double>(log.Rows().value);
            extras.progress->store(share, std::memory_order_relaxed);
        }
        if (file->Failed()) break;
        writer.EventAt(row);
    }
    writer.TracesUpTo(log.Traces());
    const Outcome<void> done = file->Commit();
    if (done && extras.summary != nullptr) *extras.summary = {.operations = log.Rows().value};
    return done;
}

}  // namespace residue::exports
