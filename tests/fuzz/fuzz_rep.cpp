// Any bytes as a trace file: told by content, compressed or not.
#include "fuzz/trace_input.hpp"

namespace residue::fuzz {

std::vector<std::string> Seeds() {
    using namespace std::string_literals;
    return {
        "20000\n6\n12\n1\na 0 2040\na 1 2040\nf 1\na 2 48\na 3 4072\nf 3\na 4 4072\nf 0\nf 2\na 5 4072\nf 4\nf 5\n",
        "0\r\n11\r\n15\r\n0\r\nf -1\r\na 1 1\r\na 5 52428800\r\nr 6 10\r\nr 6 0\r\na 7 \r\nf 7\r\n",
        "0\n10\n4\n58432548578714005\na 0 58432548578713656\nw 0 16\nc\nf 0",
        "2 2 4 1 a 0 8 a 1 f 0 f 1\n# end\n",
        "1\n1\n1\n0\na 9223372036854775807 18446744073709551615\n",
        "# a comment\na 1 0\nr 1 200\nf 1\nf 3\n",
        // "0\n1\n2\n0\na 0 8\nf 0\n" as gzip and as zstd
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x33\xe0\x32\xe4\x32\xe2\x32\xe0\x4a\x54\x30\x50\xb0\xe0\x4a"
        "\x53\x30\xe0\x02\x00\x58\xfe\x62\xd5\x12\x00\x00\x00"s,
        "\x28\xb5\x2f\xfd\x00\x58\x91\x00\x00\x30\x0a\x31\x0a\x32\x0a\x30\x0a\x61\x20\x30\x20\x38\x0a\x66\x20\x30\x0a"s,
    };
}

}  // namespace residue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    residue::fuzz::ReadTrace("fuzz.rep", {reinterpret_cast<const char*>(data), size});
    return 0;
}
