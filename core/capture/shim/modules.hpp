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
    }
    // Tells of the module around `address`, if it is not known yet. Lock-free; costs a look at those that are known.
    void See(std::uint64_t address) noexcept;

private:
    Header* header_ = nullptr;
    Module* table_ = nullptr;
};

}  // namespace residue::capture::shim
