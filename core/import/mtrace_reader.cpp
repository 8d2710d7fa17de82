// glibc's mtrace. Each line is [@ WHERE] OP ADDRESS [SIZE]:
//
//   + allocated (address (nil): the request failed)    - freed    ! a resize that failed: the block stays
//   < and > are a resize: the old address, then, in the next line, the new one and the size
//
// WHERE is where the call came from, "demo:[0x130d]" or "libc.so.6:(__strdup+1a)[0x9e9aa]", and may hold blanks: lines
// are read from their end. Lines of several threads are whole, but a < may be alone.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <unordered_map>

#include "import/recording_format.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

using events::Event;
using events::EventKind;

constexpr const char* kExpected = "[@ WHERE] + - < > or !, an address and a size";

struct Line {
    std::string_view where;
    char operation = 0;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    bool hasSize = false;
};

bool IsOperation(char c) { return c == '+' || c == '-' || c == '<' || c == '>' || c == '!'; }

// The last word of `text`, which gets shorter by it.
std::string_view TakeWord(std::string_view& text) {
    while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
    std::size_t begin = text.size();
    while (begin > 0 && !IsBlank(text[begin - 1])) --begin;
    const std::string_view word = text.substr(begin);
    text.remove_suffix(word.size());
    return word;
}

bool IsNumber(std::string_view word, std::uint64_t& value) {
    const char* at = word.data();
    return !word.empty() && ScanNumber(at, value) && at == word.data() + word.size();
}

bool ParseLine(std::string_view text, Line& line) {
    const std::string_view last = TakeWord(text);
    std::string_view before = TakeWord(text);
    if (before.size() == 1 && IsOperation(before[0])) {
        if (!IsNumber(last, line.address)) return false;
        line.hasSize = false;
    } else {
        if (!IsNumber(last, line.size) || !IsNumber(before, line.address)) return false;
        line.hasSize = true;
        before = TakeWord(text);
        if (before.size() != 1 || !IsOperation(before[0])) return false;
    }
    line.operation = before[0];
    // Both halves of a resize that ended have their own shape.
    const bool needsSize = line.operation == '+' || line.operation == '>' || line.operation == '!';
    if (needsSize != line.hasSize) return false;
    while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
    if (text.starts_with("@ ")) text.remove_prefix(2);
    line.where = text;
    return true;
}

// "lib.so:(name+1a)[0x9e9aa]" as a frame.
log::Frame NameOf(std::string_view where) {
    std::string_view module = where, symbol, address;
    if (const std::size_t open = where.rfind('['); open != std::string_view::npos && where.ends_with(']')) {
        address = where.substr(open + 1, where.size() - open - 2);
        module = where.substr(0, open);
    }
    if (const std::size_t open = module.rfind('('); open != std::string_view::npos && module.ends_with(')')) {
        symbol = module.substr(open + 1, module.size() - open - 2);
        module = module.substr(0, open);
    }
    if (module.ends_with(':')) module.remove_suffix(1);
    const std::string file(module.substr(module.rfind('/') + 1));
    if (symbol.empty()) return {file.empty() ? std::string(address) : file + "+" + std::string(address), "", 0};
    // Older versions write +0x1a.
    std::string function(symbol);
    const std::size_t sign = function.find_last_of("+-");
    if (sign != std::string::npos && function.compare(sign + 1, 2, "0x") != 0) function.insert(sign + 1, "0x");
    return {function, file, 0};
}

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

class MtraceReader {
public:
    MtraceReader(LineBlocks& lines, RecordingOutput& output) : lines_(lines), output_(output) {}
    Outcome<void> Read();

private:
    struct Half {
        std::uint64_t address;
        std::uint64_t line;
        TraceId trace;
    };

    void Take(const Line& line);
    void EndHalf();
    TraceId SiteOf(std::string_view where);

    LineBlocks& lines_;
    RecordingOutput& output_;
    std::uint64_t line_ = 0;
    std::optional<Half> half_;  // a < whose > may follow
    std::unordered_map<std::string, TraceId, TextHash, std::equal_to<>> sites_;
};

TraceId MtraceReader::SiteOf(std::string_view where) {
    if (where.empty()) return {};
    if (const auto known = sites_.find(where); known != sites_.end()) return known->second;
    const std::uint64_t frame = sites_.size() + 1;
    output_.Log().NameFrame(frame, NameOf(where));
    const TraceId trace = output_.Log().AddTrace({}, frame);
    sites_.emplace(where, trace);
    return trace;
}

// The second half is not there: the block is gone all the same.
void MtraceReader::EndHalf() {
    if (!half_) return;
    Event& event = output_.Add(EventKind::Freed, half_->line);
    event.address = half_->address;
    event.trace = half_->trace;
    half_.reset();
}

void MtraceReader::Take(const Line& line) {
    const TraceId trace = SiteOf(line.where);
    const auto add = [&](EventKind kind, std::uint64_t at) -> Event& {
        Event& event = output_.Add(kind, at);
        event.trace = trace;
        event.size = line.size;
        return event;
    };
    if (line.operation == '>' && half_) {
        add(EventKind::ResizeBegins, half_->line).address = half_->address;
        Event& ends = add(EventKind::ResizeEnds, line_);
        ends.address = line.address;
        ends.argument = half_->address;
        half_.reset();
        return;
    }
    EndHalf();
    switch (line.operation) {
        case '<': half_ = Half{line.address, line_, trace}; return;
        case '-': {
            Event& event = add(EventKind::Freed, line_);
            event.address = line.address;
            event.size = 0;
            return;
        }
        case '!': {
            add(EventKind::ResizeBegins, line_).address = line.address;
            Event& ends = add(EventKind::ResizeEnds, line_);
            ends.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
            return;
        }
        default: break;
    }
    if (line.address == 0) {
        add(EventKind::AllocateFailed, line_).error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
        return;
    }
    add(EventKind::Allocated, line_).address = line.address;
}

Outcome<void> MtraceReader::Read() {
    output_.Format() = "glibc mtrace";
    output_.Source().provenance = "recorded by mtrace";
    output_.TellSource();
    output_.CreateAllocator(AllocatorId{1}, "malloc", 1);
    bool ended = false;
    for (;;) {
        const auto block = lines_.Next();
        if (!block) return Fail(block.error());
        if (block->empty()) break;
        const char* const end = block->data() + block->size();
        for (const char* at = block->data(); at != end;) {
            ++line_;
            const char* const lineEnd = LineEnd(at, end);
            std::string_view text(at, static_cast<std::size_t>(lineEnd - at));
            at = lineEnd + 1;
            while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
            Line line;
            if (ParseLine(text, line)) {
                Take(line);
            } else if (text == "= End") {
                ended = true;
            } else if (!text.empty() && text != "= Start") {
                output_.WarnOfLine(line_, text, kExpected);
            }
        }
    }
    EndHalf();
    if (!ended) output_.Warn(line_, [] { return "no '= End': the program may have gone on after this"; });
    return {};
}

Outcome<void> Read(LineBlocks& lines, RecordingOutput& output) { return MtraceReader(lines, output).Read(); }

bool Recognise(std::string_view start) {
    const std::size_t lineEnd = start.find('\n');
    std::string_view first = start.substr(0, lineEnd);
    while (!first.empty() && IsBlank(first.back())) first.remove_suffix(1);
    if (first == "= Start") return true;
    Line line;
    const bool isCall = first.starts_with("@ ") || (first.size() > 2 && IsOperation(first[0]) && first[1] == ' ');
    // Only the size of nothing is written without 0x, and addresses never are.
    return isCall && first.find("0x") != std::string_view::npos && ParseLine(first, line);
}

}  // namespace

const RecordingFormat kMtraceFormat = {Recognise, Read};

}  // namespace residue::import
