#include "model/checkpoints.hpp"

#include <random>
#include <utility>
#include <vector>

#include "log/appender.hpp"
#include "model/block_order.hpp"
#include "model/random_stream.hpp"
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
    model::Checkpoints checkpoints({.spacingRows = 100});
    model::HeapModel heap;
    while (heap.Applied() < view.Rows()) {
        heap.Apply(view);
        checkpoints.Offer(heap);
    }
    CHECK(checkpoints.Count() == 5);  // the first one at once
    const auto kept = checkpoints.Closer(Row{0}, Row{310});
    REQUIRE(kept);
    CHECK(kept->Applied() == Row{300});
    model::HeapModel walked;
    walked.Advance(view, Row{300}, 1000);
    CHECK(walked == *kept);
    CHECK_FALSE(checkpoints.Closer(Row{309}, Row{310}));
}

TEST_CASE("a checkpoint is worth its copy by the rows that it saves, however many blocks live there") {
    log::EventLog log;
    Fill(log, 20'000);
    const auto view = log.View();
    model::Checkpoints checkpoints({.spacingRows = 10'000});
    model::HeapModel heap;
    heap.Advance(view, Row{10'000}, ~std::uint64_t{0});
    checkpoints.Offer(heap);  // 9,999 blocks
    REQUIRE(checkpoints.Count() == 1);
    const Row target{10'010};
    for (const auto& from : {Row{9'000}, Row{11'000}}) {  // before and behind it
        const auto kept = checkpoints.Closer(from, target);
        REQUIRE(kept);
        CHECK(kept->Applied() == Row{10'000});
    }
    // 10 rows and a copy are no better than 100 rows.
    CHECK_FALSE(checkpoints.Closer(target + 100, target));
    CHECK_FALSE(checkpoints.Closer(target - 100, target));
}

TEST_CASE("the heap after 10,000 random seeks is the one of a replay from 0") {
    test::Stream stream;
    test::RandomStream events(11);
    events.Begin(stream);
    while (stream.View().Rows().value < 3000) events.Step(stream);
    const auto view = stream.View();
    std::vector<model::HeapModel> replayed(1);  // after 0, 1, 2 ... rows
    while (replayed.back().Applied() < view.Rows()) {
        replayed.push_back(replayed.back());
        replayed.back().Apply(view);
    }
    const auto order = GENERATE(false, true) ? model::BlockOrder::Build(view) : nullptr;
    model::Checkpoints checkpoints({.spacingRows = 300});
    model::HeapModel walker(order);
    while (!walker.Advance(view, view.Rows(), 1)) checkpoints.Offer(walker);
    std::mt19937_64 random(12);
    model::HeapModel heap;
    unsigned copied = 0, wrong = 0;
    for (int i = 0; i < 10'000; ++i) {
        const Row target{random() % replayed.size()};
        if (const auto closer = checkpoints.Closer(heap.Applied(), target)) {
            heap = *closer;
            ++copied;
        }
        heap.Advance(view, target, ~std::uint64_t{0});
        if (!(heap == replayed[target.value])) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(copied > 5'000);
}

TEST_CASE("a copy is kept when the budget pays for what has changed") {
    log::EventLog log;
    Fill(log, 2000);
    const auto view = log.View();
    model::Checkpoints all({.spacingRows = 10}), few({.spacingRows = 10, .allowance = 120'000, .perRow = 20}),
        none({.spacingRows = 10, .allowance = 0, .perRow = 0});
    model::HeapModel heap;
    while (heap.Applied() < view.Rows()) {
        heap.Apply(view);
        for (model::Checkpoints* checkpoints : {&all, &few, &none}) checkpoints->Offer(heap);
        REQUIRE(few.Bytes() <= 120'000 + 20 * heap.Applied().value);
    }
    CHECK(all.Count() == 201);
    CHECK(few.Count() >= 2);
    CHECK(few.Count() < 100);
    CHECK(none.Count() == 0);
    CHECK_FALSE(none.Closer(Row{0}, Row{1000}));
}

TEST_CASE("checkpoints can be taken over from another walk") {
    log::EventLog log;
    Fill(log, 2000);
    const auto view = log.View();
    model::Checkpoints sparse({.spacingRows = 1000}), dense({.spacingRows = 10});
    const auto walk = [&](model::Checkpoints& checkpoints, model::HeapModel heap) {
        while (!heap.Advance(view, view.Rows(), 1)) checkpoints.Offer(heap);
    };
    walk(sparse, model::HeapModel());
    walk(dense, model::HeapModel(model::BlockOrder::Build(view)));
    const std::size_t count = dense.Count();
    sparse.Take(std::move(dense));
    CHECK(sparse.Count() == count);
    const auto kept = sparse.Closer(Row{0}, Row{711});
    REQUIRE(kept);
    model::HeapModel heap;
    heap.Advance(view, kept->Applied(), 1000);
    CHECK(heap == *kept);
}
