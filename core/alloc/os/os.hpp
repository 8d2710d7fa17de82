// Is this an operating system that the OS parts are written for? The document's OS.IsSupported(), as a constant:
// what needs the OS exists only where it is true. RESIDUE_NO_OS says no by hand (bare metal, and the test of it).
#pragma once

#if defined(__linux__) && !defined(RESIDUE_NO_OS)
#define RESIDUE_OS_SUPPORTED 1
#else
#define RESIDUE_OS_SUPPORTED 0
#endif

namespace residue::os {

constexpr bool IsSupported() noexcept { return RESIDUE_OS_SUPPORTED != 0; }

}  // namespace residue::os
