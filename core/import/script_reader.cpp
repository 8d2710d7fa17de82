// CS107 .script: the operations of .rep without a header, with comments from # to the end of the line. An id that is
// not live stands for NULL: `f id` then does nothing, `r id n` allocates.

#include <fmt/format.h>

#include <utility>

#include "import/format.hpp"
#include "import/operation_parser.hpp"

namespace residue::import {
namespace {

class ScriptReader final : public TraceReader {
public:
    explicit ScriptReader(TextScanner scanner) : parser_(std::move(scanner), OperationParser::Dialect::Script) {
        header_.format = "CS107 .script";
        header_.extension = ".script";
        header_.unknownIdIsNull = true;
        if (parser_.Scanner().Name().ends_with(".rep")) {
            parser_.Warnings().Add(0, [] { return "a .rep without its header: read as a CS107 .script"; });
        }
    }

    const TraceHeader& Header() const override { return header_; }

    Outcome<bool> Next(Operation& operation) override {
        if (ended_) return false;
        const Outcome<bool> more = parser_.Next(operation);
        if (!more || *more) return more;
        ended_ = true;
        if (parser_.Scanner().CutOff()) {
            parser_.Warnings().Add(parser_.Scanner().Line(),
                                   [] { return "the compressed data end here in the middle: the file is cut off"; });
        }
        return false;
    }

    void CancelWith(const std::atomic<bool>* cancelled) override { parser_.Scanner().CancelWith(cancelled); }
    double Progress() const override { return ended_ ? 1 : parser_.Scanner().Progress(); }
    std::vector<Warning> Warnings() const override { return parser_.Warnings().All(); }

private:
    OperationParser parser_;
    TraceHeader header_;
    bool ended_ = false;
};

Verdict Recognise(std::string_view first, bool more) {
    if (first.empty()) return Verdict::IfNamedSo;
    const bool isOperation = first.size() == 1 && (first == "a" || first == "r" || first == "f" || first == "w");
    return isOperation && more ? Verdict::Yes : Verdict::No;
}

Outcome<std::unique_ptr<TraceReader>> Open(TextScanner scanner) {
    return std::unique_ptr<TraceReader>(std::make_unique<ScriptReader>(std::move(scanner)));
}

}  // namespace

const TraceFormat kScriptFormat = {".script", "an operation of a .script such as 'a 0 16'", Recognise, Open};

}  // namespace residue::import
