// The C texts that stand in for what a course hands out: memlib, and headers for students' files that came without.
#pragma once

#include <string>

namespace residue::lab {

// memlib and what the library is entered by; compiled with -DRESIDUE_SBRK=int (or long), -DRESIDUE_MIT for MIT's names.
const char* MemlibSource();
// Headers; used only where the student has none of that name.
const char* MemlibHeader();
const char* ContractsHeader();
const char* MitHeader();
// Declares what `source` defines, as it defines it (mm_init is an int or a bool, mm_checkheap gives this or that).
std::string MmHeader(const std::string& source);

// What is written behind the student's text to ask the compiler how mm_init and mem_sbrk are declared. The answers are
// among the strings that the compiler writes.
std::string ProbeText(bool mit);
inline constexpr const char* kInitIsInt = "residue-lab: init int";
inline constexpr const char* kInitIsBool = "residue-lab: init bool";
inline constexpr const char* kSbrkTakesInt = "residue-lab: sbrk int";
inline constexpr const char* kSbrkTakesLong = "residue-lab: sbrk long";

}  // namespace residue::lab
