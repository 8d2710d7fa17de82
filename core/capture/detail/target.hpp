// Another process, looked at from outside through libdwfl: what it has loaded, where functions are, where there is room
// for some code, and through which functions a thread of it got to where it stopped.
//
// As of when it was made. The process is not stopped for it; a thread that Stands is asked about is, by the caller.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/detail/visit.hpp"
#include "log/failure.hpp"

struct Dwfl_Module;

namespace residue::capture::detail {

struct ThreadPlace {
    std::uint64_t code = 0;        // the next instruction
    std::int64_t systemCall = -1;  // the one that it waits in; negative: none
};

class Target {
public:
    // Failure: what it has loaded cannot be read, or has no C library that we know.
    static Outcome<std::unique_ptr<Target>> Look(pid_t process);
    ~Target();
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    // The functions of its C library that a visit calls; the paths are left empty.
    const VisitPlan& Functions() const { return functions_; }
    // Executable bytes that belong to nothing: between the end of some code and the end of its page.
    std::optional<std::uint64_t> RoomFor(std::size_t bytes) const;
    // May a thread that stopped there call into the loader, as if its program did? Not within the C library (but where
    // it only waits for something), the loader, the allocator or the shim, nor called by the latter, nor in a signal
    // handler, which may have come in the middle of them. `thread` is stopped by the calling thread.
    bool Stands(pid_t thread, const ThreadPlace& place) const;

private:
    struct Module;
    struct State;
    explicit Target(std::unique_ptr<State> state);
    static int AddModule(Dwfl_Module* handle, void** unused, const char* name, std::uint64_t begin, void* modules);
    Outcome<void> FindFunctions(pid_t process);
    Outcome<void> FindAllocator(pid_t process);
    void AddTouchy(const Module& library);
    std::unique_ptr<State> state_;
    VisitPlan functions_;
};

}  // namespace residue::capture::detail
