// A program that is only simulated: a stack whose frames are known, of code that is nowhere, with rules of all kinds
// put into the cache by hand. So all that registers may hold is reached, and the right answer is known beforehand.
#if defined(__x86_64__)
#include <algorithm>
#include <random>
#include <vector>

#include "capture/detail/walk.hpp"
#include "capture/lonely_stack.hpp"
#include "capture/unwind.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;
using detail::PackedRule;
using detail::UnwindRow;

namespace {

constexpr std::uintptr_t kCode = 0x10000;
constexpr unsigned kSites = 6;  // calls in each function
constexpr std::uintptr_t kSiteBytes = 16;

// What a function does with its frame. Sizes are in words; its frame has `size` of them, the return address included.
struct Function {
    UnwindRow::Kind kind;
    unsigned size;
    unsigned saved;   // the frame pointer lies so far below the CFA; 0: it is left alone
    unsigned offset;  // by frame pointer: CFA - it; through it: from it down to the word that holds the CFA
};

const std::vector<Function>& Functions() {
    using Kind = UnwindRow::Kind;
    static const std::vector<Function> functions = {
        {Kind::ByStack, 2, 0, 0}, {Kind::ByStack, 6, 0, 0},  {Kind::ByStack, 4, 2, 0},      {Kind::ByStack, 9, 5, 0},
        {Kind::ByFrame, 4, 2, 2}, {Kind::ByFrame, 12, 2, 2}, {Kind::ByFrame, 8, 3, 4},
        {Kind::ThroughFrame, 4, 2, 1},
        {Kind::Nothing, 5, 2, 2}, {Kind::ByFrame, 6, 0, 0},  // goes by the frame pointer of its caller
    };
    return functions;
}
constexpr unsigned kBorrows = 9;

std::uintptr_t Site(unsigned function, unsigned site) { return kCode + (function * kSites + site + 1) * kSiteBytes; }
constexpr std::uintptr_t kOutermost = kCode;

bool IsSimulated(std::uintptr_t address) noexcept { return address >= kCode && address < kCode + 0x10000; }

void PutRules() {
    const std::uint64_t generation = detail::ruleCache.Generation();
    const auto put = [&](std::uintptr_t site, const UnwindRow& row) {
        detail::ruleCache.Put(site, PackedRule::Of(row), generation);      // where the walk begins
        detail::ruleCache.Put(site - 1, PackedRule::Of(row), generation);  // the call before it
    };
    for (unsigned i = 0; i < Functions().size(); ++i) {
        const Function& function = Functions()[i];
        UnwindRow row;
        row.kind = function.kind;
        row.frameAt = -8 * std::int64_t{function.saved};
        if (function.kind == UnwindRow::Kind::ByStack) row.cfaOffset = 8 * std::int64_t{function.size};
        if (function.kind == UnwindRow::Kind::ByFrame) row.cfaOffset = 8 * std::int64_t{function.offset};
        if (function.kind == UnwindRow::Kind::ThroughFrame) row.cfaOffset = -8 * std::int64_t{function.offset};
        for (unsigned site = 0; site < kSites; ++site) put(Site(i, site), row);
    }
    UnwindRow end;
    end.kind = UnwindRow::Kind::End;
    put(kOutermost, end);
}

class Program {
public:
    // `narrow`: few functions and shallow stacks, so that what it does now looks much like what it did before.
    explicit Program(unsigned seed, bool narrow = false)
        : narrow_(narrow), set_(seed / 2 % 2), random_(seed), stack_(32) {
        now_ = {kOutermost, stack_.High() - 64, 0};
    }

    void Step() {
        for (unsigned pops = Below(depth_ > 150 ? 130 : 4); pops != 0 && !frames_.empty(); --pops) Return();
        if (Below(3) == 0 && !frames_.empty()) now_.pc = Site(frames_.back().function, AnySite());
        const std::size_t deepest = narrow_ ? 5 : 200;
        for (unsigned calls = Below(Below(10) == 0 ? 50 : 4); calls != 0 && frames_.size() < deepest; --calls) Call();
        depth_ = frames_.size();
    }

    const Registers& Now() const { return now_; }
    events::StackBounds Bounds() const { return {stack_.Low(), stack_.High(), IsSimulated}; }
    std::vector<std::uintptr_t> Callers() const {
        std::vector<std::uintptr_t> callers;
        for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) callers.push_back(frame->caller.pc);
        return callers;
    }
    unsigned Below(unsigned end) { return static_cast<unsigned>(random_() % end); }

private:
    struct Frame {
        unsigned function;
        Registers caller;
    };

    unsigned AnySite() { return Below(narrow_ ? 2 : kSites); }
    unsigned AnyFunction() {
        constexpr unsigned kNarrow[2][4] = {{0, 2, 4, kBorrows}, {0, 2, 4, 7}};
        return narrow_ ? kNarrow[set_][Below(4)] : Below(static_cast<unsigned>(Functions().size()));
    }
    void Call() {
        unsigned index = AnyFunction();
        const std::uintptr_t cfa = now_.sp;
        // Only a function above whose frame nothing is open can go by its caller's frame pointer: CFA - 0 = fp.
        while (index == kBorrows && now_.fp != cfa) index = AnyFunction();
        const Function& function = Functions()[index];
        frames_.push_back({index, now_});
        stack_.Word(cfa - 8) = now_.pc;
        // One that goes by its frame pointer may take more. What was on the stack before is often still there.
        const unsigned more = function.kind == UnwindRow::Kind::ByStack || Below(2) == 0 ? 0 : Below(narrow_ ? 4 : 8);
        // One that aligns its stack leaves a gap below the return address.
        const bool through = function.kind == UnwindRow::Kind::ThroughFrame;
        const std::uintptr_t gap = through ? 8 * Below(3) : 0;
        const std::uintptr_t sp = cfa - gap - 8 * (function.size + more);
        for (std::uintptr_t at = sp; Below(4) == 0 && at < cfa - 8; at += 8) stack_.Word(at) = random_();
        const std::uintptr_t saved = cfa - gap - 8 * function.saved;
        if (function.saved != 0) stack_.Word(saved) = now_.fp;
        if (through) {
            now_.fp = saved;
            stack_.Word(now_.fp - 8 * function.offset) = cfa;
        } else if (function.kind != UnwindRow::Kind::ByStack) {
            now_.fp = cfa - 8 * function.offset;
        } else if (function.saved != 0) {
            now_.fp = AnyValue(sp);
        }
        now_.sp = sp;
        now_.pc = Site(index, AnySite());
    }
    // A register like any other; sometimes it holds where the next frame will begin, sometimes what it held before.
    std::uintptr_t AnyValue(std::uintptr_t sp) {
        switch (Below(4)) {
            case 0: return sp;
            case 1: return now_.fp;
            case 2: return stack_.Low() + Below(0x1000) * 8;
            default: return random_();
        }
    }
    void Return() {
        now_ = frames_.back().caller;
        frames_.pop_back();
    }

    bool narrow_;
    unsigned set_;
    std::mt19937_64 random_;
    LonelyStack stack_;
    std::vector<Frame> frames_;
    Registers now_;
    std::size_t depth_ = 0;
};

std::vector<std::uintptr_t> FirstOf(std::vector<std::uintptr_t> frames, unsigned max) {
    if (frames.size() > max) frames.resize(max);
    return frames;
}

}  // namespace

TEST_CASE("The walks of a simulated program are right, with a memo and without, whatever it does with its registers") {
    ForgetRules();
    PutRules();
    unsigned same = 0;
    for (unsigned seed = 0; seed < 40; ++seed) {
        const bool narrow = seed % 2 == 1;
        Program program(seed, narrow);
        WalkMemo memo;
        std::vector<std::uintptr_t> last[WalkMemo::kWalks];
        for (unsigned step = 0; step < (narrow ? 10'000 : 1000); ++step) {
            if (program.Below(4) != 0) program.Step();
            const unsigned max = program.Below(3) == 0 ? program.Below(65) : 64;
            const auto expected = FirstOf(program.Callers(), max);
            const bool complete = program.Callers().size() < max;
            std::uintptr_t out[64];
            const Walked plain = WalkTables(program.Now(), program.Bounds(), out, max);
            INFO("seed " << seed << ", step " << step << ", at most " << max);
            REQUIRE(std::vector<std::uintptr_t>(out, out + plain.count) == expected);
            REQUIRE(plain.complete == complete);
            const Walked remembered = WalkTables(program.Now(), program.Bounds(), out, max, memo);
            REQUIRE(std::vector<std::uintptr_t>(out, out + remembered.count) == expected);
            REQUIRE(remembered.complete == complete);
            REQUIRE(remembered.slot < WalkMemo::kWalks);
            if (remembered.same) REQUIRE(expected == last[remembered.slot]);
            same += remembered.same ? 1 : 0;
            last[remembered.slot] = expected;
        }
    }
    CHECK(same > 1000);
    ForgetRules();
}

TEST_CASE("A memo of before the rules were forgotten is not used, nor is one of another stack") {
    for (const bool otherStack : {false, true}) {
        ForgetRules();
        PutRules();
        Program program(1);
        WalkMemo memo;
        std::uintptr_t out[64];
        const auto walk = [&] { return WalkTables(program.Now(), program.Bounds(), out, 64, memo); };
        // Some frames are walked each time.
        while (program.Callers().size() < 5 || walk().count < 5 || !walk().same) program.Step();
        events::StackBounds bounds = program.Bounds();
        if (otherStack) bounds.high = program.Now().sp + 8;
        else ForgetRules();  // and so it is code of no module
        const Walked after = WalkTables(program.Now(), bounds, out, 64, memo);
        CHECK(after.count <= 1);
        CHECK_FALSE(after.same);
    }
    ForgetRules();
}

TEST_CASE("Where a signal came and where a call returns to are not the same, though the registers are") {
    constexpr std::uintptr_t kReturnFromHandler = kCode, kCaller = kCode + 0x100, kPlace = kCode + 0x200;
    constexpr std::uintptr_t kNear = kCode + 0x300, kFar = kCode + 0x400;
    ForgetRules();
    const auto put = [](std::uintptr_t place, UnwindRow::Kind kind, std::int64_t cfaOffset) {
        UnwindRow row;
        row.kind = kind;
        row.cfaOffset = cfaOffset;
        detail::ruleCache.Put(place, PackedRule::Of(row), detail::ruleCache.Generation());
    };
    put(kReturnFromHandler, UnwindRow::Kind::Signal, 0);
    put(kCaller, UnwindRow::Kind::ByStack, 16);
    put(kPlace, UnwindRow::Kind::ByStack, 16);      // after the call that ends here
    put(kPlace - 1, UnwindRow::Kind::ByStack, 32);  // and while it goes on
    put(kNear - 1, UnwindRow::Kind::End, 0);
    put(kFar - 1, UnwindRow::Kind::End, 0);

    LonelyStack stack(1);
    const std::uintptr_t context = stack.Low() + 64;
    const std::uintptr_t sp = stack.Low() + 512;
    stack.Word(context + 160) = sp;
    stack.Word(context + 168) = kPlace;
    stack.Word(sp - 8) = kPlace;
    stack.Word(sp + 8) = kNear;
    stack.Word(sp + 24) = kFar;
    const events::StackBounds bounds{stack.Low(), stack.High()};
    WalkMemo memo;
    for (const bool interrupted : {true, false, true, true, false, false}) {
        const Registers from = interrupted ? Registers{kReturnFromHandler, context, 0} : Registers{kCaller, sp - 16, 0};
        std::uintptr_t out[8];
        const Walked walked = WalkTables(from, bounds, out, 8, memo);
        CHECK(walked.complete);
        CHECK(std::vector<std::uintptr_t>(out, out + walked.count) ==
              std::vector<std::uintptr_t>{kPlace, interrupted ? kNear : kFar});
    }
    ForgetRules();
}

#endif
