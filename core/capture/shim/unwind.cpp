#include "capture/unwind.hpp"

#if defined(__x86_64__)

#include "capture/detail/rule_cache.hpp"
#include "capture/detail/unwind_module.hpp"

namespace residue::capture {
namespace {

using detail::PackedRule;
using detail::UnwindRow;
using events::StackBounds;

constinit detail::RuleCache cache;

constexpr std::uintptr_t kWord = sizeof(std::uintptr_t);

// The stack holds what the compiler put there, which is no variable of anybody's.
__attribute__((no_sanitize_address)) inline std::uintptr_t Load(std::uintptr_t at) noexcept {
    return *reinterpret_cast<const std::uintptr_t*>(at);
}

// What the tables say, read anew. A place in no module cannot be left.
__attribute__((noinline)) UnwindRow ReadRow(std::uintptr_t place, bool& inModule) noexcept {
    const detail::UnwindModule module = detail::FindModule(place);
    inModule = module.there;
    UnwindRow row;
    if (!module.there) row.kind = UnwindRow::Kind::Cannot;
    else if (module.hasTables) row = FindRow(module.tables, place);
    return row;
}

__attribute__((noinline)) PackedRule LearnRule(std::uintptr_t place) noexcept {
    const std::uint64_t generation = cache.Generation();
    bool inModule = false;
    const PackedRule rule = PackedRule::Of(ReadRow(place, inModule));
    // A place in no module may be in one tomorrow.
    if (inModule && place < cache.kPlaces) cache.Put(place, rule, generation);
    return rule;
}

inline PackedRule RuleFor(std::uintptr_t place) noexcept {
    if (place < cache.kPlaces) {
        const PackedRule rule = cache.Find(place);
        if (rule.WhichKind() != PackedRule::Kind::None) return rule;
    }
    return LearnRule(place);
}

// A walk: where it is, and the stack that it must not leave. `at.sp` lies in it, at a word.
class Walk {
public:
    Walk(const Registers& from, const StackBounds& stack) noexcept : at_(from), place_(from.pc), stack_(stack) {}

    bool BeginsOnStack() const noexcept {
        return at_.sp >= stack_.low && at_.sp < stack_.high && at_.sp % kWord == 0;
    }
    std::uintptr_t ReturnsTo() const noexcept { return at_.pc; }
    bool Complete() const noexcept { return complete_; }

    // To the caller; false: it ends here.
    bool Step() noexcept {
        const PackedRule rule = RuleFor(place_);
        const PackedRule::Kind kind = rule.WhichKind();
        if (kind == PackedRule::Kind::ByStack) return Return(at_.sp + rule.CfaOffset(), rule.FrameBelowCfa());
        if (kind == PackedRule::Kind::ByFrame) return Return(at_.fp + rule.CfaOffset(), rule.FrameBelowCfa());
        return StepSlowly(rule);
    }

private:
    // The caller's stack pointer is `cfa`, its frame pointer lies so many bytes below that (0: it is unchanged).
    bool Return(std::uintptr_t cfa, std::uintptr_t frameBelow) noexcept {
        if (!Above(cfa)) return false;
        at_.pc = Load(cfa - kWord);
        if (frameBelow != 0) {
            if (frameBelow > cfa - stack_.low) return false;
            at_.fp = Load(cfa - frameBelow);
        }
        at_.sp = cfa;
        place_ = at_.pc - 1;  // a call may be the last thing that its function does
        if (at_.pc != 0) return true;
        complete_ = true;
        return false;
    }
    // A word or more above the stack pointer, and on the stack. Nothing here can wrap: sums that did are too large.
    bool Above(std::uintptr_t cfa) const noexcept {
        const std::uintptr_t grows = cfa - at_.sp;
        return grows - 1 < stack_.high - at_.sp && grows % kWord == 0;
    }
    bool Holds(std::uintptr_t at) const noexcept {
        return at >= stack_.low && at % kWord == 0 && at < stack_.high && stack_.high - at >= kWord;
    }

    __attribute__((noinline)) bool StepSlowly(PackedRule rule) noexcept;
    bool StepByRow() noexcept;
    bool StepByFramePointer() noexcept;
    bool StepThroughFrame(std::uintptr_t at) noexcept;
    bool StepThroughSignal() noexcept;

    Registers at_;
    std::uintptr_t place_;
    const StackBounds& stack_;
    bool complete_ = false;
};

bool Walk::StepSlowly(PackedRule rule) noexcept {
    switch (rule.WhichKind()) {
        case PackedRule::Kind::End: complete_ = true; return false;
        case PackedRule::Kind::NoTable: return StepByFramePointer();
        case PackedRule::Kind::Unpacked: return StepByRow();
        case PackedRule::Kind::Special:
            return rule.CfaOffset() == 0 ? StepThroughSignal() : StepThroughFrame(at_.fp - rule.CfaOffset());
        default: return false;
    }
}

bool Walk::StepByRow() noexcept {
    bool inModule = false;
    const UnwindRow row = ReadRow(place_, inModule);
    const auto offset = static_cast<std::uintptr_t>(row.cfaOffset);
    const auto frameBelow = static_cast<std::uintptr_t>(-row.frameAt);
    switch (row.kind) {
        case UnwindRow::Kind::ByStack:
            if (!Return(at_.sp + offset, frameBelow)) return false;
            break;
        case UnwindRow::Kind::ByFrame:
            if (!Return(at_.fp + offset, frameBelow)) return false;
            break;
        case UnwindRow::Kind::ThroughFrame: return StepThroughFrame(at_.fp + offset);
        default: return false;
    }
    if (row.losesFrame) at_.fp = 0;
    return true;
}

// There may be anything in the register: what it gives has to be in a module.
bool Walk::StepByFramePointer() noexcept {
    if (at_.fp < at_.sp || !Return(at_.fp + 2 * kWord, 2 * kWord)) return false;
    return stack_.isCode != nullptr ? stack_.isCode(at_.pc) : detail::FindModule(at_.pc).there;
}

bool Walk::StepThroughFrame(std::uintptr_t at) noexcept {
    const std::uintptr_t frame = at_.fp;
    if (!Holds(at) || !Holds(frame)) return false;
    const std::uintptr_t fp = Load(frame);
    if (!Return(Load(at), 0)) return false;
    at_.fp = fp;
    return true;
}

// The stack pointer is at the ucontext that the kernel wrote (x86-64: asm/ucontext.h and asm/sigcontext.h).
bool Walk::StepThroughSignal() noexcept {
    constexpr std::uintptr_t kFp = 120;
    constexpr std::uintptr_t kSp = 160;
    constexpr std::uintptr_t kPc = 168;
    if (!Holds(at_.sp + kPc)) return false;
    const std::uintptr_t sp = Load(at_.sp + kSp);
    if (!Above(sp)) return false;
    at_ = {Load(at_.sp + kPc), sp, Load(at_.sp + kFp)};
    place_ = at_.pc;  // it was interrupted, it called nobody
    return at_.pc != 0;
}

}  // namespace

Walked WalkTables(const Registers& from, StackBounds stack, std::uintptr_t* out, unsigned max) noexcept {
    Walk walk(from, stack);
    if (!walk.BeginsOnStack()) return {};
    unsigned count = 0;
    while (count < max && walk.Step()) out[count++] = walk.ReturnsTo();
    return {count, walk.Complete()};
}

void ForgetRules() noexcept { cache.Forget(); }

}  // namespace residue::capture

#else

namespace residue::capture {

Walked WalkTables(const Registers& from, events::StackBounds stack, std::uintptr_t* out, unsigned max) noexcept {
    return {events::WalkFrames(reinterpret_cast<const void*>(from.fp), stack, out, max, 0), false};
}

void ForgetRules() noexcept {}

}  // namespace residue::capture

#endif
