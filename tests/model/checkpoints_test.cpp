#include "model/checkpoints.hpp"

#include "log/appender.hpp"
#include "support/catch.hpp"

using namespace residue;

namespace {

// A heap and `count` blocks allocated one after the other: count + 1 rows.
void Fill(log::EventLog& log, std::uint64_t count) {
    log::Appender appender(log);
    events::Event event;
    event.kind = events::EventKind::AllocatorCreated;
    event.allocator = {1};
    event.address = 0x1000;
    event.size = 1 << 20;
    appender.Append(event, "heap");
    event = {};
    event.kind = events::EventKind::Allocated;
    event.allocator = {1};
    for (std::uint64_t i = 0; i < count; ++i) {
        event.address = 0x1000 + 16 * i;
        event.size = 16;
        appender.Append(&event, 1);
    }
}

}  // namespace

TEST_CASE("the nearest checkpoint is used when it is nearer than where one is") {
    log::EventLog log;
    Fill(log, 400);
    const auto view = log.View();
    model::Checkpoints checkpoints(100, 1'000'000);
    model::HeapModel heap;
    while (heap.Applied() < view.Rows()) {
        heap.Apply(view);
        checkpoints.Offer(heap);
    }
    CHECK(checkpoints.Count() == 4);
    const auto kept = checkpoints.Closer(Row{0}, Row{310});
    REQUIRE(kept);
    CHECK(kept->Applied() == Row{300});
    model::HeapModel walked;
    walked.Advance(view, Row{300}, 1000);
    CHECK(walked == *kept);
    CHECK_FALSE(checkpoints.Closer(Row{309}, Row{310}));
}

TEST_CASE("checkpoints stay within their budget of blocks by growing sparser") {
    log::EventLog log;
    Fill(log, 2000);
    const auto view = log.View();
    model::Checkpoints checkpoints(10, 5000);
    model::HeapModel heap;
    while (heap.Applied() < view.Rows()) {
        heap.Apply(view);
        checkpoints.Offer(heap);
    }
    CHECK(checkpoints.Count() >= 2);
    CHECK(checkpoints.Count() < 12);
}
