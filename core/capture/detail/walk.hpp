// One step of a walk by unwinding tables: from a frame to its caller's. x86-64.
//
// Only the stack between the stack pointer and the stack's end is read, and the stack pointer only grows: so a walk
// ends, whatever the stack holds. No sum can do harm by wrapping: each is compared with the bounds before it is used.
#pragma once

#include <cstdint>

#include "capture/detail/rule_cache.hpp"
#include "capture/unwind.hpp"
#include "events/stack_walk.hpp"

namespace residue::capture::detail {

extern constinit RuleCache ruleCache;

// Asks the tables, and keeps what they say.
PackedRule LearnRule(std::uintptr_t place) noexcept;

inline PackedRule RuleFor(std::uintptr_t place) noexcept {
    if (place < RuleCache::kPlaces) [[likely]] {
        const PackedRule rule = ruleCache.Find(place);
        if (rule.WhichKind() != PackedRule::Kind::None) [[likely]] return rule;
    }
    return LearnRule(place);
}

// A word of the stack. The compiler put it there: it is no variable of anybody's, and no sanitizer's business.
#if defined(__GNUC__)
__attribute__((no_sanitize_address))
#endif
inline std::uintptr_t LoadWord(std::uintptr_t at) noexcept {
    return *reinterpret_cast<const std::uintptr_t*>(at);
}

class Walk {
public:
    static constexpr std::uintptr_t kWord = sizeof(std::uintptr_t);
    // `from.pc` is a place in the code, exactly.
    Walk(const Registers& from, const events::StackBounds& stack) noexcept
        : at_(from), place_(from.pc), stack_(stack), lowest_(from.sp) {}

    // To another frame of the same stack, whose pc is a return address.
    void MoveTo(const Registers& frame) noexcept {
        at_ = frame;
        place_ = frame.pc - 1;
    }

    // Where it is not, Step must not be called.
    bool IsOnStack() const noexcept {
        return at_.sp >= stack_.low && at_.sp < stack_.high && at_.sp % kWord == 0;
    }

    PackedRule Rule() const noexcept { return RuleFor(place_); }

    // To the caller, by Rule(); false: it ends here.
    bool Step(PackedRule rule) noexcept {
        const PackedRule::Kind kind = rule.WhichKind();
        if (kind == PackedRule::Kind::ByStack) return Return(at_.sp + rule.CfaOffset(), rule.FrameBelowCfa());
        if (kind == PackedRule::Kind::ByFrame) return Return(at_.fp + rule.CfaOffset(), rule.FrameBelowCfa());
        return StepSlowly(rule);
    }

    const Registers& At() const noexcept { return at_; }
    // Where the last step took the frame pointer from; 0: it is as it was.
    std::uintptr_t FrameFrom() const noexcept { return frameFrom_; }
    bool Complete() const noexcept { return complete_; }

private:
    // The caller's stack pointer is `cfa`, its frame pointer lies so many bytes below that (kUnchanged: it does not).
    bool Return(std::uintptr_t cfa, std::uintptr_t frameBelow) noexcept {
        if (!IsAbove(cfa) || frameBelow - kWord > cfa - kWord - lowest_) [[unlikely]] return false;
        at_.pc = LoadWord(cfa - kWord);
        const std::uintptr_t fp = LoadWord(cfa - frameBelow);
        at_.fp = frameBelow == PackedRule::kUnchanged ? at_.fp : fp;
        frameFrom_ = frameBelow == PackedRule::kUnchanged ? 0 : cfa - frameBelow;
        at_.sp = cfa;
        place_ = at_.pc - 1;  // a call may be the last thing that its function does
        if (at_.pc != 0) [[likely]] return true;
        complete_ = true;
        return false;
    }
    // A word or more above the stack pointer, and on the stack.
    bool IsAbove(std::uintptr_t cfa) const noexcept {
        const std::uintptr_t grows = cfa - at_.sp;
        return grows - 1 < stack_.high - at_.sp && grows % kWord == 0;
    }
    bool Holds(std::uintptr_t at) const noexcept {
        return at >= lowest_ && at % kWord == 0 && at < stack_.high && stack_.high - at >= kWord;
    }

    bool StepSlowly(PackedRule rule) noexcept;
    bool StepByRow() noexcept;
    bool StepByFramePointer() noexcept;
    bool StepThroughFrame(std::uintptr_t at) noexcept;
    bool StepThroughSignal() noexcept;

    Registers at_;
    std::uintptr_t place_;
    events::StackBounds stack_;
    std::uintptr_t lowest_;  // where the walk began: below there may be no memory
    std::uintptr_t frameFrom_ = 0;
    bool complete_ = false;
};

}  // namespace residue::capture::detail
