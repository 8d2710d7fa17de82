// heaptrack's recordings, versions 0 to 3, raw (`heaptrack -r`) and interpreted (what heaptrack leaves by default). A
// line is a letter, a blank, and hexadecimal numbers; what the letters mean:
//
//   v  versions             X  command line, may go over lines      I  page size     A  attached: begins late
//   x  program (raw)        m  module and where it is (raw)         s  a string, numbered from 1 (interpreted)
//   i  a place in the code: address, module, then function, file and line of each frame there, innermost first
//   t  a call trace: address or number of an i, and the trace of its caller, numbered from 1
//   a  a class of blocks: size and trace, numbered from 0 (interpreted, version 1 on)
//   +  allocated: size, trace, address; or the number of a class    -  freed: the address; or the number of a class
//   c  milliseconds since the start    R  resident memory           S, #  nothing of ours
//
// Classes have no addresses: which block of a class is freed was not recorded. The one that is taken is the youngest,
// and all of them lie in a simulated layout (simulated_layout.hpp).
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "import/block_classes.hpp"
#include "import/heaptrack_names.hpp"
#include "import/recording_format.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

using events::Event;
using events::EventFlag;
using events::EventKind;

constexpr std::uint64_t kTicksPerMillisecond = 1000;
constexpr std::uint64_t kMostMilliseconds = std::uint64_t{1} << 36;  // two years
// Events that wait for the time at which they ended: far more than a program makes in the 10 ms between two times.
constexpr std::size_t kMostWaiting = std::size_t{1} << 15;
constexpr std::size_t kCommandBytes = std::size_t{128} << 10;  // how far a command may go over lines
constexpr std::uint64_t kNewestVersion = 3;

class HeaptrackReader {
public:
    HeaptrackReader(LineBlocks& lines, RecordingOutput& output) : lines_(lines), output_(output) {}
    Outcome<void> Read();

private:
    void ReadBlock(const char* at, const char* end);
    bool ReadLine(const char*& at, const char* end);
    bool AllocatedOrFreed(const char*& at);
    bool OfClass(std::uint64_t index, bool isFree);
    bool Class(const char*& at);
    bool Trace(const char*& at);
    bool Place(const char*& at);
    bool Time(const char*& at);
    bool Version(const char*& at);
    bool Module(const char*& at, const char* end);
    bool Text(const char*& at, const char* end, std::string_view& text);
    void SkipCommand(const char*& at, const char* end);
    void Spread(std::uint64_t from, std::uint64_t to);
    void Describe();

    // At the last time that was written, until the next one tells better.
    Event& Add(EventKind kind, std::uint64_t line) {
        Event& event = output_.Add(kind, line);
        event.stamp = time_ * kTicksPerMillisecond;
        return event;
    }
    TraceId OurTrace(std::uint64_t number) {
        if (number < traces_.size()) return TraceId{traces_[number]};
        ++unknownTraces_;
        return {};
    }

    LineBlocks& lines_;
    RecordingOutput& output_;
    std::uint64_t line_ = 0;
    std::optional<std::uint64_t> version_;
    bool lengthsGiven_ = false;  // before texts: version 3
    bool classes_ = false;       // interpreted, without addresses
    bool addresses_ = false;     // there were events with addresses
    bool places_ = false;        // interpreted: traces name places

    std::shared_ptr<InterpretedNames> names_;
    std::shared_ptr<RawNames> rawNames_;
    std::string program_;
    struct PlaceFrames {
        std::uint64_t first;  // frame number of the innermost
        std::uint32_t count;
    };
    std::vector<PlaceFrames> placeFrames_;
    std::vector<std::uint32_t> traces_{0};  // by heaptrack's number
    BlockClasses blockClasses_;

    std::uint64_t time_ = 0;  // ms
    std::uint64_t unknownTraces_ = 0;
    std::uint64_t freesOfNone_ = 0;
    std::uint64_t firstFreeOfNone_ = 0;  // its line
};

// Lines that are whole, each with its end.
void HeaptrackReader::ReadBlock(const char* at, const char* end) {
    while (at != end) {
        ++line_;
        const char* const start = at;
        // Nearly all lines are these.
        const bool isEvent = (*at == '+' || *at == '-') && at[1] == ' ';
        if (isEvent ? AllocatedOrFreed(at) : ReadLine(at, end)) {
            if (*at == '\n') {
                ++at;
                continue;
            }
            SkipBlanks(at);
            if (*at == '\n') {
                ++at;
                continue;
            }
        }
        const char* const lineEnd = LineEnd(at, end);
        output_.WarnOfLine(line_, {start, static_cast<std::size_t>(lineEnd - start)}, "a line of heaptrack's");
        at = lineEnd + 1;
    }
}

// False: it is none of heaptrack's. Else `at` is behind what was read of it.
bool HeaptrackReader::ReadLine(const char*& at, const char* end) {
    const char letter = *at;
    if (letter == '\n') return true;
    if (letter == '#') {
        at = LineEnd(at, end);
        return true;
    }
    if (letter == 'A' && (at[1] == '\n' || IsBlank(at[1]))) {
        ++at;
        Event attached;
        attached.kind = EventKind::Marker;
        attached.stamp = time_ * kTicksPerMillisecond;
        output_.AddWithText(attached, "heaptrack was attached here: blocks from before are not known", line_);
        return true;
    }
    if (at[1] != ' ') return false;
    at += 2;
    switch (letter) {
        case 't': return Trace(at);
        case 'a': return Class(at);
        case 'i': return Place(at);
        case 'c': return Time(at);
        case 's': {
            std::string_view text;
            if (!Text(at, end, text)) return false;
            if (names_ == nullptr) {
                names_ = std::make_shared<InterpretedNames>();
                output_.Log().SetSymbolizer(names_);
            }
            names_->AddString(text);
            return true;
        }
        case 'm': return Module(at, end);
        case 'v': return Version(at);
        case 'x': {
            std::string_view text;
            if (!Text(at, end, text)) return false;
            program_ = text;
            return true;
        }
        case 'X': SkipCommand(at, end); return true;
        case 'R':
        case 'I':
        case 'S': at = LineEnd(at, end); return true;
        default: return false;
    }
}

bool HeaptrackReader::Version(const char*& at) {
    std::uint64_t program = 0, file = 0;
    if (!ScanHex(at, program)) return false;
    SkipBlanks(at);
    const bool given = ScanHex(at, file);
    if (version_) return true;
    version_ = given ? file : (program >= 0x10200 ? 1 : 0);  // 1.2 wrote the first files with a version
    lengthsGiven_ = *version_ >= 3;
    if (*version_ > kNewestVersion) {
        output_.Warn(line_, [&] {
            return fmt::format("heaptrack's file version {}: read as version {}, the newest that is known", *version_,
                               kNewestVersion);
        });
    }
    return true;
}

// A command line is written as it is, its line ends too; what follows it then is no line of heaptrack's until the I.
void HeaptrackReader::SkipCommand(const char*& at, const char* end) {
    const char* const lineEnd = LineEnd(at, end);
    const std::string_view rest(lineEnd, std::min(static_cast<std::size_t>(end - lineEnd), kCommandBytes));
    at = lineEnd;
    for (std::size_t next = 0; (next = rest.find("\nI ", next)) != std::string_view::npos; ++next) {
        const char* number = lineEnd + next + 3;
        std::uint64_t pageBytes = 0, pages = 0;
        if (!ScanHex(number, pageBytes) || *number != ' ' || !ScanHex(++number, pages) || *number != '\n') continue;
        for (std::size_t i = 0; i < next; ++i) line_ += rest[i] == '\n' ? 1 : 0;
        at = lineEnd + next;
        return;
    }
}

// With its length before it from version 3 on, else up to the end of the line.
bool HeaptrackReader::Text(const char*& at, const char* end, std::string_view& text) {
    if (lengthsGiven_) {
        std::uint64_t length = 0;
        const char* from = at;
        if (!ScanHex(from, length) || *from != ' ') return false;
        ++from;
        if (length >= static_cast<std::size_t>(end - from)) return false;
        text = {from, length};
        for (const char c : text) line_ += c == '\n' ? 1 : 0;
        at = from + length;
        return true;
    }
    const char* const lineEnd = LineEnd(at, end);
    text = {at, static_cast<std::size_t>(lineEnd - at)};
    if (text.ends_with('\r')) text.remove_suffix(1);
    at = lineEnd;
    return true;
}

// m NAME BASE (ADDRESS BYTES)*: where the segments of a module are. m 1 -: all are told of anew.
bool HeaptrackReader::Module(const char*& at, const char* end) {
    if (rawNames_ == nullptr) {
        rawNames_ = std::make_shared<RawNames>();
        output_.Log().SetSymbolizer(rawNames_);
    }
    std::string_view name;
    if (lengthsGiven_) {
        if (!Text(at, end, name)) return false;
    } else {
        // The numbers are what is behind the last part of the name that is none.
        const char* const lineEnd = LineEnd(at, end);
        const char* behind = lineEnd;
        const auto isOfNumbers = [](char c) {
            return IsBlank(c) || detail::kHexDigits[static_cast<unsigned char>(c)] < 16;
        };
        while (behind != at && isOfNumbers(behind[-1])) --behind;
        while (behind != lineEnd && *behind != ' ') ++behind;
        name = {at, static_cast<std::size_t>(behind - at)};
        at = behind;
    }
    if (name == "-") return true;
    std::uint64_t base = 0;
    SkipBlanks(at);
    if (!ScanHex(at, base)) return false;
    std::vector<RawNames::Segment> segments;
    for (;;) {
        RawNames::Segment segment{};
        SkipBlanks(at);
        if (!ScanHex(at, segment.address)) break;
        SkipBlanks(at);
        if (!ScanHex(at, segment.bytes)) break;
        segments.push_back(segment);
    }
    rawNames_->AddModule(name == "x" ? std::string_view(program_) : name, base, std::move(segments));
    return true;
}

// i ADDRESS MODULE [FUNCTION FILE LINE]*
bool HeaptrackReader::Place(const char*& at) {
    InterpretedNames::FrameRow row;
    std::uint64_t number = 0;
    const auto next = [&](std::uint32_t& to) {
        SkipBlanks(at);
        if (!ScanHex(at, number)) return false;
        to = static_cast<std::uint32_t>(number);
        return true;
    };
    if (!ScanHex(at, row.address)) return false;
    next(row.module);
    places_ = true;
    if (names_ == nullptr) {
        names_ = std::make_shared<InterpretedNames>();
        output_.Log().SetSymbolizer(names_);
    }
    PlaceFrames frames{0, 0};
    while (frames.count == 0 || *at == ' ') {
        row.function = row.file = row.line = 0;
        const bool some = next(row.function);
        if (some) next(row.file);
        if (some) next(row.line);
        if (!some && frames.count != 0) break;
        const std::uint64_t frame = names_->AddFrame(row);
        if (frames.count++ == 0) frames.first = frame;
    }
    placeFrames_.push_back(frames);
    return true;
}

// t ADDRESS-OR-PLACE CALLER. Of the frames of one place, the innermost is the trace; the others are its callers.
bool HeaptrackReader::Trace(const char*& at) {
    std::uint64_t place = 0, parent = 0;
    if (!ScanHex(at, place) || *at != ' ' || !ScanHex(++at, parent)) return false;
    TraceId trace = OurTrace(parent);
    if (!places_) {
        trace = output_.Log().AddTrace(trace, place);
    } else if (place == 0 || place > placeFrames_.size()) {
        trace = output_.Log().AddTrace(trace, 0);
    } else {
        const PlaceFrames frames = placeFrames_[place - 1];
        for (std::uint32_t i = frames.count; i-- > 0;) trace = output_.Log().AddTrace(trace, frames.first + i);
    }
    traces_.push_back(trace.value);
    return true;
}

// a SIZE TRACE
bool HeaptrackReader::Class(const char*& at) {
    std::uint64_t size = 0, trace = 0;
    if (!ScanHex(at, size) || *at != ' ' || !ScanHex(++at, trace)) return false;
    classes_ = true;
    blockClasses_.Add(size, OurTrace(trace).value);
    return true;
}

// + CLASS, - CLASS; or + SIZE TRACE ADDRESS, - ADDRESS. False: it is none, and nothing has happened.
inline bool HeaptrackReader::AllocatedOrFreed(const char*& at) {
    const bool isFree = *at == '-';
    std::uint64_t number = 0, trace = 0, address = 0;
    if (!ScanHex(at += 2, number)) return false;
    const auto lineEnds = [&at] { return *at == '\n' || *at == '\r'; };
    if (classes_) return lineEnds() && OfClass(number, isFree);
    addresses_ = true;
    if (isFree) {
        if (!lineEnds()) return false;
        Add(EventKind::Freed, line_).address = number;
        return true;
    }
    if (*at != ' ' || !ScanHex(++at, trace) || *at != ' ' || !ScanHex(++at, address)) return false;
    if (!lineEnds()) return false;
    Event& event = Add(EventKind::Allocated, line_);
    event.address = address;
    event.size = number;
    event.trace = OurTrace(trace);
    return true;
}

inline bool HeaptrackReader::OfClass(std::uint64_t index, bool isFree) {
    if (index >= blockClasses_.Count()) return false;
    const BlockClasses::Block block = isFree ? blockClasses_.Free(index) : blockClasses_.Allocate(index);
    if (block.address == 0) {
        if (isFree && freesOfNone_++ == 0) firstFreeOfNone_ = line_;
        return isFree;
    }
    const BlockClasses::Class& of = blockClasses_[index];
    if (!addresses_) {
        output_.AddKnown({time_ * kTicksPerMillisecond, block.address, isFree ? log::KnownCall::kFreed : of.size,
                          isFree ? TraceId{} : TraceId{of.trace}, BlockId{block.number}});
        return true;
    }
    // Blocks with true addresses may lie where the simulated ones do.
    Event& event = Add(isFree ? EventKind::Freed : EventKind::Allocated, line_);
    event.address = block.address;
    if (isFree) return true;
    event.size = of.size;
    event.trace = TraceId{of.trace};
    return true;
}

bool HeaptrackReader::Time(const char*& at) {
    std::uint64_t now = 0;
    if (!ScanHex(at, now) || now > kMostMilliseconds) return false;
    now = std::max(now, time_);
    Spread(time_ * kTicksPerMillisecond, now * kTicksPerMillisecond);
    time_ = now;
    output_.Flush();
    return true;
}

// When between two times an event was is not recorded: they are spread evenly. Times in ticks.
void HeaptrackReader::Spread(std::uint64_t from, std::uint64_t to) {
    // In 2^16ths of a tick; two years of ticks are below 2^47.
    const std::uint64_t step = ((to - from) << 16) / (output_.Pending() + 1);
    std::uint64_t at = 0;
    output_.VisitPendingStamps([&](std::uint64_t& stamp) { stamp = from + ((at += step) >> 16); });
}

void HeaptrackReader::Describe() {
    log::SourceInfo& source = output_.Source();
    const std::uint64_t version = std::min(version_.value_or(0), kNewestVersion);
    output_.Format() = fmt::format("heaptrack v{}, {}", version, classes_ || places_ ? "interpreted" : "raw");
    source.layoutSimulated = classes_;
    source.provenance = classes_ ? "recorded by heaptrack; layout simulated" : "recorded by heaptrack";
    source.clock = log::Clock::Ticks;
    source.ticksPerSecond = 1000.0 * kTicksPerMillisecond;
    output_.TellSource();
}

Outcome<void> HeaptrackReader::Read() {
    output_.SetMostPending(kMostWaiting);
    output_.CreateAllocator(AllocatorId{1}, "malloc", 1);
    bool described = false;
    for (;;) {
        const auto block = lines_.Next();
        if (!block) return Fail(block.error());
        if (block->empty()) break;
        const char* end = block->data() + block->size();
        if (lines_.LastLineHasNoEnd()) {
            // heaptrack ends every line: this one was cut off, and its last number may be another one.
            const std::size_t before = block->substr(0, block->size() - 1).rfind('\n');
            end = block->data() + (before == std::string_view::npos ? 0 : before + 1);
        }
        ReadBlock(block->data(), end);
        if (lines_.LastLineHasNoEnd()) {
            output_.Warn(line_ + 1, [] { return "the last line has no end: the file is cut off there"; });
        }
        if (lines_.LastLineIsCut()) {
            output_.Warn(line_, [] { return "a line that is longer than 256 KiB: the rest of it is left out"; });
        }
        if (classes_ && !described) Describe();  // early: it is shown while it is read
        described = described || classes_;
    }
    Spread(time_ * kTicksPerMillisecond, time_ * kTicksPerMillisecond);
    Describe();
    if (classes_) {
        output_.Warn(0, [] {
            return "recorded without addresses: the layout is simulated, and which of several equal blocks of one call "
                   "trace was freed is a guess (`heaptrack -r` records the true one)";
        });
    }
    if (freesOfNone_ != 0) {
        output_.Warn(firstFreeOfNone_, [&] {
            return fmt::format("{} of a block whose allocation is not recorded, here {}: left out",
                               freesOfNone_ == 1 ? "a free" : fmt::format("{} frees", freesOfNone_),
                               freesOfNone_ == 1 ? "only" : "first");
        });
    }
    if (unknownTraces_ != 0) {
        output_.Warn(0, [&] { return fmt::format("{} call traces are not in the file", unknownTraces_); });
    }
    return {};
}

Outcome<void> Read(LineBlocks& lines, RecordingOutput& output) { return HeaptrackReader(lines, output).Read(); }

// `text` followed by hexadecimal numbers, at least `count` of them, and the end of the line.
bool IsLineOf(std::string_view line, char letter, int count) {
    if (line.size() < 3 || line[0] != letter || line[1] != ' ') return false;
    const std::string ended = std::string(line) + '\n';
    const char* at = ended.c_str() + 2;
    std::uint64_t number = 0;
    while (ScanHex(at, number)) {
        --count;
        SkipBlanks(at);
    }
    return *at == '\n' && count <= 0;
}

bool Recognise(std::string_view start) {
    if (start.starts_with("v ")) return IsLineOf(start.substr(0, start.find('\n')), 'v', 1);
    // Version 0 says so only by its lines: a command or a program first, then traces, times or events.
    if (!start.starts_with("X ") && !start.starts_with("x ")) return false;
    for (std::size_t at = 0; at < start.size();) {
        const std::size_t end = std::min(start.find('\n', at), start.size());
        const std::string_view line = start.substr(at, std::min<std::size_t>(end - at, 256));
        if (IsLineOf(line, 't', 2) || IsLineOf(line, '+', 3) || IsLineOf(line, 'I', 2)) return true;
        at = end + 1;
    }
    return false;
}

}  // namespace

const RecordingFormat kHeaptrackFormat = {Recognise, Read};

}  // namespace residue::import
