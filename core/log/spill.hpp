// Room on disk for what a log does not change any more: a file without a name, mapped, which the system writes out and
// whose memory it takes back when that is needed elsewhere. What lies in it is read as any memory.
//
//     auto spill = Spill::Create("/var/tmp", {.most = 1 << 30});
//     log.SpillTo(*spill, 1 << 28);      // beyond so many bytes in memory
//
// A mapped file on a full disk would end the process with a signal: so room is set aside in the file before it is
// mapped, and where there is none, Take says so.
// Threads: Take by one, the others by any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "log/failure.hpp"

namespace residue::log {

struct SpillOptions {
    std::uint64_t most = ~std::uint64_t{0};  // bytes of the file
    std::uint64_t spare = 1u << 30;          // bytes of its disk that stay free
    std::size_t slab = 32u << 20;            // bytes that are set aside at once; a multiple of the page size
};

class Spill {
public:
    // `folder`: on a disk that can be written, and not in memory (tmpfs), where nothing would be gained.
    static Outcome<std::shared_ptr<Spill>> Create(const std::string& folder, const SpillOptions& options = {});
    ~Spill();  // everything taken is gone
    Spill(const Spill&) = delete;
    Spill& operator=(const Spill&) = delete;

    // Zeroed, aligned to 64 bytes. Null: there is no room; from then on IsFull.
    std::byte* Take(std::size_t bytes);
    std::uint64_t Bytes() const { return bytes_.load(std::memory_order_relaxed); }  // of the file
    bool IsFull() const { return full_.load(std::memory_order_relaxed); }

    // Where recordings may spill to: $XDG_CACHE_HOME, ~/.cache, /var/tmp: the first that Create takes.
    static Outcome<std::shared_ptr<Spill>> CreateAnywhere(const SpillOptions& options = {});

private:
    Spill(int file, const SpillOptions& options) : file_(file), options_(options) {}
    bool AddSlab(std::size_t bytes);

    struct Slab {
        std::byte* begin;
        std::size_t bytes;
    };
    int file_;
    SpillOptions options_;
    std::vector<Slab> slabs_;
    std::byte* next_ = nullptr;
    std::size_t left_ = 0;
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<bool> full_{false};
};

}  // namespace residue::log
