#if defined(__x86_64__)

#include "capture/detail/walk.hpp"
#include "capture/detail/walk_memo.hpp"
#include "capture/unwind.hpp"

namespace residue::capture {
namespace detail {

namespace {

// What is rare, apart from the loop over all frames.
__attribute__((noinline)) bool StackPointerIsThere(const MemoFrame& frame) noexcept {
    return frame.compare == MemoFrame::Compare::StackPointerToo && LoadWord(frame.fpFrom) == frame.fp &&
           LoadWord(frame.fpFrom - frame.spBelow) == frame.sp;
}

}  // namespace

class MemoWalk {
public:
    MemoWalk(const Registers& from, const events::StackBounds& stack, std::uintptr_t* out, unsigned max,
             WalkMemo& memo) noexcept
        : stack_(stack), out_(out), max_(max), memo_(memo), walk_(from, stack), slot_(SlotOf(from, stack)) {}

    // Not for a memo that is in use: then nothing is walked.
    static bool Enter(WalkMemo& memo) noexcept {
        if (memo.busy_.load(std::memory_order_relaxed)) return false;
        memo.busy_.store(true, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        return true;
    }
    static void Leave(WalkMemo& memo) noexcept {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        memo.busy_.store(false, std::memory_order_relaxed);
    }

    Walked Run() noexcept;

private:
    using Remembered = WalkMemo::Remembered;

    static unsigned SlotOf(const Registers& from, const events::StackBounds& stack) noexcept;
    void ForgetOthers() noexcept;
    bool BeginsAs(const Remembered& walk) const noexcept;
    bool Joins() noexcept;
    void WalkOn() noexcept;
    bool GoOn(unsigned joined, unsigned there) noexcept;
    unsigned Compare(unsigned index) noexcept;
    bool EndsAtOutermost(unsigned joined) noexcept;
    void Adopt(unsigned joined, unsigned last) noexcept;
    bool Step() noexcept;
    void FramePointerMatters() noexcept;
    void Remember() noexcept;
    // Field by field, each as wide as it is read again: a frame that was put together elsewhere first was copied from
    // stores that had not arrived, and waiting for these took more than half of a step.
    MemoFrame& PushAt(std::uintptr_t pc, std::uintptr_t sp, std::uintptr_t fp) noexcept {
        MemoFrame& frame = memo_.fresh_[fresh_++];
        frame.pc = pc;
        frame.sp = sp;
        frame.fp = fp;
        return frame;
    }
    void Push(const MemoFrame& frame) noexcept { memo_.fresh_[fresh_++] = frame; }
    MemoFrame& Latest() noexcept { return memo_.fresh_[fresh_ - 1]; }

    const events::StackBounds stack_;
    std::uintptr_t* const out_;
    const unsigned max_;
    WalkMemo& memo_;
    Walk walk_;
    const unsigned slot_;
    Remembered* known_ = nullptr;  // the walk that this one is compared with
    unsigned count_ = 0;           // frames given
    unsigned fresh_ = 0;
    unsigned candidates_ = 0;  // known_->frames below this may be met again
    unsigned kept_ = 0;        // so many of them stay, below the fresh ones
    bool complete_ = false;
    bool endsByRule_ = false;
};

// Where walks lie that begin so: the stack pointer, and where the function in which it is returns to, as long as it has
// a frame pointer. (Where it has none, whatever word there is.)
#if defined(__GNUC__)
__attribute__((no_sanitize_address))
#endif
unsigned MemoWalk::SlotOf(const Registers& from, const events::StackBounds& stack) noexcept {
    std::uint64_t key = from.sp;
    events::StackFrame frame;
    if (from.fp >= from.sp && events::ReadFrame(from.fp, stack, frame)) key ^= std::uint64_t{frame.returns} << 8;
    return static_cast<unsigned>(key * 0x9E3779B97F4A7C15ull >> (64 - WalkMemo::kWalkBits));
}

Walked MemoWalk::Run() noexcept {
    ForgetOthers();
    known_ = &memo_.walks_[slot_];
    if (!BeginsAs(*known_)) known_ = &memo_.walks_[memo_.latest_];
    const unsigned last = known_->count - 1;
    if (BeginsAs(*known_)) {
        known_->frames[last].fp = walk_.At().fp;
        const unsigned there = Compare(last);
        if (count_ == max_ || (there == 0 && known_->ends)) {
            const bool same = count_ == known_->walked;
            known_->walked = count_;
            memo_.latest_ = static_cast<unsigned>(known_ - memo_.walks_);
            return {count_, count_ != max_, same, memo_.latest_};
        }
        Push(known_->frames[last]);
        if (!GoOn(last, there)) WalkOn();
    } else {
        const Registers& from = walk_.At();
        Push({from.pc, from.sp, from.fp, 0, false, MemoFrame::Compare::Unknown, 0});
        candidates_ = known_->count == 0 ? 0 : last;
        WalkOn();
    }
    Remember();
    return {count_, complete_, false, slot_};
}

// From the latest frame on.
void MemoWalk::WalkOn() noexcept {
    while (count_ < max_ && Step()) {
        if (!Joins()) continue;
        const unsigned joined = candidates_;
        if (GoOn(joined, Compare(joined))) return;
    }
}

void MemoWalk::ForgetOthers() noexcept {
    const std::uint64_t generation = ruleCache.Generation();
    if (memo_.generation_ == generation && memo_.stack_.low == stack_.low && memo_.stack_.high == stack_.high) return;
    memo_.generation_ = generation;
    memo_.stack_ = stack_;
    for (Remembered& walk : memo_.walks_) walk.count = 0;
}

bool MemoWalk::BeginsAs(const Remembered& walk) const noexcept {
    if (walk.count == 0) return false;
    const MemoFrame& first = walk.frames[walk.count - 1];
    const Registers& from = walk_.At();
    return first.pc == from.pc && first.sp == from.sp && (!first.fpMatters || first.fp == from.fp);
}

// Is the latest frame one of those remembered? Then it is the one at candidates_.
bool MemoWalk::Joins() noexcept {
    constexpr auto Unknown = MemoFrame::Compare::Unknown;
    MemoFrame& latest = Latest();
    while (candidates_ != 0 && known_->frames[candidates_ - 1].sp <= latest.sp) {
        const MemoFrame& known = known_->frames[--candidates_];
        if (known.sp != latest.sp || known.pc != latest.pc) continue;
        if (known.compare == Unknown || latest.compare == Unknown) continue;
        if (!known.fpMatters) return true;
        if (known.fp != latest.fp) continue;
        FramePointerMatters();
        return true;
    }
    return false;
}

// The latest frame is the one at `joined`, and those outside it are as they were up to the one at `there`. True: that
// is all of the walk. False: it is to go on from there.
bool MemoWalk::GoOn(unsigned joined, unsigned there) noexcept {
    if (count_ == max_ || (there == 0 && EndsAtOutermost(joined))) {
        kept_ = joined;
        return true;
    }
    Adopt(joined, there);
    candidates_ = there;
    return false;
}

// Gives the frames outside `index` that are still there; returns where the outermost of them is.
unsigned MemoWalk::Compare(unsigned index) noexcept {
    const unsigned room = max_ - count_;
    const MemoFrame* const end = known_->frames + (index < room ? 0 : index - room);
    const MemoFrame* inner = known_->frames + index;
    std::uintptr_t* out = out_ + count_;
    // Branches, not sums: they are predicted, so no load waits for another.
#pragma GCC unroll 4
    while (inner != end) {
        const MemoFrame& frame = *(inner - 1);
        if (frame.compare == MemoFrame::Compare::FramePointerToo) {
            if (LoadWord(frame.fpFrom) != frame.fp) break;
        } else if (frame.compare != MemoFrame::Compare::ReturnAddress) {
            if (!StackPointerIsThere(frame)) break;
        }
        if (LoadWord(frame.sp - Walk::kWord) != frame.pc) break;
        *out++ = frame.pc;
        --inner;
    }
    count_ = static_cast<unsigned>(out - out_);
    return static_cast<unsigned>(inner - known_->frames);
}

// Does the walk end at the outermost of those remembered, to which the latest, at `joined`, has led?
bool MemoWalk::EndsAtOutermost(unsigned joined) noexcept {
    if (joined == 0) return false;  // it is there itself
    if (known_->ends) {
        complete_ = true;
        return true;
    }
    unsigned inner = 0;
    while (inner != joined && known_->frames[inner].fpFrom == 0) ++inner;
    const std::uintptr_t fp = inner == joined ? Latest().fp : LoadWord(known_->frames[inner].fpFrom);
    const MemoFrame& frame = known_->frames[0];
    Walk walk = walk_;
    walk.MoveTo({frame.pc, frame.sp, fp});
    if (walk.Step(walk.Rule())) return false;
    complete_ = walk.Complete();
    return true;
}

// Takes those outside `joined` up to `last` for the walk's own, and the walk to the last of them.
void MemoWalk::Adopt(unsigned joined, unsigned last) noexcept {
    if (joined == last) return;
    for (unsigned index = joined; index != last;) {
        MemoFrame frame = known_->frames[--index];
        // One that did not matter was not compared.
        frame.fp = frame.fpFrom != 0 ? LoadWord(frame.fpFrom) : Latest().fp;
        Push(frame);
    }
    const MemoFrame& latest = Latest();
    walk_.MoveTo({latest.pc, latest.sp, latest.fp});
}

bool MemoWalk::Step() noexcept {
    using Kind = PackedRule::Kind;
    const PackedRule rule = walk_.Rule();
    const Kind kind = rule.WhichKind();
    if (!walk_.Step(rule)) {
        complete_ = walk_.Complete();
        endsByRule_ = kind == Kind::End;
        return false;
    }
    if (kind != Kind::ByStack) FramePointerMatters();
    const Registers& at = walk_.At();
    MemoFrame& frame = PushAt(at.pc, at.sp, at.fp);
    frame.fpFrom = walk_.FrameFrom();
    frame.fpMatters = false;
    frame.compare = MemoFrame::Compare::Unknown;
    if (kind == Kind::ByStack || kind == Kind::ByFrame || kind == Kind::NoTable) {
        frame.compare = MemoFrame::Compare::ReturnAddress;
    } else if (kind == Kind::Special && rule.CfaOffset() != 0) {
        frame.compare = MemoFrame::Compare::StackPointerToo;
        frame.spBelow = static_cast<std::uint32_t>(rule.CfaOffset());
    }
    out_[count_++] = at.pc;
    return true;
}

// That of the latest frame does: so it does in those inside it that have the same one.
void MemoWalk::FramePointerMatters() noexcept {
    for (unsigned i = fresh_; i != 0; --i) {
        MemoFrame& frame = memo_.fresh_[i - 1];
        if (frame.fpMatters) return;
        frame.fpMatters = true;
        if (frame.fpFrom == 0) continue;
        if (frame.compare == MemoFrame::Compare::ReturnAddress) frame.compare = MemoFrame::Compare::FramePointerToo;
        return;
    }
}

void MemoWalk::Remember() noexcept {
    Remembered& to = memo_.walks_[slot_];
    to.walked = count_;
    to.ends = kept_ == 0 ? endsByRule_ : known_->ends;
    constexpr unsigned kRoom = sizeof to.frames / sizeof to.frames[0];
    unsigned dropped = 0;
    if (kept_ + fresh_ > kRoom) {
        dropped = kept_ + fresh_ - kRoom;
        kept_ -= dropped;
        to.ends = false;
    }
    if (dropped != 0 || &to != known_) {
        for (unsigned i = 0; i < kept_; ++i) to.frames[i] = known_->frames[i + dropped];
    }
    // The latest is the one that the kept ones were outside of.
    for (unsigned i = fresh_; i != 0; --i) to.frames[kept_ + fresh_ - i] = memo_.fresh_[i - 1];
    to.count = kept_ + fresh_;
    memo_.latest_ = slot_;
}

}  // namespace detail

Walked WalkTables(const Registers& from, events::StackBounds stack, std::uintptr_t* out, unsigned max,
                  WalkMemo& memo) noexcept {
    if (max > WalkMemo::kMost || !detail::Walk(from, stack).IsOnStack() || !detail::MemoWalk::Enter(memo)) {
        return WalkTables(from, stack, out, max);
    }
    const Walked walked = detail::MemoWalk(from, stack, out, max, memo).Run();
    detail::MemoWalk::Leave(memo);
    return walked;
}

}  // namespace residue::capture

#endif
