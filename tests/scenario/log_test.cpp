// A scenario's log: it is legal as it comes, the model agrees with it, its allocators can be run again, call traces
// have the script's procedures and lines, and the same program gives the same log on every run.
#include <cstring>
#include <thread>

#include "events/lanes.hpp"
#include "log/pump.hpp"
#include "model/heap_model.hpp"
#include "replay/reexecution.hpp"
#include "scenario/scenario_support.hpp"
#include "support/log_sink.hpp"

using namespace residue;
using namespace residue::scenario;
using events::Event;
using events::EventKind;

namespace {

const std::atomic<bool> kNever{false};

struct Recorded {
    explicit Recorded(const std::string& text) : program(Good(text)) {
        result = Run(*program, {}, {.sink = &sink, .traces = &traces});
    }
    std::vector<Event> Of(EventKind kind) const {
        std::vector<Event> events;
        const log::LogView view = sink.View();
        for (Row row{}; row < view.Rows(); ++row) {
            if (view.KindAt(row) == kind) events.push_back(view.At(row).event);
        }
        return events;
    }

    std::shared_ptr<const Program> program;
    support::LogSink sink;
    events::TraceTable traces{1 << 16};
    RunResult result;
};

model::HeapModel ModelOf(const log::LogView& view) {
    model::HeapModel heap;
    while (heap.Applied() < view.Rows()) heap.Apply(view);
    return heap;
}

constexpr const char* kChurn = R"(
buffer : [4096; u8]
main :: proc() {
    a := CreateFixedBufferAllocator(&buffer, .BestFit)
    kept : [10; ^u8] = [10; 0 as ^u8]
    for turn in 0..<4 {
        for i in 0..<10; do kept[i] = Memory.Allocate<u8>(&a, 8 + i * 5 + turn)
        for i in 0..<10; do if i % 2 == turn % 2; do Memory.Free(&a, kept[i])
    }
    Memory.UnsafeFree(&a, kept[0])
    kept[0][0] = 1
    #[expect(error = .Fragmentation)]
    Memory.Allocate<u8>(&a, 3600)
}
)";

}  // namespace

TEST_CASE("A scenario's log is legal, and the model agrees with what the run says of itself", "[scenario]") {
    const Recorded run(R"(
main :: proc() {
    a := Memory.Allocate<u32>(&GlobalAllocator, 5)
    b := Memory.Allocate<u8>(&GlobalAllocator, 7)
    Memory.Free(&GlobalAllocator, a)
})");
    CHECK(run.sink.WasLegal());
    REQUIRE(run.result.leaks.size() == 1);
    const auto sum = ModelOf(run.sink.View()).Sum();
    CHECK(sum.blocks == 1);
    CHECK(sum.payload == 7);
    const auto created = run.Of(EventKind::AllocatorCreated);
    REQUIRE(created.size() == 1);
    CHECK(created[0].address == kHeapBase);
    const auto allocated = run.Of(EventKind::Allocated);
    REQUIRE(allocated.size() == 2);
    CHECK(allocated[0].address == kHeapBase + 8);
}

TEST_CASE("The allocators of a scenario can be run again at every position", "[scenario]") {
    const Recorded run(kChurn);
    CHECK(run.sink.WasLegal());
    const log::LogView view = run.sink.View();
    auto again = replay::Reexecution::Create(view, AllocatorId{1});
    REQUIRE(again.has_value());
    for (std::uint64_t position = 0; position <= view.Positions().value; ++position) {
        const auto inside = (*again)->At(view, Position{position}, kNever, nullptr);
        INFO(position);
        REQUIRE(inside.has_value());
        CHECK(inside->after->broken.empty());
    }
}

TEST_CASE("Steps carry line, column and stops; narration and output stand where they belong", "[scenario]") {
    const Recorded run(
        "/// Title\n\nmain :: proc() {\n    /// First.\n    #[predict]\n    p := Memory.Allocate<u8>(&GlobalAllocator, "
        "3)\n"
        "    #[break]\n    IO.PrintLine(\"{}\", 5)\n    IO.Error(\"x\")\n}\n");
    const auto steps = run.Of(EventKind::Step);
    REQUIRE(steps.size() == 3);
    CHECK(steps[0].Line() == 6);
    CHECK(steps[0].address == 5);
    CHECK(steps[0].size == 45);
    CHECK(steps[0].rounding == (static_cast<unsigned>(StepMark::Narration) | static_cast<unsigned>(StepMark::Predict)));
    CHECK(steps[1].rounding == static_cast<unsigned>(StepMark::Break));
    CHECK(steps[2].rounding == 0);
    const log::LogView view = run.sink.View();
    std::vector<std::string> told;
    for (Row row{}; row < view.Rows(); ++row) {
        const Event event = view.At(row).event;
        if (event.kind == EventKind::Marker || event.kind == EventKind::Output || event.kind == EventKind::Step) {
            told.push_back(std::string(events::Info(event.kind).text) + ":" + std::string(view.Text(row)));
        }
    }
    CHECK(told == std::vector<std::string>{"marker:First.", "step:test.iridis", "step:", "output:5\n", "step:",
                                           "output:x", "output:Unfreed buffer @ 0x10008: \n6:test.iridis in main\n"});
}

TEST_CASE("Call traces are the script's procedures and lines, innermost first", "[scenario]") {
    const Recorded run(
        "Make :: proc() -> ^u8 {\n    return Memory.Allocate<u8>(&GlobalAllocator, 3)!\n}\n"
        "main :: proc() {\n    a := Make()\n}\n");
    const auto allocated = run.Of(EventKind::Allocated);
    REQUIRE(allocated.size() == 1);
    const auto names = FrameNames(run.program);
    // The log sink of the tests has no traces; what a run makes itself are those of its leaks.
    REQUIRE(run.result.leaks.size() == 1);
    REQUIRE(run.result.leaks[0].trace.size() == 2);
    CHECK(run.result.leaks[0].trace[0].procedure == "Make");
    CHECK(run.result.leaks[0].trace[0].line == 2);
    CHECK(run.result.leaks[0].trace[1].procedure == "main");
    CHECK(run.result.leaks[0].trace[1].line == 5);
    const auto node = run.traces.At(allocated[0].trace);
    const symbols::Frame frame = names->Resolve(node.frame);
    CHECK(frame.function == "Make");
    CHECK(frame.file == "test.iridis");
    CHECK(frame.line == 2);
    CHECK(names->Resolve(run.traces.At(node.parent).frame).function == "main");
}

TEST_CASE("The same program gives the same events on every run", "[scenario]") {
    events::VectorSink first;
    events::VectorSink second;
    const auto program = Good(kChurn);
    (void)Run(*program, {}, {.sink = &first});
    (void)Run(*program, {}, {.sink = &second});
    REQUIRE(first.Events().size() == second.Events().size());
    for (std::size_t i = 0; i < first.Events().size(); ++i) {
        REQUIRE(std::memcmp(&first.Events()[i], &second.Events()[i], sizeof(Event)) == 0);
    }
}

TEST_CASE("An allocator of the script stands on the one that it takes its memory from", "[scenario]") {
    const Recorded run(R"(
Take<T> :: proc(c: ^Allocator, n: u32) -> MemoryError?^T { return OS.Allocate<T>(n) }
Give<T> :: proc(c: ^Allocator, p: ^T) -> MemoryError? { return OS.Free(p) }
main :: proc() {
    mine := Allocator { Allocate = Take, Free = Give }
    a := Memory.Allocate<u32>(&mine, 5)
    arena := CreateArenaAllocator(&mine)
    b := Memory.Allocate<u8>(&arena, 100)
    Memory.Free(&mine, a)
})");
    CHECK(run.result.ending == Ending::Finished);
    CHECK(run.sink.WasLegal());
    const model::HeapModel heap = ModelOf(run.sink.View());
    CHECK(heap.Sum().payload == 100);  // nested bytes count once
    CHECK(heap.Allocators().size() >= 3);
}

TEST_CASE("A run crosses lanes and a pump into a log, and can be stopped from another thread", "[scenario][threads]") {
    const auto program = Good("main :: proc() {\n    while true { x := 5 }\n}\n");
    events::TraceTable traces(1 << 16);
    events::Lanes lanes({.capacity = 1 << 10, .stamps = events::StampSource::Steps, .traces = &traces});
    log::EventLog log;
    log.SetSymbolizer(FrameNames(program));
    log::Pump pump(lanes, log, {.traces = &traces, .afterRound = {}});
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> steps{0};
    RunOptions options;
    options.stepBudget = ~std::uint64_t{0} >> 1;
    RunResult result;
    std::thread runner(
        [&] { result = Run(*program, options, {.sink = &lanes, .traces = &traces, .stop = &stop, .steps = &steps}); });
    while (steps.load() < 5000) std::this_thread::yield();
    stop.store(true);
    runner.join();
    pump.Stop();
    CHECK(result.ending == Ending::Stopped);
    CHECK(result.error.has_value());
    const log::LogView view = log.View();
    REQUIRE(view.Rows().value > 1000);
    const auto frames = view.Frames(view.At(Row{1}).event.trace);
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].function == "main");
}
