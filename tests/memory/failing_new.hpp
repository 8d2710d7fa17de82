// The C++ heap of a test program, made to fail: every operator new of it is ours (failing_new.cpp). Counts the blocks
// that are out, so that a loss is seen in any build. All threads; one FailingNew at a time.
//
//     UntilNoneFails([](FailingNew& heap) -> std::optional<std::uint64_t> {
//         heap.Arm();                               // from here on the Nth operator new fails
//         ... return a number that tells the result, or nothing for a clean error
//     });
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace memory_tests {

enum class Failing : std::uint8_t { Once, FromThenOn };

class FailingNew {
public:
    explicit FailingNew(std::uint64_t at, Failing mode = Failing::Once);
    ~FailingNew();
    FailingNew(const FailingNew&) = delete;
    FailingNew& operator=(const FailingNew&) = delete;

    void Arm();
    void Disarm();
    std::uint64_t Failures() const;
};

std::int64_t BlocksOut();

// Runs it with the 1st, 2nd, 3rd … allocation failing, once and from then on, until none does. Each run must end with
// the result of a run that nothing failed in, with no result, or in std::bad_alloc; must lose no block; and a run
// after it must work. Returns how many allocations a run makes, at most (threads may differ).
using Run = std::function<std::optional<std::uint64_t>(FailingNew&)>;
std::uint64_t UntilNoneFails(const Run& run, std::uint64_t step = 1);

}  // namespace memory_tests
