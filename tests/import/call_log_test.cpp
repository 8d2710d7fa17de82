// mtrace, and the logs of calls.
#include "import/recording_support.hpp"

using namespace residue;
using namespace residue::import;

TEST_CASE("mtrace: where the call came from, resizes in two lines, failures, and names with blanks") {
    const Recorded read(
        "= Start\n"
        "@ ./my prog:[0x130d] + 0x5000 0x20\n"
        "@ /lib/libc.so.6:(__strdup+1a)[0x9e9aa] + 0x5100 0\n"
        "@ ./my prog:(f+0x2)[0x7f01] < 0x5000\n"
        "@ ./my prog:(f+0x2)[0x7f01] > 0x6000 0x40\n"
        "@ x:[0x1] ! 0x6000 0x1000000000000000\n"
        "@ x:[0x1] + (nil) 0x1000000000000000\n"
        "- 0x5100\n"
        "= End\n");
    REQUIRE(read.summary);
    CHECK(read.summary->format == "glibc mtrace");
    CHECK(read.Warnings().empty());
    CHECK(LogText(read.log.View()) ==
          "0 allocator created 0 0 'malloc'\n"
          "1 allocated 0x5000 32 < my prog+0x130d\n"
          "2 allocated 0x5100 0 < __strdup+0x1a\n"
          "3 resize begins 0x5000 64 < f+0x2\n"
          "4 resized 0x6000 64 from 0x5000 < f+0x2\n"
          "5 resize begins 0x6000 1152921504606846976 < x+0x1\n"
          "6 resized 0 1152921504606846976 < x+0x1\n"
          "7 allocate failed 0 1152921504606846976 < x+0x1\n"
          "8 freed 0x5100 0\n");
}

TEST_CASE("mtrace: half a resize frees, an end that is missing is told, lines that are none are left out") {
    const Recorded read(
        "= Start\n@ a:[0x1] + 0x10 0x8\n@ a:[0x1] < 0x10\n@ a:[0x2] + 0x20 0x8\n> 0x30 0x9\nnonsense\n@ + 0x10\n");
    REQUIRE(read.summary);
    const LogTotals totals = TotalsOf(read.log.View());
    CHECK(totals.frees == 1);
    CHECK(totals.allocations == 3);
    const std::string warnings = read.Warnings();
    CHECK(warnings.find("f:6: 'nonsense' is left out") != std::string::npos);
    CHECK(warnings.find("f:7: '@ + 0x10'") != std::string::npos);
    CHECK(warnings.find("f:7: no '= End'") != std::string::npos);
}

TEST_CASE("mtrace without a start is told by its first line, and so is one whose callers are not known") {
    CHECK(LooksLikeRecording("@ ./a:[0x130d] + 0x5000 0x20\n"));
    CHECK(LooksLikeRecording("+ 0x5000 0x20\n"));
    CHECK(LooksLikeRecording("\xef\xbb\xbf= Start\r\n"));
    CHECK_FALSE(LooksLikeRecording("+ 5000 20\n"));
    CHECK_FALSE(LooksLikeRecording("a 0 512\nf 0\n"));
    CHECK_FALSE(LooksLikeRecording("20000\n4\n8\n1\na 0 512\n"));
    CHECK_FALSE(LooksLikeRecording(""));
}

TEST_CASE("ltrace: libraries, threads, times and callers before a call, and calls torn in two") {
    const Recorded read(
        "[pid 7] 12:00:00.000010 [0x401020] libstdc++.so.6->malloc(16) = 0x1000\n"
        "[pid 7] 12:00:00.000020 [0x401030] malloc@libc.so.6(32 <unfinished ...>\n"
        "[pid 8] 12:00:00.000030 [0x401040] free(0x1000 <unfinished ...>\n"
        "[pid 9] 12:00:00.000040 [0x401050] malloc(16) = 0x1000\n"
        "[pid 8] 12:00:00.000050 [0xffff] <... free resumed> ) = <void>\n"
        "[pid 7] 12:00:00.000060 [0xffff] <... malloc resumed> ) = 0x2000\n"
        "[pid 7] 12:00:00.000070 [0x401060] strlen(\"malloc(1) = 0x1\") = 4\n"
        "+++ exited (status 0) +++\n");
    REQUIRE(read.summary);
    CHECK(read.summary->format == "ltrace");
    CHECK(read.Warnings().empty());
    CHECK(LogText(read.log.View(), false) ==
          "0 allocator created 0 0 'malloc'\n"
          "0 allocated 0x1000 16 by 1 < 0x401020\n"
          "20 freed 0x1000 0 by 2 < 0x401040\n"
          "30 allocated 0x1000 16 by 3 < 0x401050\n"
          "50 allocated 0x2000 32 by 1 < 0x401030\n");
    CHECK(read.log.View().Source().ticksPerSecond == 1e6);
}

TEST_CASE("ltrace: a call within another one is the same request; NULL, realloc's cases, and failures") {
    const Recorded read(
        "calloc(3, 8 <unfinished ...>\n"
        "malloc@libc.so.6(24) = 0x1000\n"
        "<... calloc resumed> ) = 0x1000\n"
        "free(nil) = <void>\n"
        "realloc(0, 16) = 0x2000\n"
        "realloc(0x2000, 64) = 0x3000\n"
        "realloc(0x3000, 1152921504606846976) = 0\n"
        "realloc(0x3000, 0) = 0\n"
        "aligned_alloc(64, 256, 0x7fff1234, 3) = 0x4000\n"
        "posix_memalign(0x7ffc5000, 64, 333, 17) = 0\n"
        "malloc(-1) = nil\n"
        "calloc(4294967296, 4294967296) = 0\n"
        "_Znwm(40, 1, 2) = 0x5000\n"
        "_ZdlPvm(0x5000, 40) = <void>\n"
        "malloc(12 <unfinished ...>\n");
    REQUIRE(read.summary);
    CHECK(LogText(read.log.View()) ==
          "0 allocator created 0 0 'malloc'\n"
          "1 allocated 0x1000 24\n"
          "2 allocated 0x2000 16\n"
          "3 resize begins 0x2000 64\n"
          "4 resized 0x3000 64 from 0x2000\n"
          "5 resize begins 0x3000 1152921504606846976\n"
          "6 resized 0 1152921504606846976\n"
          "7 freed 0x3000 0\n"
          "8 allocated 0x4000 256 aligned to 64\n"
          "9 allocate failed 0 18446744073709551615\n"
          "10 allocate failed 0 18446744073709551615\n"
          "11 allocated 0x5000 40\n"
          "12 freed 0x5000 0\n");
    CHECK(read.Warnings() ==
          "f:15: 1 call that began have no end, here the first: left out\n"
          "f: a block from calls that do not say where it is: left out, and unknown when freed\n");
}

TEST_CASE("valgrind: the outer call of a line counts, results may follow, processes have heaps of their own") {
    const Recorded read(
        "==9== Memcheck\n"
        "--9-- malloc(16) = 0x4A4C040\n"
        "--9-- realloc(0x0,16)malloc(16) = 0x4A4CCB0\n"
        "--9-- realloc(0x4A4C040,32) = 0x4A4D000\n"
        "--9-- realloc(0x4A4CCB0,0)free(0x4A4CCB0)\n"
        "--9--  = 0\n"
        "--9-- memalign(al 256, size 1024) = 0x4A5D000\n"
        "--9-- _ZnwmSt11align_val_t(size 8, al 64) = 0x4A6D000\n"
        "--9-- _ZdlPv(0x4A6D000)\n"
        "--11-- malloc(8) = 0x4A5D000\n"
        "--9-- malloc(99999999999) = 0x0\n"
        "--9-- malloc(\n");
    REQUIRE(read.summary);
    CHECK(read.summary->format == "valgrind --trace-malloc");
    CHECK(LogText(read.log.View()) ==
          "0 allocator created 0 0 'malloc'\n"
          "1 allocated 0x4a4c040 16\n"
          "2 allocated 0x4a4ccb0 16\n"
          "3 resize begins 0x4a4c040 32\n"
          "4 resized 0x4a4d000 32 from 0x4a4c040\n"
          "5 freed 0x4a4ccb0 0\n"
          "6 allocated 0x4a5d000 1024 aligned to 256\n"
          "7 allocated 0x4a6d000 8 aligned to 64\n"
          "8 freed 0x4a6d000 0\n"
          "9 allocator created 0 0 of 2 'malloc, process 11'\n"
          "10 allocated 0x4a5d000 8 of 2\n"
          "11 allocate failed 0 99999999999\n");
    CHECK(read.Warnings().find("f:12: '--9-- malloc(' is left out") != std::string::npos);
}

TEST_CASE("logs of calls hold other things; only what is nearly a call is worth a word") {
    const Recorded read(
        "18545 18545 malloc(16)=0x1000\n\njunk\n18545 18545 jemalloc_stats()\n18545 18545 malloc(16)\n");
    REQUIRE(read.summary);
    CHECK(read.summary->format == "Mozilla logalloc");
    CHECK(read.Warnings().starts_with("f:5: '18545 18545 malloc(16)' is left out"));
}
