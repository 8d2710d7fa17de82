#include "lab/host/passes.hpp"

#include <cstring>
#include <ctime>

#include "lab/host/crash.hpp"
#include "lab/host/look.hpp"

namespace residue::lab::host {
namespace {

constexpr unsigned kBestOf = 3;                        // K-best: the fastest three runs within 1 %
constexpr std::uint64_t kTimedBudget = 1'000'000'000;  // nanoseconds for all timed runs of a trace

std::uint64_t Now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

// A call that longjmp took back to after it had returned: what returns must be what was called last.
volatile std::uint64_t underWay = 0;
std::uint64_t calls = 0;
bool followsNext = false;  // the next call is the one that leads to the moment which is looked at

template <class Call>
[[gnu::noinline]] auto CallOnce(Report& report, Doing doing, Call call) {
    const std::uint64_t own = ++calls;
    underWay = own;
    report.doing = doing;
    const auto given = call();
    if (underWay != own) EndWith(Finding::Jumped);
    underWay = 0;
    report.doing = Doing::Nothing;
    return given;
}

// Apart from the call itself, so that what finds out jumps stays as simple as it is.
template <class Call>
auto Calling(Report& report, Doing doing, Call call) {
    if (!followsNext) return CallOnce(report, doing, call);
    return CallOnce(report, doing, [&] {
        BeginSteps();
        const auto given = call();
        EndSteps();
        return given;
    });
}

std::uint64_t FillWord(std::uint64_t seed, std::uint64_t index) {
    return seed + index * 0xC2B2'AE3D'27D4'EB4Fu;
}

void Fill(void* block, unsigned long size, std::uint64_t seed) {
    auto* const bytes = static_cast<unsigned char*>(block);
    unsigned long at = 0;
    for (; at + 8 <= size; at += 8) {
        const std::uint64_t word = FillWord(seed, at / 8);
        std::memcpy(bytes + at, &word, 8);
    }
    const std::uint64_t last = FillWord(seed, at / 8);
    std::memcpy(bytes + at, &last, size - at);
}

struct Wrong {
    unsigned long first = 0, count = 0;  // bytes that are not as they were filled
};

// A loop without a branch: traces that resize are mostly spent here.
bool AllWordsRight(const unsigned char* bytes, unsigned long words, std::uint64_t seed) {
    std::uint64_t different = 0;
    for (unsigned long i = 0; i < words; ++i) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes + i * 8, 8);
        different |= word ^ FillWord(seed, i);
    }
    return different == 0;
}

Wrong FindWrong(const void* block, unsigned long size, std::uint64_t seed) {
    const auto* const bytes = static_cast<const unsigned char*>(block);
    Wrong wrong;
    const unsigned long whole = AllWordsRight(bytes, size / 8, seed) ? size / 8 * 8 : 0;
    for (unsigned long at = whole; at < size; at += 8) {
        const std::uint64_t word = FillWord(seed, at / 8);
        const unsigned long most = size - at < 8 ? size - at : 8;
        if (std::memcmp(bytes + at, &word, most) == 0) continue;
        unsigned char expected[8];
        std::memcpy(expected, &word, 8);
        for (unsigned long i = 0; i < most; ++i) {
            if (bytes[at + i] == expected[i]) continue;
            if (wrong.count++ == 0) wrong.first = at + i;
        }
    }
    return wrong;
}

class PassRun {
public:
    PassRun(Work& work, Pass pass) : work_(work), pass_(pass) {}

    void Run() {
        Report& report = *work_.report;
        report.pass = pass_;
        report.op = report.recorded = 0;
        std::memset(work_.seeds, 0, work_.order->slots * sizeof(*work_.seeds));
        const Order& order = *work_.order;
        followsNext = order.lookAt == 0;
        Init();
        const std::uint64_t wanted = order.lookAt < order.stopAt ? order.lookAt : order.stopAt;
        const std::uint64_t stop = wanted < order.ops ? wanted : order.ops;
        for (std::uint64_t i = 0; i < stop; ++i) {
            report.op = i;
            followsNext = i + 1 == order.lookAt;
            if (IsChecked() && order.checkAll != 0 && !followsNext) CheckEverything();
            Do(work_.ops[i]);
            report.heapEnd = work_.heap->End();
            LookAround(i);
        }
        if (IsChecked() && !Looks()) CheckPayloads();
        const auto index = static_cast<unsigned>(pass_);
        report.passEnd[index] = work_.heap->HighWater();
        report.passesDone = index + 1;
    }

private:
    bool IsChecked() const { return static_cast<unsigned>(pass_) < kValidityPasses; }

    void Init() {
        const Student& student = work_.student;
        const bool fine = Calling(*work_.report, Doing::Init, [&]() -> bool {
            return work_.order->api == Api::MmBool ? student.initBool() : student.init() >= 0;
        });
        work_.report->heapEnd = work_.heap->End();
        if (!fine) EndWith(Finding::InitFailed);
        CheckBehind();
    }

    void Do(const Op& op) {
        address_ = 0;
        switch (op.kind) {
            case OpKind::Malloc: return Place(op, Malloc(op.size));
            case OpKind::ReallocNull: return Place(op, Realloc(nullptr, op.size));
            case OpKind::Free:
                CheckPayload(op.slot);
                work_.seeds[op.slot] = 0;
                return Free(work_.blocks[op.slot]);
            case OpKind::FreeNull: return Free(nullptr);
            case OpKind::Realloc: return Resize(op);
            case OpKind::ReallocFree:
                CheckPayload(op.slot);
                work_.seeds[op.slot] = 0;
                address_ = reinterpret_cast<std::uint64_t>(Realloc(work_.blocks[op.slot], 0));
                if (address_ != 0 && op.mayBeNull == 0) Found(Finding::NotNull, op.slot);
                return;
            case OpKind::Touch: return;
            case OpKind::Nothing: return;
        }
    }

    void* Malloc(std::uint64_t size) {
        return Calling(*work_.report, Doing::Malloc, [&] { return work_.student.malloc(size); });
    }
    void* Realloc(void* block, std::uint64_t size) {
        return Calling(*work_.report, Doing::Realloc, [&] { return work_.student.realloc(block, size); });
    }
    void Free(void* block) {
        Calling(*work_.report, Doing::Free, [&] {
            work_.student.free(block);
            return 0;
        });
    }

    // A block came to life.
    void Place(const Op& op, void* block) {
        address_ = reinterpret_cast<std::uint64_t>(block);
        work_.seeds[op.slot] = 0;
        CheckAddress(op);
        work_.blocks[op.slot] = block;
        work_.sizes[op.slot] = op.size;
        if (IsChecked() && block != nullptr) FillSlot(op.slot);
    }

    void Resize(const Op& op) {
        CheckPayload(op.slot);
        const std::uint64_t seed = work_.seeds[op.slot];
        const unsigned long before = work_.sizes[op.slot];
        work_.seeds[op.slot] = 0;  // the old block is the student's
        void* const block = Realloc(work_.blocks[op.slot], op.size);
        address_ = reinterpret_cast<std::uint64_t>(block);
        CheckAddress(op);
        work_.blocks[op.slot] = block;
        work_.sizes[op.slot] = op.size;
        if (!IsChecked()) return;
        const unsigned long kept = before < op.size ? before : op.size;
        const Wrong wrong = seed == 0 ? Wrong{} : FindWrong(block, kept, seed);
        if (wrong.count != 0) {
            work_.report->value = wrong.first;
            work_.report->value2 = wrong.count;
            Found(Finding::OldDataLost, op.slot);
        }
        FillSlot(op.slot);
    }

    void CheckAddress(const Op& op) {
        if (address_ == 0 && op.mayBeNull == 0) Found(Finding::NullReturned, op.slot);
        if (!IsChecked() || address_ == 0) return;
        if (address_ % work_.order->alignment != 0) Found(Finding::Misaligned, op.slot);
        const std::uint64_t low = work_.heap->Low(), end = work_.heap->End();
        const bool inside = address_ >= low && address_ <= end && op.size <= end - address_;
        if (!inside) Found(Finding::OutsideHeap, op.slot);
    }

    void FillSlot(std::uint32_t slot) {
        const std::uint64_t seed = ((work_.report->op + 1) * 0x9E37'79B9'7F4A'7C15u) | 1;
        Fill(work_.blocks[slot], work_.sizes[slot], seed);
        work_.seeds[slot] = seed;
    }

    void CheckPayload(std::uint32_t slot) {
        if (!IsChecked() || work_.seeds[slot] == 0) return;
        const Wrong wrong = FindWrong(work_.blocks[slot], work_.sizes[slot], work_.seeds[slot]);
        if (wrong.count == 0) return;
        work_.report->value = wrong.first;
        work_.report->value2 = wrong.count;
        address_ = reinterpret_cast<std::uint64_t>(work_.blocks[slot]);
        Found(Finding::Garbled, slot);
    }
    void CheckPayloads() {
        for (std::uint64_t slot = 0; slot < work_.order->slots; ++slot) CheckPayload(static_cast<std::uint32_t>(slot));
    }
    void CheckBehind() {
        if (!IsChecked()) return;
        const std::uint64_t written = work_.heap->FirstByteWrittenBehind();
        if (written == 0) return;
        work_.report->address = written;
        EndWith(Finding::PastHeapEnd);
    }
    void LookAround(std::uint64_t i) {
        work_.records[static_cast<std::uint64_t>(pass_) * work_.order->ops + i] = {address_, work_.heap->End()};
        work_.report->recorded = i + 1;
        if (!IsChecked()) return;
        CheckBehind();
        if (work_.order->watchSlot < work_.order->slots)
            CheckPayload(static_cast<std::uint32_t>(work_.order->watchSlot));
    }
    void CheckEverything() {
        CheckPayloads();
        const Student& student = work_.student;
        if (student.check == nullptr) return;
        const bool fine = Calling(*work_.report, Doing::Check, [&] {
            constexpr int kLine = 0;
            if (work_.order->api == Api::MmBool) return student.checkBool(kLine);
            student.check(kLine);
            return true;
        });
        if (!fine) EndWith(Finding::CheckFailed);
    }

    [[noreturn]] void Found(Finding finding, std::uint32_t slot) {
        work_.report->address = address_;
        work_.report->slot = slot;
        work_.report->heapEnd = work_.heap->End();
        EndWith(finding);
    }

    Work& work_;
    Pass pass_;
    std::uint64_t address_ = 0;  // that the operation under way gave
};

// One run for the clock: nothing is checked but NULL.
void RunTimed(Work& work) {
    Report& report = *work.report;
    const Student& student = work.student;
    report.op = 0;
    report.doing = Doing::Init;
    const bool fine = work.order->api == Api::MmBool ? student.initBool() : student.init() >= 0;
    if (!fine) EndWith(Finding::InitFailed);
    for (std::uint64_t i = 0; i < work.order->ops; ++i) {
        const Op& op = work.ops[i];
        report.op = i;
        void* block = nullptr;
        switch (op.kind) {
            case OpKind::Malloc:
            case OpKind::ReallocNull:
            case OpKind::Realloc:
                report.doing = op.kind == OpKind::Malloc ? Doing::Malloc : Doing::Realloc;
                block = op.kind == OpKind::Malloc
                            ? student.malloc(op.size)
                            : student.realloc(op.kind == OpKind::Realloc ? work.blocks[op.slot] : nullptr, op.size);
                if (block == nullptr && op.mayBeNull == 0) EndWith(Finding::NullReturned);
                work.blocks[op.slot] = block;
                work.sizes[op.slot] = op.size;
                break;
            case OpKind::Free:
                report.doing = Doing::Free;
                student.free(work.blocks[op.slot]);
                break;
            case OpKind::FreeNull:
                report.doing = Doing::Free;
                student.free(nullptr);
                break;
            case OpKind::ReallocFree:
                report.doing = Doing::Realloc;
                student.realloc(work.blocks[op.slot], 0);
                break;
            case OpKind::Touch: {
                auto* const bytes = static_cast<volatile unsigned char*>(work.blocks[op.slot]);
                const unsigned long size = op.size < work.sizes[op.slot] ? op.size : work.sizes[op.slot];
                for (unsigned long at = 0; at < size; ++at) bytes[at] = static_cast<unsigned char>(bytes[at] + 1);
                break;
            }
            case OpKind::Nothing: break;
        }
    }
}

// The fastest of several runs: until the three fastest are within 1 %, or there were enough of them.
void Time(Work& work) {
    Report& report = *work.report;
    report.pass = Pass::Timed;
    std::uint64_t best[kBestOf] = {};
    unsigned known = 0;
    std::uint64_t all = 0;
    for (unsigned run = 0; run < work.order->timedRuns && all < kTimedBudget; ++run) {
        work.heap->Begin(Heap::Content::AsItIs, false);
        const std::uint64_t begin = Now();
        RunTimed(work);
        std::uint64_t took = Now() - begin;
        all += took;
        report.timedRuns = run + 1;
        if (known < kBestOf) best[known++] = ~std::uint64_t{0};
        for (unsigned i = 0; i < known; ++i) {
            if (took >= best[i]) continue;
            const std::uint64_t slower = best[i];
            best[i] = took;
            took = slower;
        }
        report.bestNanoseconds = best[0];
        if (run + 1 >= kBestOf && best[kBestOf - 1] - best[0] <= best[0] / 100) break;
    }
    report.passEnd[static_cast<unsigned>(Pass::Timed)] = work.heap->HighWater();
    report.passesDone = kPasses;
    report.doing = Doing::Nothing;
}

}  // namespace

void RunPasses(Work& work) {
    constexpr Heap::Content kContents[] = {Heap::Content::Zeroed, Heap::Content::Dirty, Heap::Content::AsItIs};
    for (unsigned pass = 0; pass <= static_cast<unsigned>(Pass::Utilisation); ++pass) {
        work.heap->Begin(kContents[pass], true);
        PassRun(work, static_cast<Pass>(pass)).Run();
        if (Looks()) return CopyHeap();
        if (pass + 1 == kValidityPasses && work.order->watchSlot != kNoWatch) return;
    }
    Time(work);
}

}  // namespace residue::lab::host
