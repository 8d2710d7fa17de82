#include "lab/waterfall.hpp"

#include <numeric>

#include "lab/lab_support.hpp"
#include "lab/live_payloads.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;

namespace {

constexpr std::uint64_t kAt = kHeapBase;

// Offsets from the heap's beginning: where the payload is, and where the heap ends then.
Record At(std::uint64_t payload, std::uint64_t end) {
    return {kAt + payload, kAt + end};
}
Record Freed(std::uint64_t end) {
    return {0, kAt + end};
}

std::uint64_t Of(const Waterfall& fall, Loss loss) {
    return fall.lost[static_cast<unsigned>(loss)];
}

const Cost* First(const Waterfall& fall, Loss loss) {
    const auto at = std::find_if(fall.costs.begin(), fall.costs.end(), [&](const Cost& c) { return c.loss == loss; });
    return at == fall.costs.end() ? nullptr : &*at;
}

Waterfall Fall(const LabTrace& trace, const std::vector<Record>& records) {
    const auto fall = FallOf(trace, records);
    REQUIRE(fall);
    return *fall;
}

}  // namespace

TEST_CASE("What is before, between and around payloads that lie as tight as they can is headers and padding") {
    // A prologue of 16; each block: 8 bytes of header, its payload, padding up to 16.
    const LabTrace trace = TraceOf("a 0 24\na 1 20\na 2 40\n");
    const Waterfall fall = Fall(trace, {At(24, 48), At(56, 80), At(88, 128)});
    CHECK(fall.heapBytes == 128);
    CHECK(fall.payloadBytes == 84);
    CHECK(fall.peakOp == 2);
    CHECK(Of(fall, Loss::Overhead) == 44);
    CHECK(Of(fall, Loss::Holes) + Of(fall, Loss::EarlyGrowth) + Of(fall, Loss::LateGrowth) == 0);
    CHECK(fall.Utilisation() == 84.0 / 128);
    CHECK(fall.ShareOf(Loss::Overhead) == 44.0 / 128);
    CHECK(fall.growths.empty());
}

TEST_CASE("A gap at the peak that could hold a block is a hole, and the free that left it is told") {
    const LabTrace trace = TraceOf("a 0 24\na 1 24\na 2 24\nf 1\na 3 64\n");
    const Waterfall fall = Fall(trace, {At(8, 32), At(40, 64), At(72, 96), Freed(96), At(104, 168)});
    // Live at the peak: [8,32) [72,96) [104,168); blocks of 24 take 32.
    CHECK(fall.payloadBytes == 112);
    CHECK(fall.heapBytes == 168);
    CHECK(fall.peakOp == 4);
    CHECK(fall.leastBlock == 24);  // the last one before the heap's end has no header behind it
    CHECK(Of(fall, Loss::Holes) == 40);
    CHECK(Of(fall, Loss::Overhead) == 16);
    const Cost* const hole = First(fall, Loss::Holes);
    REQUIRE(hole != nullptr);
    CHECK(hole->op == 3);
    CHECK(hole->bytes == 40);
    CHECK(hole->address == kAt + 32);
    // The heap grew by 72 for the last one, though 32 bytes and more were in no block.
    REQUIRE(fall.growths.size() == 1);
    CHECK(fall.growths[0].op == 4);
    CHECK(fall.growths[0].grown == 72);
    CHECK(fall.growths[0].free == 96 - 8 - 2 * 24);
}

TEST_CASE("What a block was seen to do with is its own room, also where there is a gap behind it later") {
    // Blocks of 100 always take 128: 28 bytes of each are padding, not a hole.
    const LabTrace trace = TraceOf("a 0 100\na 1 100\na 2 100\nf 1\na 3 200\n");
    const Waterfall fall = Fall(trace, {At(0, 128), At(128, 256), At(256, 384), Freed(384), At(384, 640)});
    CHECK(fall.payloadBytes == 400);
    CHECK(fall.leastBlock == 128);
    CHECK(Of(fall, Loss::Holes) == 128);
    CHECK(Of(fall, Loss::Overhead) == 28 + 28 + 56);
    const Cost* const padding = First(fall, Loss::Overhead);
    REQUIRE(padding != nullptr);
    CHECK(padding->op == 4);
    CHECK(padding->bytes == 56);
}

TEST_CASE("A payload takes no more room than a larger one was seen to take") {
    // Behind the 90 bytes there is always much; but 100 fit into 128.
    const LabTrace trace = TraceOf("a 0 90\na 1 100\na 2 100\n");
    const Waterfall fall = Fall(trace, {At(0, 640), At(512, 640), At(640, 768)});
    CHECK(Of(fall, Loss::Holes) == 512 - 128);
    CHECK(Of(fall, Loss::Overhead) == 38 + 28 + 28);
}

TEST_CASE("A heap that is larger at the peak than any payload ever reached has grown too early") {
    const LabTrace trace = TraceOf("a 0 32\na 1 32\n");
    const Waterfall fall = Fall(trace, {At(0, 4096), At(32, 4096)});
    CHECK(fall.leastBlock == 32);
    CHECK(Of(fall, Loss::EarlyGrowth) == 4096 - 64);
    CHECK(Of(fall, Loss::Holes) == 0);
    CHECK(Of(fall, Loss::Overhead) == 0);
    REQUIRE(First(fall, Loss::EarlyGrowth) != nullptr);
    CHECK(First(fall, Loss::EarlyGrowth)->op == 0);
    CHECK(First(fall, Loss::EarlyGrowth)->address == kAt + 64);
}

TEST_CASE("What the heap grows after the peak is lost by that") {
    const LabTrace trace = TraceOf("a 0 64\nr 0 32\nf 0\na 1 48\n");
    const Waterfall fall = Fall(trace, {At(0, 64), At(64, 96), Freed(96), At(96, 144)});
    CHECK(fall.peakOp == 0);
    CHECK(fall.payloadBytes == 64);
    CHECK(Of(fall, Loss::LateGrowth) == 80);
    CHECK(Of(fall, Loss::Overhead) + Of(fall, Loss::Holes) + Of(fall, Loss::EarlyGrowth) == 0);
    const Cost* const late = First(fall, Loss::LateGrowth);
    REQUIRE(late != nullptr);
    CHECK(late->op == 3);  // the larger of the two
    CHECK(late->bytes == 48);
    CHECK(late->address == kAt + 96);
}

TEST_CASE("The waterfall ends at the utilisation, for students' allocators on a trace with everything in it") {
    const LabTrace trace = TraceOf(
        "a 0 512\na 1 128\na 2 2040\na 3 64\nf 1\na 4 100\nr 2 4000\n"
        "a 5 300\nf 0\nr 5 20\nf 3\na 6 1\na 7 5000\nf 4\n");
    for (const char* student : {"implicit.c", "explicit.c", "segregated.c"}) {
        INFO(student);
        const TraceOutcome outcome = RunOf(BuildOf(student), trace);
        REQUIRE(outcome.state == State::Valid);
        const Waterfall fall = Fall(trace, outcome.records);
        CHECK(fall.heapBytes == outcome.heapBytes);
        CHECK(fall.payloadBytes == trace.peakLive);
        CHECK(fall.Utilisation() == outcome.utilisation);
        CHECK(std::accumulate(fall.lost.begin(), fall.lost.end(), std::uint64_t{0}) ==
              fall.heapBytes - fall.payloadBytes);
        for (const Cost& cost : fall.costs) CHECK(cost.op < trace.ops.size());
    }
}

TEST_CASE("Odd records give some waterfall, and a cancelled one gives none") {
    const LabTrace trace = TraceOf("a 0 16\na 1 16\nr 1 8\nf 0\n");
    const std::vector<Record> odd = {{kAt, 0}, {kAt + 4, ~std::uint64_t{0}}, {~std::uint64_t{0}, 1}, {7, 7}};
    const auto fall = FallOf(trace, odd);
    REQUIRE(fall);
    CHECK(fall->heapBytes <= kLargestHeap);
    CHECK(Fall(trace, {}).heapBytes == 0);
    const std::atomic<bool> cancelled{true};
    CHECK_FALSE(FallOf(trace, odd, &cancelled));
}

TEST_CASE("The curve has the payload, the heap and the utilisation so far") {
    const LabTrace trace = TraceOf("a 0 64\na 1 32\nf 0\nf 1\n");
    const std::vector<Record> records = {At(0, 128), At(64, 128), Freed(128), Freed(192)};
    const auto curve = CurveOf(trace, records, 2);
    REQUIRE(curve.size() == 2);
    CHECK(curve[0].payloadMin == 64);
    CHECK(curve[0].payloadMax == 96);
    CHECK(curve[0].heap == 128);
    CHECK(curve[0].utilisation == 0.75);
    CHECK(curve[1].payloadMin == 0);
    CHECK(curve[1].payloadMax == 32);
    CHECK(curve[1].utilisation == 0.5);
    CHECK(CurveOf(trace, records, 100).size() == 4);
    CHECK(CurveOf(trace, {}, 100).empty());
}
