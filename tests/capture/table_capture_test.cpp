#if defined(__x86_64__)
#include "capture/detail/table_capture.hpp"

#include <memory>
#include <vector>

#include "capture/shapes.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;

namespace {

std::vector<std::uintptr_t> FramesOf(const events::TraceTable& table, TraceId id) {
    std::vector<std::uintptr_t> frames;
    for (; id; id = table.At(id).parent) frames.push_back(table.At(id).frame);
    return frames;
}

struct Compared {
    events::StackBounds stack = events::OwnStack();
    events::TraceTable table{1 << 16};
    std::unique_ptr<detail::TableCapture> capture = std::make_unique<detail::TableCapture>();
    unsigned depth = 0;
    unsigned wrong = 0;
    unsigned traces = 0;

    void Compare() {
        const Registers here = Here();
        std::uintptr_t frames[events::kMaxTraceDepth];
        const Walked walked = WalkTables(here, stack, frames, depth);
        bool complete = false;
        const TraceId id = capture->Capture(here, complete);
        if (FramesOf(table, id) != std::vector<std::uintptr_t>(frames, frames + walked.count)) ++wrong;
        if (complete != walked.complete) ++wrong;
        ++traces;
    }
};

}  // namespace

TEST_CASE("a captured trace is the walk, whatever was captured before") {
    for (const unsigned depth : {1u, 16u, 64u}) {
        Compared compared;
        compared.depth = depth;
        compared.capture->SetUp(&compared.table, depth, compared.stack);
        const Probe probe{[](void* data) { static_cast<Compared*>(data)->Compare(); }, &compared};
        for (unsigned round = 0; round < 3; ++round) {
            for (const Shape& shape : ShapesO2()) shape.run(probe);
        }
        CHECK(compared.traces > 300);
        CHECK(compared.wrong == 0);
    }
}

TEST_CASE("without a table or a depth there are no traces, with a full table id 0") {
    auto capture = std::make_unique<detail::TableCapture>();
    bool complete = true;
    CHECK_FALSE(capture->Capture(Here(), complete));
    CHECK_FALSE(complete);
    events::TraceTable table(1);
    capture->SetUp(&table, 0, events::OwnStack());
    CHECK_FALSE(capture->Capture(Here(), complete));
    capture->SetUp(&table, 16, events::OwnStack());
    const Registers here = Here();
    for (unsigned i = 0; i < 2; ++i) CHECK_FALSE(capture->Capture(here, complete));
    events::TraceTable roomy(100);
    capture->SetUp(&roomy, 16, events::OwnStack());
    CHECK(capture->Capture(here, complete));  // the same walk, another table
    capture->SetUp(&table, 16, {});
    CHECK_FALSE(capture->Capture(Here(), complete));
}

#endif
