// What a fuzz target is: a file fuzz_NAME.cpp that takes bytes and must neither crash, hang, nor eat memory. It becomes
//   fuzz_NAME_driver  always: deterministic mutations of the seeds for some seconds, in every test run (driver.cpp)
//   fuzz_NAME         with RESIDUE_FUZZERS (clang): libFuzzer, for campaigns
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace residue::fuzz {

// Good inputs to start from; a target may leave it out.
std::vector<std::string> Seeds() __attribute__((weak));

// What must hold of any input.
inline void Require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace residue::fuzz
