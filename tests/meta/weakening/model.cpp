#include "meta/weakening/model.hpp"

#include <algorithm>

namespace model {
namespace {

constexpr std::size_t kStackBytes = 256 * 1024;
constexpr std::size_t kMostSteps = 5000;  // a program that goes on longer has a loop without end

template <class Array>
void JoinInto(Array& to, const Array& from) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = std::max(to[i], from[i]);
}

}  // namespace

unsigned Explorer::Choose(unsigned options) {
    if (options <= 1) return 0;
    if (depth_ == path_.size()) path_.push_back({0, options});
    return path_[depth_++].first;
}

bool Explorer::NextPath() {
    while (!path_.empty() && path_.back().first + 1 == path_.back().second) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().first;
    return true;
}

void Explorer::Entry() {
    Explorer& self = *Current();
    self.Self().body();
    self.Self().done = true;
    self.SwitchToScheduler();
}

void Explorer::Thread(std::function<void()> body) {
    auto fiber = std::make_unique<Fiber>();
    if (stacks_.size() <= fibers_.size()) stacks_.push_back(std::make_unique<char[]>(kStackBytes));
    fiber->body = std::move(body);
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stacks_[fibers_.size()].get();
    fiber->context.uc_stack.ss_size = kStackBytes;
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, &Explorer::Entry, 0);
    fiber->clock[fibers_.size()] = 1;
    fibers_.push_back(std::move(fiber));
}

bool Explorer::Runnable(std::size_t fiber) const {
    if (fibers_[fiber]->done) return false;
    if (!fibers_[fiber]->joining) return true;
    for (std::size_t i = 0; i < fibers_.size(); ++i) {
        if (i != fiber && !fibers_[i]->done) return false;
    }
    return true;
}

void Explorer::SwitchToScheduler() { swapcontext(&Self().context, &scheduler_); }

void Explorer::Yield() {
    if (!inThreads_) return;
    Check(++steps_ < kMostSteps, "a loop without end");
    if (preemptionsLeft_ == 0 || outcome_.failed) return;
    std::size_t others[kMostThreads];
    unsigned count = 0;
    for (std::size_t i = 0; i < fibers_.size(); ++i) {
        if (i != current_ && Runnable(i)) others[count++] = i;
    }
    const unsigned chosen = Choose(1 + count);
    if (chosen == 0) return;
    --preemptionsLeft_;
    next_ = others[chosen - 1];
    SwitchToScheduler();
}

void Explorer::Join() {
    Self().joining = true;
    next_ = kMostThreads;
    if (!Runnable(current_)) SwitchToScheduler();
    for (const auto& fiber : fibers_) {
        JoinInto(Self().view, fiber->view);
        JoinInto(Self().clock, fiber->clock);
    }
    preemptionsLeft_ = 0;
}

void Explorer::RunOnce(const SetUp& setUp) {
    fibers_.clear();
    atomics_.clear();
    plain_.clear();
    clock_ = 0;
    depth_ = 0;
    steps_ = 0;
    preemptionsLeft_ = preemptions_;
    inThreads_ = false;
    const std::shared_ptr<void> state = setUp();
    inThreads_ = true;
    next_ = kMostThreads;
    while (!outcome_.failed) {
        if (next_ == kMostThreads) {  // the thread ended or waits: any other may go on
            std::size_t runnable[kMostThreads];
            unsigned count = 0;
            for (std::size_t i = 0; i < fibers_.size(); ++i) {
                if (Runnable(i)) runnable[count++] = i;
            }
            if (count == 0) break;
            next_ = runnable[Choose(count)];
        }
        current_ = next_;
        next_ = kMostThreads;
        swapcontext(&scheduler_, &fibers_[current_]->context);
    }
    inThreads_ = false;
}

Explorer::Outcome Explorer::Explore(const SetUp& setUp, unsigned preemptions, std::uint64_t mostExecutions) {
    Current() = this;
    outcome_ = {};
    path_.clear();
    preemptions_ = preemptions;
    do {
        RunOnce(setUp);
        ++outcome_.executions;
        if (outcome_.failed || outcome_.executions == mostExecutions) return outcome_;
    } while (NextPath());
    outcome_.complete = true;
    return outcome_;
}

// --- the memory ---

std::size_t Explorer::NewAtomic(std::uint64_t value) {
    if (atomics_.size() == kMostAtomics) std::abort();
    atomics_.push_back({Message{.value = value}});
    return atomics_.size() - 1;
}

std::uint64_t Explorer::Load(std::size_t atomic, bool acquire) {
    if (!inThreads_) return atomics_[atomic].back().value;
    Yield();
    Fiber& self = Self();
    self.stampBefore = clock_;
    const auto& messages = atomics_[atomic];
    const auto newest = static_cast<std::uint32_t>(messages.size() - 1);
    const std::uint32_t at = newest - Choose(newest - self.view[atomic] + 1);
    self.view[atomic] = at;
    if (acquire) {
        JoinInto(self.view, messages[at].view);
        JoinInto(self.clock, messages[at].clock);
    }
    return messages[at].value;
}

void Explorer::Store(std::size_t atomic, std::uint64_t value, bool release) {
    if (!inThreads_) {
        atomics_[atomic].back().value = value;
        return;
    }
    Yield();
    Fiber& self = Self();
    self.view[atomic] = static_cast<std::uint32_t>(atomics_[atomic].size());
    Message message{.value = value};
    if (release) {
        message.view = self.view;
        message.clock = self.clock;
        ++self.clock[current_];
    }
    atomics_[atomic].push_back(message);
}

bool Explorer::CompareExchange(std::size_t atomic, std::uint64_t& expected, std::uint64_t value, bool ordered) {
    Yield();
    Fiber& self = Self();
    const Message before = atomics_[atomic].back();  // a read-modify-write reads the newest
    self.view[atomic] = static_cast<std::uint32_t>(atomics_[atomic].size() - 1);
    if (ordered) {
        JoinInto(self.view, before.view);
        JoinInto(self.clock, before.clock);
    }
    if (before.value != expected) {
        expected = before.value;
        return false;
    }
    self.view[atomic] = static_cast<std::uint32_t>(atomics_[atomic].size());
    Message message{.value = value, .view = before.view, .clock = before.clock};  // a release sequence goes on
    if (ordered) {
        JoinInto(message.view, self.view);
        JoinInto(message.clock, self.clock);
        ++self.clock[current_];
    }
    atomics_[atomic].push_back(message);
    return true;
}

std::uint64_t Explorer::Stamp() {
    Yield();
    return ++clock_;
}

std::uint64_t Explorer::EarlyStamp() {
    Yield();
    if (Choose(2) == 0) return ++clock_;
    return Self().stampBefore;
}

void Explorer::FenceAllThreads() {
    Yield();
    View all = Self().view;
    for (const auto& fiber : fibers_) JoinInto(all, fiber->view);
    for (const auto& fiber : fibers_) fiber->view = all;
}

void Explorer::WillWrite(const void* slot) {
    if (!inThreads_) return;
    Plain& plain = plain_[slot];
    const Clock& mine = Self().clock;
    Check(mine[plain.writer] >= plain.written, "a race: a slot is written twice");
    for (std::size_t i = 0; i < kMostThreads; ++i) {
        Check(mine[i] >= plain.read[i], "a race: a slot is written while it is read");
    }
    plain.writer = current_;
    plain.written = mine[current_];
}

void Explorer::WillRead(const void* slot) {
    if (!inThreads_) return;
    Plain& plain = plain_[slot];
    const Clock& mine = Self().clock;
    Check(mine[plain.writer] >= plain.written, "a race: a slot is read while it is written");
    plain.read[current_] = mine[current_];
}

}  // namespace model
