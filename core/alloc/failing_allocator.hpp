// Any allocator, made to fail: at its Nth request, once or from then on. How one shows that a program survives every
// allocation that can fail:
//
//     for (std::uint64_t n = 1;; ++n) {
//         FailingAllocator failing(&inner, n);
//         RunTheProgram(&failing);
//         if (failing.Failures() == 0) break;      // it made fewer than n requests: all have failed once
//     }
//
// Requests are allocations and resizes; frees never fail here. Cost: a comparison a request. Thread safety: none.
#pragma once

#include <cstdint>

#include "alloc/forwarding_allocator.hpp"

namespace residue::alloc {

enum class Failing : std::uint8_t { Once, FromThenOn };

struct FailingAllocator : ForwardingAllocator<FailingAllocator> {
    // `at`: the request that fails, counted from 1; 0: none does.
    explicit FailingAllocator(Allocator* inner, std::uint64_t at = 0, Failing mode = Failing::Once,
                              MemoryError error = MemoryError::InsufficientMemory)
        : ForwardingAllocator(inner, "failing"), at_(at), mode_(mode), error_(error) {}

    std::uint64_t Requests() const { return requests_; }
    std::uint64_t Failures() const { return failures_; }

private:
    friend ForwardingAllocator;
    struct Nothing {};
    Nothing Enter() const { return {}; }
    std::optional<MemoryError> Refuse() {
        ++requests_;
        const bool fails = at_ != 0 && (requests_ == at_ || (mode_ == Failing::FromThenOn && requests_ > at_));
        if (!fails) return std::nullopt;
        ++failures_;
        return error_;
    }

    std::uint64_t at_;
    Failing mode_;
    MemoryError error_;
    std::uint64_t requests_ = 0;
    std::uint64_t failures_ = 0;
};

}  // namespace residue::alloc
