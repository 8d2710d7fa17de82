#include "lab/host/heap.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "lab/layout.hpp"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace residue::lab::host {
namespace {

constexpr std::uint64_t kPage = 4096;

std::uint64_t PageEnd(std::uint64_t address) {
    return (address + kPage - 1) / kPage * kPage;
}

// What dirty memory holds at an address (a multiple of 8): no zero bytes, no two words alike, odd and even ones.
std::uint64_t DirtyWord(std::uint64_t address) {
    const std::uint64_t mixed = (address ^ (address >> 7)) * 0x9E37'79B9'7F4A'7C15u;
    return mixed | 0x0101'0101'0101'0100u;
}

unsigned char* At(std::uint64_t address) {
    return reinterpret_cast<unsigned char*>(address);
}

}  // namespace

bool Heap::Reserve(std::uint64_t bytes) {
    limit_ = PageEnd(bytes);
    void* const wanted = At(kHeapBase - kGuardBytes);
    void* const got = ::mmap(wanted, limit_ + 2 * kGuardBytes, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    end_ = usable_ = kHeapBase;
    return got == wanted;
}

std::uint64_t Heap::Low() const {
    return kHeapBase;
}

void Heap::Begin(Content content, bool guarded) {
    content_ = content;
    guarded_ = guarded;
    end_ = usable_ = kHeapBase;
    highWater_ = writtenBehind_ = 0;
    ::mprotect(At(kHeapBase), limit_, guarded ? PROT_NONE : PROT_READ | PROT_WRITE);
    if (!guarded) usable_ = kHeapBase + limit_;
}

void* Heap::Sbrk(long increment) {
    void* const failed = reinterpret_cast<void*>(-1L);
    if (increment < 0 || static_cast<std::uint64_t>(increment) > kHeapBase + limit_ - end_) {
        errno = ENOMEM;
        return failed;
    }
    if (writtenBehind_ == 0) writtenBehind_ = LookBehind();
    const std::uint64_t old = end_;
    const std::uint64_t next = end_ + static_cast<std::uint64_t>(increment);
    if (PageEnd(next) > usable_) {
        const std::uint64_t from = usable_;
        if (::mprotect(At(from), PageEnd(next) - from, PROT_READ | PROT_WRITE) != 0) {
            errno = ENOMEM;
            return failed;
        }
        usable_ = PageEnd(next);
        if (content_ == Content::Dirty) {
            for (std::uint64_t at = from; at < usable_; at += 8) {
                const std::uint64_t word = DirtyWord(at);
                std::memcpy(At(at), &word, sizeof(word));
            }
        }
    }
    end_ = next;
    if (end_ - kHeapBase > highWater_) highWater_ = end_ - kHeapBase;
    return At(old);
}

void Heap::Reset() {
    end_ = kHeapBase;
}

std::uint64_t Heap::FirstByteWrittenBehind() const {
    return writtenBehind_ != 0 ? writtenBehind_ : LookBehind();
}

std::uint64_t Heap::LookBehind() const {
    const bool shrunk = end_ - kHeapBase < highWater_;  // what was the heap before is behind it now
    if (!guarded_ || content_ == Content::AsItIs || shrunk) return 0;
    for (std::uint64_t at = end_; at < usable_;) {
        const std::uint64_t word = at / 8 * 8;
        std::uint64_t expected = content_ == Content::Dirty ? DirtyWord(word) : 0;
        std::uint64_t found = 0;
        std::memcpy(&found, At(word), sizeof(found));
        for (; at < word + 8; ++at) {
            const unsigned shift = static_cast<unsigned>(at - word) * 8;
            if (((found ^ expected) >> shift & 0xFF) != 0) return at;
            if (at == word && found == expected) at = word + 7;
        }
    }
    return 0;
}

}  // namespace residue::lab::host
