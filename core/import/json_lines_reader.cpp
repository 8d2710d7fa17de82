// JSON Lines, our own: one object a line. What it may hold: core/export/README.md. Written by
// export/json_lines_writer.cpp; also by anybody's program, so only "event" must be there.
#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <unordered_map>
#include <vector>

#include "events/event_names.hpp"
#include "import/json_object.hpp"
#include "import/recording_format.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

using events::Event;
using events::EventKind;

constexpr const char* kExpected = "an object with \"event\", \"trace\" or \"residue\"; see core/export/README.md";
constexpr std::uint64_t kVersion = 1;


class JsonLinesReader {
public:
    JsonLinesReader(LineBlocks& lines, RecordingOutput& output) : lines_(lines), output_(output) {}
    Outcome<void> Read();

private:
    bool ReadLine(const char* at);
    bool TakeHeader(const char* at);
    bool TakeTrace(const char* at);
    bool TakeEvent(const char* at);
    void BeginWithoutHeader();
    TraceId OurTrace(std::uint64_t number);

    LineBlocks& lines_;
    RecordingOutput& output_;
    std::uint64_t line_ = 0;
    bool begun_ = false;
    bool ours_ = false;  // has our header: every event says all that it is
    std::uint64_t steps_ = 0;
    // By their numbers in the file, which mostly are 1, 2, 3, ...
    std::vector<std::uint32_t> traces_{0};
    std::unordered_map<std::uint64_t, std::uint32_t> otherTraces_;
    std::string text_;
};

bool Is(std::string_view key, std::string_view name) { return key == name; }

// Bytes as hexadecimal digits.
bool BytesOf(const JsonValue& value, std::string& bytes) {
    if (value.type != JsonValue::Type::String || value.text.size() % 2 != 0) return false;
    bytes.clear();
    for (std::size_t i = 0; i < value.text.size(); i += 2) {
        const std::uint8_t high = detail::kHexDigits[static_cast<unsigned char>(value.text[i])];
        const std::uint8_t low = detail::kHexDigits[static_cast<unsigned char>(value.text[i + 1])];
        if (high > 15 || low > 15) return false;
        bytes += static_cast<char>(high << 4 | low);
    }
    return true;
}

// A text under `key`, or its bytes under `key`_hex where they are no UTF-8. False: neither.
bool TakeText(std::string_view given, std::string_view key, const JsonValue& value, std::string& to, bool& good) {
    if (!given.starts_with(key)) return false;
    given.remove_prefix(key.size());
    if (given == "_hex") {
        good = BytesOf(value, to) && good;
        return true;
    }
    if (!given.empty()) return false;
    auto text = TextOf(value);
    good = text && good;
    if (text) to = std::move(*text);
    return true;
}

template <class Number>
bool Set(Number& to, const JsonValue& value) {
    const auto number = NumberOf(value);
    if (!number || *number > std::numeric_limits<Number>::max()) return false;
    to = static_cast<Number>(*number);
    return true;
}

bool SetFlags(std::uint8_t& flags, const JsonValue& value) {
    bool known = true;
    const bool list = ScanList(value, [&](std::string_view word) {
        bool found = false;
        for (const events::FlagName& flag : events::kFlagNames) {
            if (flag.name != word) continue;
            flags |= events::Bit(flag.flag);
            found = true;
        }
        known = known && found;
    });
    return list && known;
}

bool SetError(Event& event, const JsonValue& value) {
    if (Set(event.error, value)) return true;
    for (std::uint8_t error = 1; error < events::kMostErrors; ++error) {
        const std::string_view name = events::ErrorName(event.kind, error);
        if (name.empty() || value.type != JsonValue::Type::String || value.text != name) continue;
        event.error = error;
        return true;
    }
    return false;
}

bool SetAlignment(Event& event, const JsonValue& value) {
    const auto alignment = NumberOf(value);
    if (!alignment || !std::has_single_bit(*alignment)) return false;
    event.alignmentLog2 = static_cast<std::uint8_t>(std::countr_zero(*alignment));
    return true;
}

// One field of an event. False: its value is none.
bool SetField(Event& event, std::string_view key, const JsonValue& value, std::string& text) {
    if (Is(key, "stamp")) return Set(event.stamp, value);
    if (Is(key, "address")) return Set(event.address, value);
    if (Is(key, "size")) return Set(event.size, value);
    if (Is(key, "allocator")) return Set(event.allocator.value, value);
    if (Is(key, "thread")) return Set(event.thread.value, value);
    if (Is(key, "argument") || Is(key, "old_address")) return Set(event.argument, value);
    if (Is(key, "rounding")) return Set(event.rounding, value);
    if (Is(key, "padding")) return Set(event.padding, value);
    if (Is(key, "slack")) return Set(event.slack, value);
    if (Is(key, "header") || Is(key, "parent")) return Set(event.header, value);
    if (Is(key, "alignment")) return SetAlignment(event, value);
    if (Is(key, "error")) return SetError(event, value);
    if (Is(key, "flags")) return SetFlags(event.flags, value);
    bool good = true;
    TakeText(key, "text", value, text, good);
    return good;  // other keys are somebody else's
}

// Files of other programs need not create an allocator, and mean the first one where they name none.
void JsonLinesReader::BeginWithoutHeader() {
    if (std::exchange(begun_, true)) return;
    output_.CreateAllocator(AllocatorId{1}, "malloc", line_);
}

TraceId JsonLinesReader::OurTrace(std::uint64_t number) {
    if (number < traces_.size()) return TraceId{traces_[number]};
    const auto other = otherTraces_.find(number);
    return other == otherTraces_.end() ? TraceId{} : TraceId{other->second};
}

bool JsonLinesReader::TakeHeader(const char* at) {
    log::SourceInfo& source = output_.Source();
    std::uint64_t version = kVersion;
    bool good = true;
    const bool whole = ScanObject(at, [&](std::string_view key, const JsonValue& value) {
        if (Is(key, "version")) good = Set(version, value) && good;
        TakeText(key, "name", value, source.name, good);
        TakeText(key, "provenance", value, source.provenance, good);
        if (Is(key, "clock")) source.clock = value.text == "ticks" ? log::Clock::Ticks : log::Clock::Steps;
        if (Is(key, "ticks_per_second")) {
            const char* const end = value.text.data() + value.text.size();
            good = std::from_chars(value.text.data(), end, source.ticksPerSecond).ec == std::errc() && good;
        }
        if (Is(key, "layout_simulated")) source.layoutSimulated = value.text == "true";
        if (Is(key, "payloads_only")) good = Set(source.payloadsOnly.value, value) && good;
    });
    if (!whole || !good) return false;
    if (version > kVersion) {
        output_.Warn(line_, [&] {
            return fmt::format("version {} of JSON Lines: read as version {}", version, kVersion);
        });
    }
    output_.TellSource();
    ours_ = begun_ = true;
    return true;
}

// {"trace":2,"parent":1,"frame":"0x401a2b","function":"main","file":"a.c","line":12}
bool JsonLinesReader::TakeTrace(const char* at) {
    std::uint64_t number = 0, parent = 0, frame = 0;
    log::Frame name;
    bool good = true, named = false;
    const bool whole = ScanObject(at, [&](std::string_view key, const JsonValue& value) {
        if (Is(key, "trace")) good = Set(number, value) && good;
        if (Is(key, "parent")) good = Set(parent, value) && good;
        if (Is(key, "frame")) good = Set(frame, value) && good;
        if (Is(key, "line")) good = Set(name.line, value) && good;
        named = TakeText(key, "function", value, name.function, good) || named;
        named = TakeText(key, "file", value, name.file, good) || named;
    });
    if (!whole || !good || number == 0 || OurTrace(number)) return false;
    if (named) output_.Log().NameFrame(frame, std::move(name));
    const TraceId trace = output_.Log().AddTrace(OurTrace(parent), frame);
    if (number == traces_.size()) {
        traces_.push_back(trace.value);
    } else {
        otherTraces_.emplace(number, trace.value);
    }
    return true;
}

bool JsonLinesReader::TakeEvent(const char* at) {
    // Which kind it is decides what a field means, and may come last.
    std::optional<EventKind> kind;
    const char* scan = at;
    const bool whole = ScanObject(scan, [&](std::string_view key, const JsonValue& value) {
        if (Is(key, "event") && value.type == JsonValue::Type::String) kind = events::KindNamed(value.text);
    });
    if (!whole || !kind || *kind == EventKind::Continuation) return false;
    Event event;
    event.kind = *kind;
    event.stamp = ours_ ? 0 : steps_;
    event.allocator = AllocatorId{static_cast<std::uint16_t>(ours_ ? 0 : 1)};
    text_.clear();
    std::uint64_t trace = 0;
    bool good = true;
    ScanObject(at, [&](std::string_view key, const JsonValue& value) {
        good = good && (Is(key, "trace") ? Set(trace, value) : SetField(event, key, value, text_));
    });
    if (!good) return false;
    if (trace != 0) event.trace = OurTrace(trace);
    BeginWithoutHeader();
    ++steps_;
    event.flags = static_cast<std::uint8_t>(event.flags & ~events::Bit(events::EventFlag::HasText));
    if (text_.empty()) {
        output_.Add(event.kind, line_) = event;
    } else {
        if (text_.size() > events::kMaxText) text_.resize(events::kMaxText);
        output_.AddWithText(event, text_, line_);
    }
    return true;
}

bool JsonLinesReader::ReadLine(const char* at) {
    bool header = false, event = false, trace = false;
    const char* scan = at;
    const bool whole = ScanObject(scan, [&](std::string_view key, const JsonValue&) {
        header = header || Is(key, "residue");
        event = event || Is(key, "event");
        trace = trace || Is(key, "trace");
    });
    SkipBlanks(scan);
    if (!whole || *scan != '\n') return false;
    if (event) return TakeEvent(at);
    if (header) return TakeHeader(at);
    return trace && TakeTrace(at);
}

Outcome<void> JsonLinesReader::Read() {
    output_.Format() = "JSON Lines";
    for (;;) {
        const auto block = lines_.Next();
        if (!block) return Fail(block.error());
        if (block->empty()) return {};
        const char* const end = block->data() + block->size();
        for (const char* at = block->data(); at != end;) {
            ++line_;
            const char* const lineEnd = LineEnd(at, end);
            SkipBlanks(at);
            if (at != lineEnd && !ReadLine(at)) {
                output_.WarnOfLine(line_, {at, static_cast<std::size_t>(lineEnd - at)}, kExpected);
            }
            at = lineEnd + 1;
        }
    }
}

Outcome<void> Read(LineBlocks& lines, RecordingOutput& output) { return JsonLinesReader(lines, output).Read(); }

bool Recognise(std::string_view start) {
    if (!start.starts_with('{')) return false;
    const std::string first = std::string(start.substr(0, start.find('\n'))) + '\n';
    const char* at = first.c_str();
    bool known = false;
    const bool whole = ScanObject(at, [&](std::string_view key, const JsonValue& value) {
        known = known || (Is(key, "residue") && value.text == "events") || Is(key, "event") || Is(key, "trace");
    });
    return whole && known;
}

}  // namespace

const RecordingFormat kJsonLinesFormat = {Recognise, Read};

}  // namespace residue::import
