// Any bytes behind a first good line of a .script.
#include "fuzz/trace_input.hpp"

namespace residue::fuzz {

std::vector<std::string> Seeds() {
    return {
        "# request malloc(0)\na 1 0\na 2 100\nr 2 200\nr 2 5\nf 2\nf 1\n# free(NULL)\nf 3\nr 4 100\na 5 10\nr 5 0\n",
        "a 11 755\r\na 12 276\r\nf 12\r\na 14 142",
        "a 0 8 f 0 a 1 9 # comment\n\n\nr 77 18446744073709551615\nf -1\nq 1\na 3\nf\n",
    };
}

}  // namespace residue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string text = "a 0 1\n";
    text.append(reinterpret_cast<const char*>(data), size);
    residue::fuzz::ReadTrace("fuzz.script", text);
    return 0;
}
