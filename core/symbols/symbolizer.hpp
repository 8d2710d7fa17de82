// Addresses to names, files and lines. OS part; handed to other layers as a Symbolizer*.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace residue::symbols {

// A function whose code the compiler put into its caller's.
struct InlinedCall {
    std::string function;  // demangled
    std::string file;      // the place in it: of the call that led on; empty where unknown
    std::uint32_t line = 0;
    friend bool operator==(const InlinedCall&, const InlinedCall&) = default;
};

struct Frame {
    std::string function;    // demangled; "libc.so.6+0x2724a" without a symbol, "0x7f12..." outside of all modules
    std::string file;        // the place in it, empty where unknown; with `inlined`, where the last of these was called
    std::uint32_t line = 0;  // 0 where unknown
    // What was inlined at this place, innermost first: inlined.front() made the call, inlined.back() stands in `line`.
    std::vector<InlinedCall> inlined{};
    bool isInlined = false;  // of a list with these among the frames: it is a part of the next frame's code
};

class Symbolizer {
public:
    virtual ~Symbolizer() = default;
    // `address` is a return address as a stack walk gives it (the call is looked up one byte before it).
    // Thread-safe; results are cached; the first look-up in a module may take some milliseconds.
    virtual Frame Resolve(std::uint64_t address) = 0;
};

// The frames of this process, through its own debug data (libdw).
std::shared_ptr<Symbolizer> OwnProcess();

// The frames of a program that runs elsewhere, from its ELF file; addresses are those that it is linked at (of a
// library: counted from where it is loaded). Null where the file cannot be read or is no such program. Resolve gives
// "0x100020" for what has no symbol there.
std::shared_ptr<Symbolizer> OfImage(const std::string& path);

}  // namespace residue::symbols
