// Who takes part in a race, told by names as a user types them: an allocator of alloc::Registry(), a malloc of the
// system (glibc, mimalloc, jemalloc, tcmalloc), or the path of a student's mm.c (a name with a slash or ending in .c).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "alloc/registry.hpp"
#include "lab/build.hpp"
#include "log/failure.hpp"

namespace residue::lab {

struct SystemMalloc {
    const char* name;
    const char* library;  // for dlopen; empty: what every program has
    const char* prefix;   // of its functions
    const char* title;
};

std::span<const SystemMalloc> SystemMallocs();
// Null: it is none.
const SystemMalloc* FindSystemMalloc(const std::string& name);
// Is it the path of an mm.c?
bool IsStudentName(const std::string& name);

struct Entrant {
    std::string name;
    // One of them is set.
    const alloc::Registration* registered = nullptr;
    const SystemMalloc* system = nullptr;
    std::shared_ptr<const Built> student;
};

inline constexpr std::size_t kMostEntrants = 32;

// Checks the names without building anything. Several failures: all of them.
std::vector<Failure> CheckEntrants(const std::vector<std::string>& names);

// Builds what is to be built. Failures: CheckEntrants' first; a student's file that does not build, with the compiler's
// words in `messages` (which also takes its warnings).
Outcome<std::vector<Entrant>> MakeEntrants(const std::vector<std::string>& names, const BuildOptions& options,
                                           std::string& messages);

// "first-fit, next-fit, ..., glibc, ..."
std::string EntrantNames();

}  // namespace residue::lab
