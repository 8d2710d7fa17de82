#include "import/read_support.hpp"

using namespace residue;
using namespace residue::import;

TEST_CASE("a .script has no header, comments, and ids that stand for NULL without a remark") {
    const char* text =
        "# odd but valid\n\n# request malloc(0)\na 1 0\na 2 100\nr 2 200\nr 2 5\nf 2\nf 1\n# free(NULL)\nf 3\nr 4 100\n"
        "a 5 10\nr 5 0\nr 6 0\n";
    const ReadAll all = ReadScript(text);
    CHECK(all.failure.empty());
    CHECK(all.WarningText().empty());
    CHECK(all.header.format == "CS107 .script");
    CHECK(all.header.extension == ".script");
    CHECK(all.header.generation == 0);
    CHECK(all.header.unknownIdIsNull);
    REQUIRE(all.operations.size() == 11);
    CHECK(all.operations[0].line == 4);
    const TraceFigures figures = FiguresOf("t.script", text);
    CHECK(figures.allocations == 4);
    CHECK(figures.frees == 3);
    CHECK(figures.resizes == 2);
    CHECK(figures.badFrees == 0);
    CHECK(figures.liveBytes == 100);
    CHECK(figures.peakLiveBytes == 200);
    CHECK(figures.peakPosition == 3);
}

TEST_CASE("the format is told by content, and only what is empty of it by its name") {
    CHECK(ReadBytes("x.rep", "a 0 16\nf 0\n").header.extension == ".script");
    CHECK(ReadBytes("x.rep", "a 0 16\nf 0\n").WarningText() ==
          "x.rep: a .rep without its header: read as a CS107 .script\n");
    CHECK(ReadBytes("x.script", "0\n1\n2\n0\na 0 16\nf 0\n").header.extension == ".rep");
    CHECK(ReadBytes("anything", "# c\n\na 0 16\n").header.extension == ".script");
    CHECK(ReadBytes("x.script", "# nothing\n").failure.empty());
    CHECK(ReadBytes("x.script.gz", "# nothing\n").failure.empty());
    CHECK(ReadBytes("x.rep", "# nothing\n").failure ==
          "x.rep: holds nothing but blanks and comments (expected the 4 header numbers of a .rep, or an operation of "
          "a .script such as 'a 0 16')");
}

TEST_CASE("a missing size in a .script is left out, for there is no driver that would guess it") {
    const ReadAll all = ReadScript("a 0 16\na 1\nf 0\n");
    CHECK(all.operations.size() == 2);
    CHECK(all.WarningText() == "t.script:2: 'a 1': the size is missing, expected 'a id size': left out\n");
}

TEST_CASE("what is no trace is a failure that says what was found and what was expected") {
    CHECK(ReadBytes("x", "").failure == "x: the file is empty (expected a trace)");
    CHECK(ReadBytes("x", "= Start\n@ ./demo:[0x130d]").failure ==
          "x:1: no known trace format begins with '=' (expected the 4 header numbers of a .rep, or an operation of a "
          ".script such as 'a 0 16')");
    CHECK(ReadBytes("x", "a story\n").failure.empty());  // an `a` with a word: one line left out
    CHECK(ReadBytes("x", std::string_view("\x7f" "ELF\0\0\1", 7)).failure ==
          "x:1: binary data (expected a trace as text)");
    CHECK(
        ReadBytes("x", "\xc3\xa4h 1 2\n").failure.starts_with("x:1: no known trace format begins with '\\xc3\\xa4h'"));
    CHECK(ReadScript(std::string_view("a 0 8\na 1 8\n\0\0\0\n", 16)).failure.starts_with("t.script:3: binary data"));
}
