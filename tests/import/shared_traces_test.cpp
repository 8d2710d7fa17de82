// The figures of real traces, computed once by an independent program (a line-based script in another language).
#include <filesystem>
#include <map>

#include "import/read_support.hpp"

using namespace residue;
using namespace residue::import;

namespace {

const std::map<std::string, TraceFigures> kGolden = {
    {"amptjp-bal.rep", {5694, 2847, 2847, 0, 0, 0, 0, 2012279, 4594, 8577023, 10852, false}},
    {"bdd-aa4.rep", {5748, 2874, 2874, 0, 0, 0, 0, 43246, 4239, 77849, 8216, false}},
    {"binary-bal.rep", {12000, 6000, 6000, 0, 0, 0, 0, 1152000, 8000, 2048000, 512, false}},
    {"cccp-bal.rep", {5848, 2924, 2924, 0, 0, 0, 0, 1679165, 931, 8952105, 21604, false}},
    {"coalescing-bal.rep", {14400, 7200, 7200, 0, 0, 0, 0, 8190, 2, 39312000, 8190, false}},
    {"corners.rep", {15, 10, 1, 3, 0, 52429170, 9, 52429270, 14, 52429570, 52428800, false}},
    {"hostname.rep", {118, 103, 14, 1, 0, 6136, 89, 6136, 118, 7941, 2048, false}},
    {"ls.rep", {372, 264, 107, 1, 0, 22341, 157, 24783, 342, 30084, 11600, false}},
    {"mit-short_trace_v0", {20, 6, 6, 0, 0, 0, 0, 8144, 18, 16344, 4072, false}},
    {"random-bal.rep", {4800, 2400, 2400, 0, 0, 0, 0, 15612491, 2117, 39837056, 32739, false}},
    {"realloc-bal.rep", {14401, 4801, 4801, 4799, 0, 0, 0, 615040, 14398, 1477324800, 614784, false}},
    {"short1-bal.rep", {12, 6, 6, 0, 0, 0, 0, 8144, 10, 16344, 4072, false}},
    {"short2.rep", {12, 6, 6, 0, 0, 0, 0, 18314, 6, 18314, 4072, false}},
    {"syn-giantmix-short.rep",
     {20, 10, 10, 0, 0, 0, 0, 58432548578714005, 7, 58432548578714435, 58432548578713656, false}},
    {"syn-mix-realloc.rep", {757, 257, 257, 243, 0, 0, 0, 845979, 272, 4386033, 250536, false}},
    {"example1-nofree.script", {1, 1, 0, 0, 0, 300, 1, 300, 1, 300, 300, false}},
    {"example2-freeandcoalesce.script", {5, 4, 1, 0, 0, 1567, 3, 1701, 3, 1843, 755, false}},
    {"robust.script", {10, 4, 3, 2, 0, 100, 1, 200, 3, 415, 200, false}},
    {"trace-gcc.script", {8709, 4340, 4340, 29, 0, 0, 0, 107520, 7096, 459847, 8192, false}},
};

bool Same(const TraceFigures& a, const TraceFigures& b) {
    return a.operations == b.operations && a.allocations == b.allocations && a.frees == b.frees &&
           a.resizes == b.resizes && a.badFrees == b.badFrees && a.liveBytes == b.liveBytes &&
           a.liveBlocks == b.liveBlocks && a.peakLiveBytes == b.peakLiveBytes && a.peakPosition == b.peakPosition &&
           a.totalBytes == b.totalBytes && a.largestRequest == b.largestRequest && a.overflowed == b.overflowed;
}

}  // namespace

TEST_CASE("every shared trace has the figures an independent reader found, and no warning") {
    const std::filesystem::path root = RESIDUE_SHARED_TRACES;
    if (!std::filesystem::exists(root)) {
        WARN("the shared traces are not here: skipped");
        return;
    }
    std::size_t seen = 0;
    for (const char* folder : {"rep", "script"}) {
        for (const auto& entry : std::filesystem::directory_iterator(root / folder)) {
            const std::string name = entry.path().filename().string();
            INFO(name);
            const auto golden = kGolden.find(name);
            if (golden == kGolden.end()) continue;
            ++seen;
            auto reader = OpenTrace(entry.path().string());
            REQUIRE(reader);
            const auto figures = ReadFigures(**reader, nullptr);
            REQUIRE(figures);
            CHECK(Same(*figures, golden->second));
            CHECK((*reader)->Warnings().empty());
            const TraceHeader& header = (*reader)->Header();
            // A generation C header says what the largest live size is.
            if (header.maxLiveBytes != 0) CHECK(header.maxLiveBytes == figures->peakLiveBytes);
            if (header.extension == ".rep") CHECK(header.operations == figures->operations);
        }
    }
    CHECK(seen == kGolden.size());
}
