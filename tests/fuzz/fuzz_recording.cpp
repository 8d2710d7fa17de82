// The readers of recordings on any bytes, the format told by content: whatever opens is a legal log, and no line costs
// more than it may.
#include <string>

#include "fuzz/fuzz.hpp"
#include "import/recording.hpp"
#include "log/events.hpp"

using namespace residue;

namespace residue::fuzz {

std::vector<std::string> Seeds() {
    return {
        "v 10400 3\nx 6 /bin/a\nX a\nI 1000 20\nm 1 -\nm 1 x 1000 0 800\nt 1010 0\nt 2020 1\n+ 10 2 5000\nc a\n"
        "+ 20 1 5020\n- 5000\nR 10\nc 14\nA\n- 5020\n",
        "v 10400 3\nX a\nI 1000 20\ns 6 /bin/a\ns 4 main\ni 1010 1 2 1 7 2 1 9\nt 1 0\na 10 1\n+ 0\n+ 0\n- 0\na 400 0\n"
        "+ 1\nc 1f\n- 1\n",
        "X a\ns main\ni 10 0 1\nt 1 0\n+ 10 1 500\n- 500\n",
        "= Start\n@ ./a:[0x130d] + 0x50 0x10\n@ l:(f+1a)[0x9] < 0x50\n@ l:(f+1a)[0x9] > 0x60 0x20\n"
        "@ x:[0x1] ! 0x60 0x100\n@ x + (nil) 0x100\n- 0x60\n= End\n",
        "[pid 7] 12:00:00.00001 [0x40] l->malloc(16) = 0x100\n[pid 7] malloc@l(32 <unfinished ...>\n"
        "[pid 8] free(0x100)  = <void>\n[pid 7] <... malloc resumed> ) = 0x200\nrealloc(0x200, 64) = 0x300\n",
        "--9-- malloc(16) = 0x40\n--9-- realloc(0x40,0)free(0x40)\n--9--  = 0\n--10-- memalign(al 64, size 8) = 0x80\n",
        "18545 18546 malloc(16)=0x7f00\n18545 18546 moz_arena_realloc(2,0x7f00,32)=0x7f10\n18545 18546 free(0x7f10)\n",
        "300: malloc 0xb0 16 100 120\n301: realloc 0xc0 0xb0 20 130 140\n300: free 0xc0 150 160\n",
        "{\"residue\":\"events\",\"version\":1,\"name\":\"a\",\"clock\":\"ticks\",\"ticks_per_second\":1e6}\n"
        "{\"event\":\"allocator_created\",\"allocator\":1,\"text\":\"heap\\u00e4\"}\n"
        "{\"trace\":1,\"frame\":\"0x40\",\"function\":\"main\"}\n"
        "{\"event\":\"allocated\",\"allocator\":1,\"address\":\"0x10\",\"size\":24,\"trace\":1,\"flags\":[\"is_call\"]}"
        "\n"
        "{\"event\":\"resized\",\"allocator\":1,\"address\":\"0x90\",\"old_address\":16,\"size\":8}\n"
        "{\"event\":\"bulk_freed\",\"allocator\":1,\"size\":500,\"text_hex\":\"ff00\",\"other\":{\"a\":[1,{}]}}\n",
    };
}

}  // namespace residue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    log::EventLog log;
    const auto read = import::ReadRecordingBytes("fuzz", bytes, log);
    if (!read) {
        fuzz::Require(!read.error().what.empty());
        return 0;
    }
    fuzz::Require(!read->format.empty() && read->warnings.size() <= 1001);
    for (const Warning& warning : read->warnings) fuzz::Require(warning.text.size() < 400);
    fuzz::Require(log.Closed() && log::testing::Illegal(log.View()).empty());
    return 0;
}
