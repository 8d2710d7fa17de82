#include "lab/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace residue::lab {
namespace {

tl::unexpected<Failure> NoMemory() {
    return Fail(Failure{"shared memory", std::strerror(errno), ""});
}

}  // namespace

Outcome<SharedMemory> SharedMemory::Make(const char* name, std::uint64_t bytes) {
    SharedMemory memory;
    memory.bytes_ = bytes;
    memory.descriptor_ = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory.descriptor_ < 0 || ::ftruncate(memory.descriptor_, static_cast<off_t>(bytes)) != 0) return NoMemory();
    // Its size stays, or a reader would fall off its end.
    ::fcntl(memory.descriptor_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    void* const data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.descriptor_, 0);
    if (data == MAP_FAILED) return NoMemory();
    memory.data_ = static_cast<std::byte*>(data);
    return memory;
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(other.bytes_) {}

SharedMemory::~SharedMemory() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
    if (descriptor_ >= 0) ::close(descriptor_);
}

Outcome<void> SharedMemory::Seal() {
    ::munmap(data_, bytes_);
    data_ = nullptr;
    if (::fcntl(descriptor_, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) != 0) return NoMemory();
    void* const data = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, descriptor_, 0);
    if (data == MAP_FAILED) return NoMemory();
    data_ = static_cast<std::byte*>(data);
    return {};
}

}  // namespace residue::lab
