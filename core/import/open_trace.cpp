#include <string>
#include <utility>

#include "import/byte_source.hpp"
#include "import/format.hpp"
#include "import/trace.hpp"

namespace residue::import {
namespace {

const TraceFormat* const kFormats[] = {&kRepFormat, &kScriptFormat};

// "trace.rep.gz" is named .rep.
bool IsNamed(std::string_view name, std::string_view extension) {
    for (const std::string_view packed : {".gz", ".zst"}) {
        if (name.ends_with(packed)) name.remove_suffix(packed.size());
    }
    return name.ends_with(extension);
}

Outcome<std::unique_ptr<TraceReader>> OpenFrom(std::string name, std::unique_ptr<ByteSource> source) {
    TextScanner scanner(name, std::move(source));
    Token token;
    bool found = false;
    for (;;) {
        const Outcome<bool> more = scanner.Next(token);
        if (!more) return Fail(more.error());
        found = *more;
        if (!found || token.text.front() != '#') break;
        const Outcome<void> skipped = scanner.SkipLine();
        if (!skipped) return Fail(skipped.error());
    }
    const std::string first(token.text.substr(0, found ? token.text.size() : 0));
    if (!found && scanner.CutOff()) {
        return Fail(Failure{name, "the compressed data are cut off before the first operation", "a trace"});
    }
    if (!found && !scanner.SawBytes()) return Fail(Failure{name, "the file is empty", "a trace"});
    if (LooksBinary(first)) return Fail(Failure{scanner.Where(token.line), "binary data", "a trace as text"});

    Outcome<bool> more = false;
    if (found) {
        more = scanner.MoreOnLine();
        if (!more) return Fail(more.error());
        token.text = first;  // the scanner's own bytes may have moved
        scanner.Unread(token);
    }
    const TraceFormat* chosen = nullptr;
    std::string expected;
    for (const TraceFormat* format : kFormats) {
        const Verdict verdict = format->Recognise(first, *more);
        if (verdict == Verdict::Yes || (verdict == Verdict::IfNamedSo && IsNamed(name, format->extension))) {
            chosen = format;
            break;
        }
        expected += (expected.empty() ? "" : ", or ") + std::string(format->expected);
    }
    if (chosen != nullptr) return chosen->Open(std::move(scanner));
    if (!found) return Fail(Failure{name, "holds nothing but blanks and comments", expected});
    return Fail(
        Failure{scanner.Where(token.line), "no known trace format begins with '" + Shown(first) + "'", expected});
}

}  // namespace

Outcome<std::unique_ptr<TraceReader>> OpenTrace(const std::string& path) {
    Outcome<std::unique_ptr<ByteSource>> source = OpenFileSource(path);
    if (!source) return Fail(source.error());
    return OpenFrom(path, std::move(*source));
}

Outcome<std::unique_ptr<TraceReader>> OpenTraceBytes(std::string name, std::string_view bytes) {
    Outcome<std::unique_ptr<ByteSource>> source = OpenMemorySource(name, bytes);
    if (!source) return Fail(source.error());
    return OpenFrom(std::move(name), std::move(*source));
}

}  // namespace residue::import
