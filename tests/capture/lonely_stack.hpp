// Memory to be walked as a stack, between two pages that must not be touched.
#pragma once

#include <sys/mman.h>

#include <cstdint>

#include "events/stack_walk.hpp"
#include "support/catch.hpp"

namespace residue::capture::testing {

class LonelyStack {
public:
    static constexpr std::size_t kPage = 4096;

    explicit LonelyStack(std::size_t pages) : bytes_(pages * kPage) {
        all_ = mmap(nullptr, bytes_ + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(all_ != MAP_FAILED);
        low_ = reinterpret_cast<std::uintptr_t>(all_) + kPage;
        REQUIRE(mprotect(reinterpret_cast<void*>(low_), bytes_, PROT_READ | PROT_WRITE) == 0);
    }
    ~LonelyStack() { munmap(all_, bytes_ + 2 * kPage); }
    LonelyStack(const LonelyStack&) = delete;
    LonelyStack& operator=(const LonelyStack&) = delete;

    std::uintptr_t Low() const { return low_; }
    std::uintptr_t High() const { return low_ + bytes_; }
    std::size_t WordCount() const { return bytes_ / 8; }
    std::uintptr_t& Word(std::uintptr_t address) { return *reinterpret_cast<std::uintptr_t*>(address); }

private:
    std::size_t bytes_;
    void* all_ = nullptr;
    std::uintptr_t low_ = 0;
};

}  // namespace residue::capture::testing
