// What is loaded where, for the names of frames: told to the recorder when a frame of it is first seen, because the
// program may be gone before anybody could look.
#pragma once

#include <cstdint>

#include "capture/layout.hpp"

namespace residue::capture::shim {

class Modules {
public:
    void Use(Header* header, Module* table) noexcept {
        header_ = header;
        table_ = table;
        from_.store(0, std::memory_order_relaxed);
    }
    // Tells of the module around `address`, if it is not known yet. Lock-free; costs a look at those that are known.
    void See(std::uint64_t address) noexcept;
    // Some are gone, and others may come to their places: all are to be told again.
    void Forget() noexcept {
        if (header_ == nullptr) return;
        from_.store(header_->modules.load(std::memory_order_acquire), std::memory_order_release);
    }

private:
    Header* header_ = nullptr;
    Module* table_ = nullptr;
    std::atomic<std::uint32_t> from_{0};
};

}  // namespace residue::capture::shim
