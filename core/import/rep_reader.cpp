// malloc-lab .rep: four header numbers, then operations (FORMATS.md section 1 of the design).
//
//   generation  line 1          2        3             line 4             told by
//   A 2002      suggested heap  num_ids  num_ops       weight, unused     line 1 > 3
//   B 2004      weight 0..3     num_ids  num_ops       ignore_ranges 0/1  the rest
//   C 2016      weight 0..3     num_ids  num_ops       max live bytes     line 4 > 1
//   M MIT       as A; operations `w id n` are among them
//
// Read as the 2004 driver does: at most num_ops operations; what comes behind them is left out.

#include <fmt/format.h>

#include <utility>

#include "import/format.hpp"
#include "import/operation_parser.hpp"

namespace residue::import {
namespace {

constexpr std::uint64_t kLargestWeight = 3;

const char* FormatName(char generation) {
    switch (generation) {
        case 'A': return "malloc-lab .rep, 2002 generation";
        case 'B': return "malloc-lab .rep, 2004 generation";
        case 'C': return "malloc-lab .rep, 2016 generation";
        default: return "malloc-lab .rep, MIT 6.172";
    }
}

class RepReader final : public TraceReader {
public:
    explicit RepReader(TextScanner scanner) : parser_(std::move(scanner), OperationParser::Dialect::Rep) {}

    Outcome<void> ReadHeader() {
        static constexpr const char* kNames[] = {"heap size or weight", "number of ids", "number of operations",
                                                 "weight, ignore_ranges or largest live size"};
        std::uint64_t numbers[4] = {};
        TextScanner& scanner = parser_.Scanner();
        Token token;
        for (std::size_t index = 0; index < 4; ++index) {
            const Outcome<bool> more = scanner.Next(token);
            if (!more) return Fail(more.error());
            const std::string expected =
                fmt::format("4 header numbers; number {} is the {}", index + 1, kNames[index]);
            if (!*more) {
                return Fail(Failure{scanner.Where(scanner.Line()),
                                    fmt::format("the file ends after {} of 4 header numbers", index), expected});
            }
            const ParsedNumber number = ParseNumber(token.text);
            if (number.fault != NumberFault::None) {
                const char* what = number.fault == NumberFault::Negative  ? "is negative"
                                   : number.fault == NumberFault::TooLarge ? "is too large"
                                                                           : "is not a number";
                return Fail(Failure{scanner.Where(token.line), fmt::format("'{}' {}", Shown(token.text), what),
                                    expected});
            }
            numbers[index] = number.value;
        }
        header_.extension = ".rep";
        header_.ids = numbers[1];
        header_.operations = numbers[2];
        if (numbers[0] > kLargestWeight) {
            header_.generation = 'A';
            header_.suggestedHeap = numbers[0];
            header_.weight = numbers[3];
        } else {
            header_.weight = numbers[0];
            header_.generation = numbers[3] > 1 ? 'C' : 'B';
            header_.maxLiveBytes = numbers[3] > 1 ? numbers[3] : 0;
            header_.ignoreRanges = numbers[3] == 1;
        }
        header_.format = FormatName(header_.generation);
        return {};
    }

    const TraceHeader& Header() const override { return header_; }

    Outcome<bool> Next(Operation& operation) override {
        if (ended_) return false;
        const bool declared = header_.operations != 0;
        // Told before it is parsed, so that an oddity behind the last operation is no warning of its own.
        if (declared && parser_.Seen() >= header_.operations) return StopAtCount();
        const Outcome<bool> more = parser_.Next(operation);
        if (!more) return more;
        if (!*more) return End();
        if (declared && parser_.Seen() > header_.operations) {
            // Operations that were left out ran past the count.
            RemarkSurplus(operation.line);
            RemarkIds();
            return Ended();
        }
        if (operation.kind == OperationKind::Touch && header_.generation != 'M') {
            header_.generation = 'M';
            header_.format = FormatName('M');
        }
        return true;
    }

    void CancelWith(const std::atomic<bool>* cancelled) override { parser_.Scanner().CancelWith(cancelled); }
    double Progress() const override { return ended_ ? 1 : parser_.Scanner().Progress(); }
    std::vector<Warning> Warnings() const override { return parser_.Warnings().All(); }

private:
    Outcome<bool> Ended() {
        ended_ = true;
        return false;
    }

    void RemarkSurplus(std::uint64_t line) {
        parser_.Warnings().Add(line, [&] {
            return fmt::format("more than the {} operations that the header says: from here on all is left out",
                               header_.operations);
        });
    }

    Outcome<bool> StopAtCount() {
        Token token;
        const Outcome<bool> more = parser_.Scanner().Next(token);
        if (!more) return more;
        if (!*more) return End();
        RemarkSurplus(token.line);
        RemarkIds();
        return Ended();
    }

    Outcome<bool> End() {
        WarningList& warnings = parser_.Warnings();
        TextScanner& scanner = parser_.Scanner();
        if (scanner.CutOff()) {
            warnings.Add(scanner.Line(),
                         [] { return "the compressed data end here in the middle: the file is cut off"; });
        }
        if (header_.operations == 0 && parser_.Seen() != 0) {
            warnings.Add(0, [&] {
                return fmt::format("the header says 0 operations; the file has {}, and all are read", parser_.Seen());
            });
        } else if (parser_.Seen() < header_.operations) {
            warnings.Add(scanner.Line(), [&] {
                return fmt::format("the file ends after {} of the {} operations that the header says", parser_.Seen(),
                                   header_.operations);
            });
        }
        RemarkIds();
        return Ended();
    }

    void RemarkIds() {
        const std::uint64_t highest = parser_.HighestId() ? static_cast<std::uint64_t>(*parser_.HighestId()) + 1 : 0;
        if (highest == header_.ids) return;
        parser_.Warnings().Add(0, [&] {
            return highest == 0 ? fmt::format("the header says {} ids; none is used", header_.ids)
                                : fmt::format("the header says {} ids; the highest id is {}, so expected {}",
                                              header_.ids, highest - 1, highest);
        });
    }

    OperationParser parser_;
    TraceHeader header_;
    bool ended_ = false;
};

Verdict Recognise(std::string_view first, bool) {
    if (first.empty()) return Verdict::No;
    return ParseNumber(first).fault == NumberFault::NotANumber ? Verdict::No : Verdict::Yes;
}

Outcome<std::unique_ptr<TraceReader>> Open(TextScanner scanner) {
    auto reader = std::make_unique<RepReader>(std::move(scanner));
    const Outcome<void> header = reader->ReadHeader();
    if (!header) return Fail(header.error());
    return std::unique_ptr<TraceReader>(std::move(reader));
}

}  // namespace

const TraceFormat kRepFormat = {".rep", "the 4 header numbers of a .rep", Recognise, Open};

}  // namespace residue::import
