// Builds a student's unchanged files into a library that the host loads: with the system's compiler, against our
// memlib, in a process that may read the student's copied files and the system's headers, and nothing else of this
// machine (`#include "/etc/passwd"` and `.incbin` find nothing).
//
//     auto built = Build("mm.c", {});
//     if (!built) ...                                 // nothing was compiled: built.error()
//     if (!built->fine) print(built->messages);       // the compiler's, as they are
//
// All generations of FORMATS.md section 1.2 of the design, told apart by the student's own headers and code.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/layout.hpp"
#include "lab/staging.hpp"
#include "log/failure.hpp"

namespace residue::lab {

struct BuildOptions {
    std::string compiler;            // empty: cc, gcc or clang, whichever is there first
    std::vector<std::string> flags;  // on top of ours: "-O3"
    bool needsLandlock = true;       // false: the compiler may read what the user may
    const std::atomic<bool>* cancelled = nullptr;
};

// What the student's file is written for.
struct Course {
    char generation = 'A';  // 'A' 2002, 'B' 2004 (DRIVER renames malloc), 'C' 2016 (mm_init is a bool), 'M' MIT
    Api api = Api::Mm;
    bool sbrkTakesInt = true;
    std::uint64_t alignment = 8;  // of config.h where there is one, else the generation's
};

struct Built {
    Staging staging;
    bool fine = false;
    std::string messages;  // errors and warnings of compiler and linker
    std::string source;    // the student's file: "mm.c"
    std::string library;   // path
    std::string compiler;  // path
    Course course;
};

// "malloc lab, 2004 generation"
const char* NameOf(char generation);

// Failures: no such file, no compiler, no host, no Landlock where it is needed; cancelled.
Outcome<Built> Build(const std::string& student, const BuildOptions& options);

// What the host needs to confine code, as a Failure's `expected`.
inline constexpr const char* kWhatConfines =
    "seccomp, and Landlock (Linux 5.13) or user namespaces; or --no-landlock, where the code may see what you may see";
// RESIDUE_LAB_WITHOUT, by which tests tell the host what to take for missing, into a host's environment.
void PassOnWithout(std::vector<std::string>& environment);

// Can this kernel keep files from the code? (Landlock: Linux 5.13 and later, where it is switched on.)
bool HasLandlock();

// Where residue-lab-host is: beside this program. Failure: it is not there.
Outcome<std::string> FindHost();
// The same for another program; `missing`: what to say where it is not.
Outcome<std::string> FindBeside(const std::string& program, const std::string& missing);

}  // namespace residue::lab
