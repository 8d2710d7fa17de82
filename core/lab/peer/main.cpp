// residue-race-peer LIBRARY PREFIX: runs a trace over a malloc of the system, for `residue race`. Started by it, never
// by hand; lab/layout.hpp says how order and report travel. LIBRARY "": the C library's own.
//
// A process of its own, so that nobody else has used the heap: it allocates nothing itself. Needs nothing but the C
// library, and is never instrumented: a sanitizer's malloc would stand before glibc's.
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lab/layout.hpp"
#include "lab/mapping.hpp"

namespace residue::lab::peer {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;  // in nanoseconds; after it no timed run begins

struct Functions {
    void* (*allocate)(std::size_t) = nullptr;
    void* (*resize)(void*, std::size_t) = nullptr;
    void (*give)(void*) = nullptr;
    bool AllThere() const { return allocate != nullptr && resize != nullptr && give != nullptr; }
};

template <class Function>
void Find(void* library, const char* prefix, const char* name, Function& function) {
    char whole[64];
    std::snprintf(whole, sizeof(whole), "%s%s", prefix, name);
    function = reinterpret_cast<Function>(::dlsym(library, whole));
}

Functions Load(const char* path, const char* prefix, Report& report) {
    if (*path == '\0') return {std::malloc, std::realloc, std::free};
    Functions functions;
    void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library == nullptr) {
        const char* const why = ::dlerror();
        std::snprintf(report.text, sizeof(report.text), "%s", why != nullptr ? why : path);
        return functions;
    }
    Find(library, prefix, "malloc", functions.allocate);
    Find(library, prefix, "realloc", functions.resize);
    Find(library, prefix, "free", functions.give);
    if (!functions.AllThere()) std::snprintf(report.text, sizeof(report.text), "%s has no %smalloc", path, prefix);
    return functions;
}

std::uint64_t Now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * kSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

class Runner {
public:
    Runner(const Functions& functions, const Order& order, const Op* ops, void** blocks, void** forgotten)
        : functions_(functions), order_(order), ops_(ops), blocks_(blocks), forgotten_(forgotten) {}

    // `records` may be null.
    void Run(Record* records) {
        for (std::uint64_t i = 0; i < order_.ops; ++i) {
            void* const address = Do(ops_[i]);
            if (records != nullptr) records[i].address = reinterpret_cast<std::uintptr_t>(address);
        }
    }
    void FreeAll() {
        for (std::uint64_t i = 0; i < order_.slots; ++i) {
            functions_.give(blocks_[i]);
            blocks_[i] = nullptr;
        }
        while (known_ > 0) functions_.give(forgotten_[--known_]);
    }

private:
    void* Place(const Op& op, void*& block) {
        if (block != nullptr) forgotten_[known_++] = block;
        return block = functions_.allocate(op.size);
    }
    void* Take(void*& block) {
        functions_.give(block);
        return block = nullptr;
    }
    void* Do(const Op& op) {
        void*& block = blocks_[op.slot];
        switch (op.kind) {
            case OpKind::Malloc: return Place(op, block);
            case OpKind::ReallocNull: return op.size > 0 ? Place(op, block) : nullptr;
            case OpKind::Realloc: return Resize(op, block);
            case OpKind::Free:
            case OpKind::ReallocFree: return Take(block);
            case OpKind::FreeNull:
            case OpKind::Touch:
            case OpKind::Nothing: break;
        }
        return nullptr;
    }
    void* Resize(const Op& op, void*& block) {
        if (block == nullptr) return nullptr;  // its allocation failed
        void* const moved = functions_.resize(block, op.size);
        if (moved != nullptr) block = moved;
        return moved;
    }

    const Functions functions_;
    const Order& order_;
    const Op* ops_;
    void** blocks_;     // by slot
    void** forgotten_;  // live blocks whose slot was used again; at most one an operation
    std::uint64_t known_ = 0;
};

void Time(Runner& runner, const Order& order, Report& report) {
    const std::uint64_t began = Now();
    while (report.timedRuns < order.timedRuns && Now() - began < kSecond) {
        const std::uint64_t before = Now();
        runner.Run(nullptr);
        const std::uint64_t took = Now() - before;
        runner.FreeAll();
        if (report.timedRuns == 0 || took < report.bestNanoseconds) report.bestNanoseconds = took;
        ++report.timedRuns;
    }
}

int Main(int count, char** arguments) {
    auto* const order = static_cast<const Order*>(MapShared(kOrderDescriptor, PROT_READ));
    auto* const report = static_cast<Report*>(MapShared(kReportDescriptor, PROT_READ | PROT_WRITE));
    if (count != 3 || order == nullptr || report == nullptr || order->version != kLayoutVersion) return 2;
    const auto* const bytes = reinterpret_cast<const char*>(order);
    const auto* const ops = reinterpret_cast<const Op*>(bytes + kOrderBytes);
    auto* const records = reinterpret_cast<Record*>(reinterpret_cast<char*>(report) + kReportBytes);
    void** const blocks = Table<void*>(order->slots);
    void** const forgotten = Table<void*>(order->ops);
    if (blocks == nullptr || forgotten == nullptr) return 2;
    const rlimit memory{order->memoryBytes, order->memoryBytes}, none{0, 0};
    ::setrlimit(RLIMIT_AS, &memory);
    ::setrlimit(RLIMIT_CORE, &none);
    report->phase = Phase::Loading;
    const Functions functions = Load(arguments[1], arguments[2], *report);
    if (!functions.AllThere()) {
        report->finding = Finding::CannotLoad;
        return 0;
    }
    report->phase = Phase::Running;
    Runner runner(functions, *order, ops, blocks, forgotten);
    runner.Run(records);
    runner.FreeAll();
    Time(runner, *order, *report);
    report->phase = Phase::Done;
    return 0;
}

}  // namespace
}  // namespace residue::lab::peer

int main(int count, char** arguments) {
    // What the library would do at the end of a program is not waited for.
    ::_exit(residue::lab::peer::Main(count, arguments));
}
