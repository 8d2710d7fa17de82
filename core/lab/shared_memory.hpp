// Memory that a child process gets by its descriptor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "log/failure.hpp"

namespace residue::lab {

class SharedMemory {
public:
    // Zeroed. Failure: no memory.
    static Outcome<SharedMemory> Make(const char* name, std::uint64_t bytes);
    ~SharedMemory();
    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&&) = delete;

    std::byte* Data() const { return data_; }
    std::uint64_t Bytes() const { return bytes_; }
    int Descriptor() const { return descriptor_; }
    // From now on nobody can write it; ours is read-only, too.
    Outcome<void> Seal();

private:
    SharedMemory() = default;
    int descriptor_ = -1;
    std::byte* data_ = nullptr;
    std::uint64_t bytes_ = 0;
};

}  // namespace residue::lab
