#include "import/read_support.hpp"

using namespace residue;
using namespace residue::import;

namespace {

constexpr OperationKind A = OperationKind::Allocate;
constexpr OperationKind F = OperationKind::Free;
constexpr OperationKind R = OperationKind::Resize;
constexpr OperationKind W = OperationKind::Touch;

}  // namespace

TEST_CASE("a good .rep is read without a word, each operation with its line") {
    const ReadAll all = ReadRep("20000\n2\n5\n1\na 0 2040\na 1 48\nr 0 4000\nf 1\nf 0\n");
    CHECK(all.failure.empty());
    CHECK(all.WarningText().empty());
    CHECK(all.operations == std::vector<Operation>{
                                {A, 0, 2040, 5}, {A, 1, 48, 6}, {R, 0, 4000, 7}, {F, 1, 0, 8}, {F, 0, 0, 9}});
}

TEST_CASE("the generation is told by the header's first and last number") {
    const TraceHeader a = ReadRep("3000000\n1\n2\n1\na 0 8\nf 0\n").header;
    CHECK(a.generation == 'A');
    CHECK(a.suggestedHeap == 3000000);
    CHECK(a.weight == 1);
    CHECK(a.maxLiveBytes == 0);
    CHECK(a.format == "malloc-lab .rep, 2002 generation");

    const TraceHeader b = ReadRep("2\n1\n2\n1\na 0 8\nf 0\n").header;
    CHECK(b.generation == 'B');
    CHECK(b.weight == 2);
    CHECK(b.ignoreRanges);
    CHECK(b.suggestedHeap == 0);

    const TraceHeader c = ReadRep("3\n1\n2\n58432548578714005\na 0 8\nf 0\n").header;
    CHECK(c.generation == 'C');
    CHECK(c.weight == 3);
    CHECK(c.maxLiveBytes == 58432548578714005U);
    CHECK_FALSE(c.ignoreRanges);

    CHECK(ReadRep("100\n1\n2\n1\na 0 8\nf 0\n").header.generation == 'A');
    CHECK(ReadRep("0\n1\n2\n0\na 0 8\nf 0\n").header.generation == 'B');
    const TraceHeader mit = ReadRep("20000\n1\n3\n1\na 0 8\nw 0 8\nf 0\n").header;
    CHECK(mit.generation == 'M');
    CHECK(mit.format == "malloc-lab .rep, MIT 6.172");
    CHECK(mit.ids == 1);
    CHECK(mit.operations == 3);
    CHECK_FALSE(mit.unknownIdIsNull);
}

TEST_CASE("CRLF, no final newline, trailing blank lines and odd blanks change nothing") {
    const std::vector<Operation> expected = {{A, 0, 8, 5}, {F, 0, 0, 6}};
    for (const char* text : {"0\r\n1\r\n2\r\n0\r\na 0 8\r\nf 0\r\n", "0\n1\n2\n0\na 0 8\nf 0",
                             "0\n1\n2\n0\na 0 8\nf 0\n\n\n \t\n", "0\n1\n2\n0\n  a\t0   8  \n f 0 \n",
                             "\xef\xbb\xbf" "0\n1\n2\n0\na 0 8\nf 0\n"}) {
        const ReadAll all = ReadRep(text);
        CHECK(all.operations == expected);
        CHECK(all.WarningText().empty());
        CHECK(all.failure.empty());
    }
}

TEST_CASE("the header may stand on one line, and several operations may too") {
    const ReadAll all = ReadRep("0 2 4 0\na 0 8 a 1 16 f 0\nf 1\n");
    CHECK(all.operations == std::vector<Operation>{{A, 0, 8, 2}, {A, 1, 16, 2}, {F, 0, 0, 2}, {F, 1, 0, 3}});
    CHECK(all.WarningText().empty());
}

TEST_CASE("a missing size is that of the operation before, with a warning each") {
    const ReadAll all = ReadRep("0\n3\n5\n0\na 0 640\na 1 \nw 0 3\na 2\nf 0 \n");
    CHECK(all.operations ==
          std::vector<Operation>{{A, 0, 640, 5}, {A, 1, 640, 6}, {W, 0, 3, 7}, {A, 2, 640, 8}, {F, 0, 0, 9}});
    CHECK(all.WarningText() ==
          "t.rep:6: 'a 1': the size is missing; it is 640, that of the operation before, as the drivers read it\n"
          "t.rep:8: 'a 2': the size is missing; it is 640, that of the operation before, as the drivers read it\n");
    CHECK(ReadRep("0\n2\n3\n0\na 0 5\na 1 f 0\n").operations ==
          std::vector<Operation>{{A, 0, 5, 5}, {A, 1, 5, 6}, {F, 0, 0, 6}});

    const ReadAll first = ReadRep("0\n1\n2\n0\na 0\nf 0\n");
    CHECK(first.WarningText().starts_with("t.rep:5: 'a 0': the size is missing, expected 'a id size': left out\n"));
    CHECK(first.operations == std::vector<Operation>{{F, 0, 0, 6}});
}

TEST_CASE("free(NULL), realloc(NULL, n) and realloc(p, 0) are ordinary operations") {
    const ReadAll all = ReadRep("0\n2\n5\n0\nf -1\nr 0 100\nr 1 50\nr 1 0\nf 0\n");
    CHECK(all.WarningText().empty());
    CHECK(all.operations[0].id == -1);
    const TraceFigures figures = FiguresOf("t.rep", "0\n2\n5\n0\nf -1\nr 0 100\nr 1 50\nr 1 0\nf 0\n");
    CHECK(figures.operations == 5);
    CHECK(figures.allocations == 2);
    CHECK(figures.frees == 2);
    CHECK(figures.resizes == 0);
    CHECK(figures.badFrees == 0);
    CHECK(figures.peakLiveBytes == 150);
    CHECK(figures.peakPosition == 3);
}

TEST_CASE("an id may be used again, and an id used while it is live leaks its older block") {
    CHECK(ReadRep("0\n1\n4\n0\na 0 8\nf 0\na 0 9\nf 0\n").WarningText().empty());
    const char* text = "0\n1\n3\n0\na 0 8\na 0 9\nf 0\n";
    CHECK(ReadRep(text).WarningText() ==
          "t.rep:6: 'a 0': id 0 is still live; its older block is forgotten and leaks\n");
    const TraceFigures figures = FiguresOf("t.rep", text);
    CHECK(figures.liveBytes == 8);
    CHECK(figures.liveBlocks == 1);
    CHECK(figures.peakLiveBytes == 17);
}

TEST_CASE("one operation too many is left out, and the line says so") {
    const ReadAll all = ReadRep("0\n2\n2\n0\na 0 8\nf 0\na 1 8\n");
    CHECK(all.operations.size() == 2);
    CHECK(all.WarningText() ==
          "t.rep:7: more than the 2 operations that the header says: from here on all is left out\n"
          "t.rep: the header says 2 ids; the highest id is 0, so expected 1\n");
}

TEST_CASE("fewer operations or other ids than the header says are warned of") {
    CHECK(ReadRep("0\n1\n3\n0\na 0 8\nf 0\n").WarningText() ==
          "t.rep:7: the file ends after 2 of the 3 operations that the header says\n");
    CHECK(ReadRep("0\n9\n2\n0\na 0 8\nf 0\n").WarningText() ==
          "t.rep: the header says 9 ids; the highest id is 0, so expected 1\n");
    const ReadAll none = ReadRep("0\n1\n0\n0\na 0 8\nf 0\n");
    CHECK(none.operations.size() == 2);
    CHECK(none.WarningText() == "t.rep: the header says 0 operations; the file has 2, and all are read\n");
    CHECK(ReadRep("0\n0\n0\n0\n").WarningText().empty());
}

TEST_CASE("double frees and ids never allocated are warned of, and count as bad frees") {
    const char* text = "0\n3\n6\n0\na 0 8\nf 0\nf 0\nf 2\nr 0 16\nw 1 4\n";
    CHECK(ReadRep(text).WarningText() ==
          "t.rep:7: 'f 0': double free, id 0 was freed before\n"
          "t.rep:8: 'f 2': id 2 was never allocated\n"
          "t.rep:9: 'r 0 16': id 0 was freed before; taken as realloc(NULL, 16)\n"
          "t.rep:10: 'w 1 4': id 1 is not live; nothing is touched\n");
    const TraceFigures figures = FiguresOf("t.rep", text);
    CHECK(figures.badFrees == 2);
    CHECK(figures.frees == 1);
    CHECK(figures.allocations == 2);
    CHECK(figures.liveBytes == 16);
}

TEST_CASE("a request of 0 bytes is one, and is warned of") {
    const ReadAll all = ReadRep("0\n1\n2\n0\na 0 0\nf 0\n");
    CHECK(all.operations.size() == 2);
    CHECK(all.WarningText() == "t.rep:5: 'a 0 0': a request of 0 bytes, which every malloc-lab driver fails\n");
    CHECK(FiguresOf("t.rep", "0\n1\n2\n0\na 0 0\nf 0\n").allocations == 1);
}

TEST_CASE("unknown operations are left out with their line and count towards the header's number") {
    const ReadAll all = ReadRep("0\n1\n4\n0\na 0 8\nc\nq 1 2 3\nf 0\n");
    CHECK(all.operations == std::vector<Operation>{{A, 0, 8, 5}, {F, 0, 0, 8}});
    CHECK(all.WarningText() ==
          "t.rep:6: unknown operation 'c', expected 'a id size', 'r id size', 'f id' or 'w id size': line left out\n"
          "t.rep:7: unknown operation 'q', expected 'a id size', 'r id size', 'f id' or 'w id size': line left out\n");
    CHECK(ReadRep("0\n1\n2\n0\na 0 8\n# done\nf 0\n").WarningText() ==
          "t.rep:6: a comment, which only .script files have: line left out\n");
}

TEST_CASE("a thread id before or behind an operation is left out with a warning") {
    const ReadAll all = ReadRep("0\n1\n2\n0\na 0 8 3\n3 f 0\n");
    CHECK(all.operations == std::vector<Operation>{{A, 0, 8, 5}, {F, 0, 0, 6}});
    CHECK(all.warnings.size() == 2);
    CHECK(all.warnings[0].where == "t.rep:5");
    CHECK(all.warnings[1].where == "t.rep:6");
    CHECK(all.warnings[1].text.starts_with("the number '3' belongs to no operation"));
}

TEST_CASE("negative, overflowing, missing and malformed numbers are each told by name") {
    const ReadAll all = ReadRep(
        "0\n2\n11\n0\na -2 8\na 0 -8\na 0 18446744073709551616\na 9223372036854775808 8\na x 8\na 0 8k\nf\nf -7\n"
        "r -1 9\na 0 0x10\na 1 18446744073709551615\n");
    CHECK(all.operations == std::vector<Operation>{{A, 1, ~std::uint64_t{0}, 15}});
    CHECK(all.WarningText() ==
          "t.rep:5: 'a': the id '-2' is negative, expected 'a id size': line left out\n"
          "t.rep:6: 'a': the size '-8' is negative, expected 'a id size': line left out\n"
          "t.rep:7: 'a': the size '18446744073709551616' is too large, expected 'a id size': line left out\n"
          "t.rep:8: 'a': the id '9223372036854775808' is too large, expected 'a id size': line left out\n"
          "t.rep:9: 'a': the id 'x' is not a number, expected 'a id size': line left out\n"
          "t.rep:10: 'a': the size '8k' is not a number, expected 'a id size': line left out\n"
          "t.rep:11: 'f': the id is missing, expected 'f id': line left out\n"
          "t.rep:12: 'f': the id '-7' is negative, expected 'f id': line left out\n"
          "t.rep:13: 'r': the id '-1' is negative, expected 'r id size': line left out\n"
          "t.rep:14: 'a': the size '0x10' is not a number, expected 'a id size': line left out\n");
}

TEST_CASE("sizes beyond 32 bits are read, and sums beyond 64 bits stay at the maximum") {
    const TraceFigures figures = FiguresOf("t.rep", "0\n2\n4\n0\na 0 18446744073709551615\na 1 7\nf 0\nf 1\n");
    CHECK(figures.overflowed);
    CHECK(figures.peakLiveBytes == ~std::uint64_t{0});
    CHECK(figures.liveBytes == ~std::uint64_t{0});
    CHECK(figures.largestRequest == ~std::uint64_t{0});
    CHECK(figures.liveBlocks == 0);
    CHECK_FALSE(FiguresOf("t.rep", "0\n1\n2\n0\na 0 36507238400\nf 0\n").overflowed);
}

TEST_CASE("a broken header is a failure that names its line and what belongs there") {
    CHECK(ReadRep("0\n1\na 0 8\n").failure ==
          "t.rep:3: 'a' is not a number (expected 4 header numbers; number 3 is the number of operations)");
    CHECK(ReadRep("0\n1\n").failure ==
          "t.rep:3: the file ends after 2 of 4 header numbers (expected 4 header numbers; number 3 is the number of "
          "operations)");
    CHECK(ReadRep("0\n-1\n2\n0\n").failure ==
          "t.rep:2: '-1' is negative (expected 4 header numbers; number 2 is the number of ids)");
    CHECK(
        ReadRep("0\n1\n2\n99999999999999999999\n").failure.starts_with("t.rep:4: '99999999999999999999' is too large"));
}

TEST_CASE("warnings stop at 1,000 and one more counts the rest") {
    std::string text = "0\n1\n1500\n0\n";
    for (int line = 0; line < 1500; ++line) text += "q\n";
    const ReadAll all = ReadRep(text);
    REQUIRE(all.warnings.size() == 1001);
    CHECK(all.warnings[999].where == "t.rep:1004");
    CHECK(all.warnings[1000].where == "t.rep");
    CHECK(all.warnings[1000].text == "501 more warnings");
}
