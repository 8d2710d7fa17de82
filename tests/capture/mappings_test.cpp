#include "capture/mappings.hpp"

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <random>

#include "support/catch.hpp"

using namespace residue;
using capture::Mapping;
using Mappings = std::vector<Mapping>;

TEST_CASE("of a maps file those that may be of a heap are taken") {
    CHECK(capture::ParseMaps("55d0c0a00000-55d0c0a21000 r-xp 00000000 fe:00 1234   /usr/bin/cat\n"
                             "55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0      [heap]\n"
                             "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
                             "7f0000021000-7f0004000000 ---p 00000000 00:00 0 \n"
                             "7f1000000000-7f1000002000 rw-p 00000000 00:00 0      [anon:arena]\n"
                             "7f2000000000-7f2000002000 rw-s 00000000 00:01 77     /memfd:residue (deleted)\n"
                             "7f2100000000-7f2100002000 rw-p 00000000 fe:00 1234   /usr/lib/libc.so.6\n"
                             "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0      [stack]\n"
                             "7ffd00000000-7ffd00002000 rw-p 00000000 00:00 0      [vvar]") ==
          Mappings{{0x55d0c1000000, 0x55d0c1021000, true},
                   {0x7f0000000000, 0x7f0000021000},
                   {0x7f1000000000, 0x7f1000002000}});
}

TEST_CASE("mappings that touch are one, and lines that cannot be are left out") {
    CHECK(capture::ParseMaps("1000-2000 rw-p 0 00:00 0\n2000-3000 rw-p 0 00:00 0\n") == Mappings{{0x1000, 0x3000}});
    // What brk has stays apart from what lies behind it.
    CHECK(capture::ParseMaps("1000-2000 rw-p 0 00:00 0 [heap]\n2000-3000 rw-p 0 00:00 0\n") ==
          Mappings{{0x1000, 0x2000, true}, {0x2000, 0x3000}});
    CHECK(capture::ParseMaps("").empty());
    CHECK(capture::ParseMaps("\n\n1000\n1000-\n-1000 rw-p 0 00:00 0\n2000-1000 rw-p 0 00:00 0\n1000-1000 rw-p 0 0 0\n"
                             "zz-yy rw-p 0 00:00 0\n1000-2000 rw 0 00:00 0\n1000-2000 rw-p 0 00:00\n"
                             "10000000000000000-20000000000000000 rw-p 0 00:00 0\n")
              .empty());
    // Out of order: the second one is not believed.
    CHECK(capture::ParseMaps("5000-6000 rw-p 0 00:00 0\n1000-2000 rw-p 0 00:00 0\n") == Mappings{{0x5000, 0x6000}});
}

TEST_CASE("a process's own mappings have its heap's blocks, and of one that is gone there are none") {
    const auto block = std::make_unique<char[]>(100'000);
    const auto address = reinterpret_cast<std::uint64_t>(block.get());
    int holding = 0;
    for (const Mapping& mapping : capture::MappingsOf(::getpid())) {
        if (address >= mapping.begin && address < mapping.end) ++holding;
    }
    CHECK(holding == 1);
    CHECK(capture::MappingsOf(0x7fff'fff0).empty());
}

TEST_CASE("what is left without others is as a map of pages says") {
    std::mt19937 random(7);
    const auto make = [&] {
        Mappings mappings;
        for (std::uint64_t page = random() % 3; page < 40;) {
            const std::uint64_t end = page + 1 + random() % 6;
            mappings.push_back({page, end});
            page = end + random() % 4 + 1;
        }
        return mappings;
    };
    const auto holds = [](const Mappings& mappings, std::uint64_t page) {
        for (const Mapping& mapping : mappings) {
            if (page >= mapping.begin && page < mapping.end) return true;
        }
        return false;
    };
    for (int round = 0; round < 500; ++round) {
        const Mappings to = make(), from = make(), left = capture::Without(to, from);
        for (std::uint64_t page = 0; page < 50; ++page) {
            CHECK(holds(left, page) == (holds(to, page) && !holds(from, page)));
        }
        for (std::size_t i = 0; i < left.size(); ++i) {
            CHECK(left[i].begin < left[i].end);
            if (i > 0) CHECK(left[i - 1].end <= left[i].begin);
        }
    }
    CHECK(capture::Without({}, {{1, 2}}).empty());
    CHECK(capture::Without({{1, 4}}, {}) == Mappings{{1, 4}});
}
