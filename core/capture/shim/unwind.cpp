#include "capture/unwind.hpp"

#if defined(__x86_64__)

#include "capture/detail/unwind_module.hpp"
#include "capture/detail/walk.hpp"

namespace residue::capture {
namespace detail {

constinit RuleCache ruleCache;

namespace {

// What the tables say, read anew. A place in no module cannot be left.
UnwindRow ReadRow(std::uintptr_t place, bool& inModule) noexcept {
    const UnwindModule module = FindModule(place);
    inModule = module.there;
    UnwindRow row;
    if (!module.there) row.kind = UnwindRow::Kind::Cannot;
    else if (module.hasTables) row = FindRow(module.tables, place);
    return row;
}

}  // namespace

__attribute__((noinline)) PackedRule LearnRule(std::uintptr_t place) noexcept {
    const std::uint64_t generation = ruleCache.Generation();
    bool inModule = false;
    const PackedRule rule = PackedRule::Of(ReadRow(place, inModule));
    // A place in no module may be in one tomorrow.
    if (inModule && place < RuleCache::kPlaces) ruleCache.Put(place, rule, generation);
    return rule;
}

__attribute__((noinline)) bool Walk::StepSlowly(PackedRule rule) noexcept {
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
    const auto frameBelow = row.frameAt == 0 ? PackedRule::kUnchanged : static_cast<std::uintptr_t>(-row.frameAt);
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
    return stack_.isCode != nullptr ? stack_.isCode(at_.pc) : FindModule(at_.pc).there;
}

bool Walk::StepThroughFrame(std::uintptr_t at) noexcept {
    const std::uintptr_t frame = at_.fp;
    if (!Holds(at) || !Holds(frame)) return false;
    const std::uintptr_t fp = LoadWord(frame);
    if (!Return(LoadWord(at), PackedRule::kUnchanged)) return false;
    at_.fp = fp;
    frameFrom_ = frame;
    return true;
}

// The stack pointer is at the ucontext that the kernel wrote (x86-64: asm/ucontext.h and asm/sigcontext.h).
bool Walk::StepThroughSignal() noexcept {
    constexpr std::uintptr_t kFp = 120;
    constexpr std::uintptr_t kSp = 160;
    constexpr std::uintptr_t kPc = 168;
    if (!Holds(at_.sp + kPc)) return false;
    const std::uintptr_t sp = LoadWord(at_.sp + kSp);
    if (!IsAbove(sp)) return false;
    frameFrom_ = at_.sp + kFp;
    at_ = {LoadWord(at_.sp + kPc), sp, LoadWord(frameFrom_)};
    place_ = at_.pc;  // it was interrupted, it called nobody
    return at_.pc != 0;
}

}  // namespace detail

Walked WalkTables(const Registers& from, events::StackBounds stack, std::uintptr_t* out, unsigned max) noexcept {
    detail::Walk walk(from, stack);
    unsigned count = 0;
    if (!walk.IsOnStack()) return {};
    while (count < max && walk.Step(walk.Rule())) out[count++] = walk.At().pc;
    return {count, walk.Complete(), false};
}

void ForgetRules() noexcept { detail::ruleCache.Forget(); }

}  // namespace residue::capture

#else

namespace residue::capture {

Walked WalkTables(const Registers& from, events::StackBounds stack, std::uintptr_t* out, unsigned max) noexcept {
    return {events::WalkFrames(reinterpret_cast<const void*>(from.fp), stack, out, max, 0), false, false};
}

Walked WalkTables(const Registers& from, events::StackBounds stack, std::uintptr_t* out, unsigned max,
                  WalkMemo&) noexcept {
    return WalkTables(from, stack, out, max);
}

void ForgetRules() noexcept {}

}  // namespace residue::capture

#endif
