// What a user would take instead: glibc's malloc, and those of mimalloc and jemalloc where they are installed. They are
// loaded with dlopen: linked, they would replace malloc. Each keeps its own heap.
//
//     bench::MakeRoomForPeers(argv);                       // first thing in main: may start the program anew
//     for (const bench::Peer& peer : bench::LoadPeers()) if (peer.Here()) peer.Allocate(100);
//     double bytes = bench::FootprintOf(peer, shape);      // before the peer was used for anything else
//
// Linux. Under a sanitizer only glibc's malloc is "here": RTLD_DEEPBIND and the sanitizers' malloc exclude each other.
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "bench/shapes.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RESIDUE_BENCH_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define RESIDUE_BENCH_SANITIZED 1
#endif
#endif
#ifndef RESIDUE_BENCH_SANITIZED
#define RESIDUE_BENCH_SANITIZED 0
#endif

namespace residue::bench {

struct Peer {
    std::string name;
    void* (*malloc)(std::size_t) = nullptr;
    void* (*realloc)(void*, std::size_t) = nullptr;
    void (*free)(void*) = nullptr;

    bool Here() const { return malloc != nullptr && realloc != nullptr && free != nullptr; }
    void* Allocate(std::size_t bytes) const { return malloc(bytes); }
    void* Resize(void* block, std::size_t, std::size_t bytes) const { return realloc(block, bytes); }
    bool Free(void* block) const {
        free(block);
        return true;
    }
};

// jemalloc wants more thread-local memory at once than the loader keeps for libraries that come late. How much it keeps
// is set in the environment, before the program starts.
inline void MakeRoomForPeers(char** argv) {
    if (RESIDUE_BENCH_SANITIZED) return;
    constexpr const char* kName = "GLIBC_TUNABLES";
    const char* const now = std::getenv(kName);
    if (now != nullptr && std::strstr(now, "optional_static_tls") != nullptr) return;
    const std::string wanted = (now == nullptr ? std::string() : std::string(now) + ":") +
                               "glibc.rtld.optional_static_tls=16384";
    setenv(kName, wanted.c_str(), 1);
    execv("/proc/self/exe", argv);  // where that fails, jemalloc is missing and nothing else
}

inline Peer LoadPeer(const char* name, const char* library, const char* prefix) {
    Peer peer{name, nullptr, nullptr, nullptr};
    if (RESIDUE_BENCH_SANITIZED) return peer;
    void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (handle == nullptr) {
        std::fprintf(stderr, "%s is left out: %s\n", name, dlerror());
        return peer;
    }
    const auto find = [&](const char* function, auto& pointer) {
        pointer = reinterpret_cast<std::decay_t<decltype(pointer)>>(
            dlsym(handle, (std::string(prefix) + function).c_str()));
    };
    find("malloc", peer.malloc);
    find("realloc", peer.realloc);
    find("free", peer.free);
    return peer;
}

// glibc's is the first.
inline std::vector<Peer> LoadPeers() {
    return {{"glibc", std::malloc, std::realloc, std::free},
            LoadPeer("mimalloc", "libmimalloc.so.2", "mi_"),
            LoadPeer("jemalloc", "libjemalloc.so.2", "")};
}

// Bytes of memory that the process has written to and holds, by a walk of its page tables; NaN where the kernel does
// not say. Allocates nothing.
inline double HeldBytes() {
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    const int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    if (file < 0) return kUnknown;
    char text[4096];
    const ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got <= 0) return kUnknown;
    text[got] = '\0';
    constexpr const char* kLine = "\nAnonymous:";
    const char* const line = std::strstr(text, kLine);
    if (line == nullptr) return kUnknown;
    return static_cast<double>(std::strtoull(line + std::strlen(kLine), nullptr, 10)) * 1024;
}

// By how much the memory that the process holds grows, at most, while the shape is replayed on a heap that nobody used
// before and every byte that was asked for is written: what the allocator makes a program hold, in pages, without what
// it set up at its start. In a child, and there on a thread, which gets an arena of its own from glibc. Looked at 128
// times and at the peak of the payload; a peak between two looks is missed. NaN where it cannot be told.
inline double FootprintOf(const Peer& peer, const Shape& shape) {
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    int ends[2];
    if (pipe(ends) != 0) return kUnknown;
    const pid_t child = fork();
    if (child < 0) return kUnknown;
    if (child == 0) {
        double most = kUnknown;
        std::vector<void*> blocks(shape.Ids());
        std::thread([&] {
            peer.Free(peer.Allocate(1));
            const double before = HeldBytes();
            const std::size_t peak = shape.PeakPayload().operation;
            const std::size_t every = shape.operations.size() / 128 + 1;
            double highest = before;
            const bool whole = Replay(shape, peer, blocks, [&](std::size_t i) {
                const ShapeOperation& operation = shape.operations[i];
                if (operation.kind != 'f') std::memset(blocks[operation.id], 1, operation.bytes);
                if (i == peak || i % every == 0) highest = std::max(highest, HeldBytes());
            });
            if (whole) most = std::max(highest, HeldBytes()) - before;
        }).join();
        const bool told = write(ends[1], &most, sizeof most) == static_cast<ssize_t>(sizeof most);
        _exit(told ? 0 : 1);
    }
    close(ends[1]);
    double bytes = kUnknown;
    const bool told = read(ends[0], &bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return told && status == 0 && bytes > 0 ? bytes : kUnknown;
}

}  // namespace residue::bench
