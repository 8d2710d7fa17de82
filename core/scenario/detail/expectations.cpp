// #[expect(...)]: what must hold after a statement, or when all is done.
#include "scenario/detail/expectations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alloc/inspect.hpp"

namespace residue::scenario::detail {
namespace {

struct HoleCounter final : alloc::Inspector {
    void OnHole(const alloc::Hole& hole) override {
        ++holes;
        largest = std::max<std::uint64_t>(largest, hole.bytes);
        bytes += hole.bytes;
    }
    std::uint64_t holes = 0;
    std::uint64_t largest = 0;
    std::uint64_t bytes = 0;
};

constexpr std::uint8_t kMet = 1;
constexpr std::uint8_t kFailed = 2;

}  // namespace

Interpreter::Before Interpreter::Remember() const {
    return {errorNames_.size(), result_.output.size(), sink_.Watched().ducks, sink_.Watched().allocations};
}

void Interpreter::Check(const std::vector<ExpectClause>& clauses, const Before& before, bool atEnd) {
    struct Looking {
        explicit Looking(bool& looking) : flag(looking), before(std::exchange(looking, true)) {}
        ~Looking() { flag = before; }
        bool& flag;
        const bool before;  // one may be looked at within another, through a procedure
    } looking(looking_);
    for (const ExpectClause& clause : clauses) {
        if (clause.key == "leaks" && !atEnd) {
            pendingLeaks_.push_back(&clause);  // looked at when all is done
            continue;
        }
        CheckClause(clause, before);
    }
}

void Interpreter::Answer(const ExpectClause& clause, bool met, std::string text) {
    std::uint8_t& answered = answered_[clause.index];
    ExpectationResult& result = result_.expectations[clause.index];
    if (answered == kFailed) return;  // the first time that it did not hold is told
    answered = met ? kMet : kFailed;
    result.met = met;
    result.text = met ? std::move(text) : fmt::format("expected {}, but {}", result.expectation.text, text);
}

Heap* Interpreter::AskedHeap(const ExpectClause& clause) {
    if (clause.of == nullptr) return heaps_->At(lastHeap_);
    return &HeapOf(AllocatorOf(*clause.of), clause.of->at);
}

void Interpreter::CheckNumber(const ExpectClause& clause, const std::optional<std::uint64_t>& found,
                              const std::string& what) {
    if (!found) return Answer(clause, false, fmt::format("there is no {}", what));
    const Value wanted = EvaluatePlain(*clause.value);
    if (!wanted.type->IsInteger()) Stop(clause.value->at, fmt::format("this is {}", wanted.type->name), "a number");
    Answer(clause, wanted.bits == *found, fmt::format("{} is {}", what, *found));
}

void Interpreter::CheckClause(const ExpectClause& clause, const Before& before) {
    const TracedSink::Seen& seen = sink_.Watched();
    if (clause.key.empty()) {
        const bool holds = IsTrue(*clause.value);
        return Answer(clause, holds, holds ? "it holds" : "it does not hold");
    }
    if (clause.key == "error" || clause.key == "succeeds") {
        std::string came;
        bool met = false;
        for (std::size_t i = std::min(before.errors, errorNames_.size()); i < errorNames_.size(); ++i) {
            met = met || errorNames_[i] == clause.caseName;
            if (i > before.errors && errorNames_[i] == errorNames_[i - 1]) continue;
            came += (came.empty() ? "" : ", ") + errorNames_[i];
        }
        const bool none = came.empty();
        if (clause.key == "succeeds") return Answer(clause, none, none ? "it succeeded" : "it failed with " + came);
        if (none) return Answer(clause, false, halted_ ? "the program stopped" : "it succeeded");
        return Answer(clause, met, "it failed with " + came);
    }
    if (clause.key == "output") {
        std::string printed = result_.output.substr(std::min(before.output, result_.output.size()));
        if (printed.ends_with('\n')) printed.pop_back();
        const Value wanted = EvaluatePlain(*clause.value);
        if (wanted.type->kind != TypeKind::String)
            Stop(clause.value->at, fmt::format("this is {}", wanted.type->name), "a string");
        return Answer(clause, TextOf(wanted) == printed, fmt::format("it printed \"{}\"", printed));
    }
    if (clause.key == "duck") {
        const bool yelled = seen.ducks > before.ducks;
        return Answer(clause, yelled, yelled ? "the duck yelled" : "no duck yelled");
    }
    if (clause.key == "leaks") return CheckNumber(clause, result_.leaks.size(), "the number of leaks");
    if (clause.key == "probes") return CheckNumber(clause, lastProbes_, "the number of holes looked at");
    const bool ofBlock =
        clause.key == "address" || clause.key == "offset" || clause.key == "size" || clause.key == "set_aside";
    if (ofBlock) return CheckBlock(clause, before);
    CheckHeap(clause);
}

void Interpreter::CheckBlock(const ExpectClause& clause, const Before& before) {
    const TracedSink::Seen& seen = sink_.Watched();
    if (seen.allocations == before.allocations)
        return CheckNumber(clause, std::nullopt, "block allocated in this statement");
    const events::Event& block = seen.allocation;
    if (clause.key == "address") return CheckNumber(clause, block.address, "its address");
    if (clause.key == "size") return CheckNumber(clause, block.size, "its size");
    if (clause.key == "set_aside") return CheckNumber(clause, block.SetAside(), "what is set aside for it");
    const Heap* heap = AskedHeap(clause);
    const std::uint64_t base = heap == nullptr ? 0 : heap->base;
    if (base == 0 || block.address < base)
        return CheckNumber(clause, std::nullopt, "place of its own that the allocator has");
    CheckNumber(clause, block.address - base, "its offset");
}

void Interpreter::CheckHeap(const ExpectClause& clause) {
    const Heap* heap = AskedHeap(clause);
    if (clause.key == "live_bytes" || clause.key == "live_blocks") {
        std::uint64_t bytes = 0;
        std::uint64_t count = 0;
        for (const Blocks::Number number : blocks_.LiveOf(0)) {
            const BlockRecord& record = blocks_.At(number);
            if (record.region || (clause.of != nullptr && record.heap != heap->number)) continue;
            bytes += record.size;
            ++count;
        }
        const bool asksBytes = clause.key == "live_bytes";
        return CheckNumber(clause, asksBytes ? bytes : count, asksBytes ? "what lives" : "the number of live blocks");
    }
    const bool inspects =
        heap != nullptr && heap->core && !heap->dead && heap->core->Get()->options->Inspect != nullptr;
    if (!inspects) return CheckNumber(clause, std::nullopt, "allocator here whose holes are known");
    HoleCounter counter;
    heap->core->Get()->options->Inspect(heap->core->Get(), counter);
    Charge(heap->bytes / 64);
    if (clause.key == "holes") return CheckNumber(clause, counter.holes, "the number of holes");
    if (clause.key == "largest_hole") return CheckNumber(clause, counter.largest, "the largest hole");
    CheckNumber(clause, counter.bytes, "what is free");
}

// What was never reached did not hold.
void Interpreter::FinishExpectations() {
    if (!halted_) {
        for (const ExpectClause* clause : pendingLeaks_) {
            try {
                CheckClause(*clause, Remember());
            } catch (const Halt&) {
                break;
            }
        }
    }
    for (std::size_t i = 0; i < answered_.size(); ++i) {
        if (answered_[i] != 0) continue;
        ExpectationResult& result = result_.expectations[i];
        std::string why = "this line was never reached";
        if (result_.error && result_.error->place.line != 0) {
            const Place& end = result_.error->place;
            const bool sameFile = end.file == result.expectation.place.file;
            why = fmt::format("the program stopped in line {}{}", end.line, sameFile ? "" : " of " + end.file);
        }
        result.text = fmt::format("expected {}, but it was never looked at: {}", result.expectation.text, why);
    }
}

}  // namespace residue::scenario::detail
