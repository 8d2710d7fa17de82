// A small model checker: runs a program of two or three threads in every interleaving up to a number of preemptions,
// and lets every load return every value that the C++ memory model allows it, so also what x86 never shows. The code
// under test is the real one, instantiated with ModelSync in place of NativeSync.
//
// The memory: each atomic keeps the list of all stores to it, in the order in which they were executed. Each thread has
// a view: how far it has seen in each list. A load may return any store that is not older than its view; a release
// store carries its thread's view along, an acquire load takes it over. (The usual operational form of release and
// acquire, without load buffering; J. Kang et al., "A promising semantics for relaxed-memory concurrency", POPL 2017,
// section 2, without promises.) Plain memory is checked for races with vector clocks, as ThreadSanitizer does.
// The asymmetric fence joins all views. The clock is the number of times it was read.
//
// Depth-first search over all choices, by running the program again and again; threads are ucontext fibers.
#pragma once

#include <ucontext.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace model {

inline constexpr std::size_t kMostThreads = 4;
inline constexpr std::size_t kMostAtomics = 96;

using View = std::array<std::uint32_t, kMostAtomics>;
using Clock = std::array<std::uint32_t, kMostThreads>;

class Explorer {
public:
    // `setUp` builds the program's state, adds threads with Thread(), and returns what keeps the state alive.
    using SetUp = std::function<std::shared_ptr<void>()>;

    struct Outcome {
        std::uint64_t executions = 0;
        bool complete = false;  // every choice was tried
        bool failed = false;
        const char* failure = "";
    };
    Outcome Explore(const SetUp& setUp, unsigned preemptions, std::uint64_t mostExecutions);

    // --- for the program ---
    void Thread(std::function<void()> body);
    void Join();                     // until all other threads have ended
    void Check(bool holds, const char* what) {
        if (!holds && !outcome_.failed) {
            outcome_.failed = true;
            outcome_.failure = what;
        }
    }
    std::uint64_t Stamp();           // the clock
    std::uint64_t EarlyStamp();      // the clock as it may have been read before the thread's last load was done
    void FenceAllThreads();

    // --- for ModelSync ---
    std::size_t NewAtomic(std::uint64_t value);
    std::uint64_t Load(std::size_t atomic, bool acquire);
    void Store(std::size_t atomic, std::uint64_t value, bool release);
    bool CompareExchange(std::size_t atomic, std::uint64_t& expected, std::uint64_t value, bool ordered);
    void WillWrite(const void* slot);
    void WillRead(const void* slot);

    static Explorer*& Current() {
        static Explorer* current = nullptr;
        return current;
    }

private:
    struct Message {
        std::uint64_t value = 0;
        View view{};
        Clock clock{};
    };
    struct Fiber {
        ucontext_t context{};
        std::unique_ptr<char[]> stack;
        std::function<void()> body;
        View view{};
        Clock clock{};
        std::uint64_t stampBefore = 0;  // the clock before the last load
        bool done = false;
        bool joining = false;
    };
    struct Plain {
        std::size_t writer = 0;
        std::uint32_t written = 0;
        Clock read{};
    };

    unsigned Choose(unsigned options);
    void Yield();               // a point where another thread may go on
    bool Runnable(std::size_t fiber) const;
    void SwitchToScheduler();
    void RunOnce(const SetUp& setUp);
    bool NextPath();
    Fiber& Self() { return *fibers_[current_]; }
    static void Entry();

    Outcome outcome_;
    std::vector<std::pair<unsigned, unsigned>> path_;  // chosen, of how many
    std::size_t depth_ = 0;
    unsigned preemptionsLeft_ = 0;
    unsigned preemptions_ = 0;
    std::size_t steps_ = 0;

    ucontext_t scheduler_{};
    std::vector<std::unique_ptr<Fiber>> fibers_;
    std::vector<std::unique_ptr<char[]>> stacks_;
    std::size_t current_ = 0;
    std::size_t next_ = 0;
    bool inThreads_ = false;
    std::uint64_t clock_ = 0;
    std::vector<std::vector<Message>> atomics_;
    std::unordered_map<const void*, Plain> plain_;
};

struct ModelSync {
    template <class T>
    class Atomic {
    public:
        Atomic(T value = T{}) : at_(Explorer::Current()->NewAtomic(static_cast<std::uint64_t>(value))) {}
        Atomic(const Atomic&) = delete;
        Atomic& operator=(const Atomic&) = delete;
        T load(std::memory_order order) const {
            return static_cast<T>(Explorer::Current()->Load(at_, order != std::memory_order_relaxed));
        }
        void store(T value, std::memory_order order) {
            Explorer::Current()->Store(at_, static_cast<std::uint64_t>(value), order != std::memory_order_relaxed);
        }
        bool compare_exchange_strong(T& expected, T value, std::memory_order order) {
            std::uint64_t seen = expected;
            const bool done =
                Explorer::Current()->CompareExchange(at_, seen, value, order != std::memory_order_relaxed);
            expected = static_cast<T>(seen);
            return done;
        }

    private:
        std::size_t at_;
    };
    static void WillWrite(const void* slot) { Explorer::Current()->WillWrite(slot); }
    static void WillRead(const void* slot) { Explorer::Current()->WillRead(slot); }
};

}  // namespace model
