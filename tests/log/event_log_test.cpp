#include "log/event_log.hpp"

#include <random>

#include "events.hpp"
#include "log/appender.hpp"
#include "log/columns.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::log;
using namespace residue::log::testing;

namespace {

// A program that allocates and frees at random addresses of a small heap, stamps counting steps.
void ReplayInto(Appender& appender, std::uint64_t operations) {
    std::vector<std::uint64_t> live;
    std::uint64_t random = 1;
    const auto next = [&random] {
        random = random * 6364136223846793005u + 1442695040888963407u;
        return random >> 33;
    };
    std::uint64_t fresh = 0x100000;
    std::vector<std::uint64_t> reusable;
    for (std::uint64_t step = 0; step < operations; ++step) {
        if (live.size() < 1000 && (live.empty() || next() % 2 == 0)) {
            std::uint64_t address = fresh;
            if (reusable.empty()) {
                fresh += 512;
            } else {
                address = reusable.back();
                reusable.pop_back();
            }
            Event event = Allocated(address, 1 + next() % 400);
            event.stamp = step;
            event.header = 8;
            event.rounding = (16 - (event.size + 8) % 16) % 16;
            event.alignmentLog2 = 4;
            appender.Append(event, {});
            live.push_back(address);
        } else {
            const std::size_t which = next() % live.size();
            Event event = Freed(live[which]);
            event.stamp = step;
            appender.Append(event, {});
            reusable.push_back(live[which]);
            live[which] = live.back();
            live.pop_back();
        }
    }
}

}  // namespace

TEST_CASE("an empty log answers everything") {
    for (const LogView& view : {LogView(), EventLog().View()}) {
        CHECK(view.Rows() == Row{0});
        CHECK(view.Positions() == Position{0});
        CHECK(view.RowsAt(Position{0}) == Row{0});
        CHECK(view.RowsAt(Position{5}) == Row{0});
        CHECK(view.Blocks() == 0);
        CHECK(view.ErrorCount() == 0);
        CHECK(view.NextError(Row{0}) == Row{kNever});
        CHECK(view.PreviousError(Row{9}) == Row{kNever});
        CHECK(view.Frames(TraceId{3}).empty());
        CHECK(view.ParentTrace(TraceId{3}) == TraceId{});
        CHECK(view.DiedTogether(Row{0}).empty());
        CHECK(view.Source().name.empty());
        CHECK_FALSE(view.Closed());
    }
}

TEST_CASE("columns give back what was packed, at every width") {
    std::vector<LoggedEvent> rows;
    for (std::uint64_t i = 0; i < 300; ++i) {
        LoggedEvent row;
        row.event.stamp = ~0ull - i * 0x0123456789ABCDull * (i % 3);
        row.event.address = 0x1000 + i;
        row.event.size = i * 0x10001;
        row.event.argument = 77;
        row.event.rounding = i % 2 ? ~0ull : 0;
        row.event.padding = static_cast<std::uint32_t>(i * 1000);
        row.event.slack = i == 299 ? ~0u : 0;
        row.event.trace = TraceId{static_cast<std::uint32_t>(i * i)};
        row.event.thread = ThreadId{5};
        row.event.header = static_cast<std::uint16_t>(65535 - i);
        row.event.allocator = AllocatorId{static_cast<std::uint16_t>(i % 7)};
        row.event.kind = static_cast<EventKind>(i % (events::kKindCount - 1));
        row.event.error = static_cast<std::uint8_t>(i % 6);
        row.event.alignmentLog2 = static_cast<std::uint8_t>(i % 64);
        row.event.flags = static_cast<std::uint8_t>(i);
        row.block = BlockId{static_cast<std::uint32_t>(~i)};
        row.oldBlock = BlockId{static_cast<std::uint32_t>(i)};
        rows.push_back(row);
    }
    const Columns columns = Columns::Pack(rows, Widths::PowersOfTwo);
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK(Same(columns.At(i), rows[i]));
    CHECK(columns.Shape(static_cast<std::size_t>(ColumnId::Argument)).width == 0);
    CHECK(columns.Shape(static_cast<std::size_t>(ColumnId::Address)).width == 2);
    CHECK(columns.Shape(static_cast<std::size_t>(ColumnId::Size)).width == 4);
    CHECK(columns.Shape(static_cast<std::size_t>(ColumnId::Rounding)).width == 8);
}

TEST_CASE("columns of any width take the bytes that they need, and leave what is beside them") {
    for (unsigned bits = 0; bits <= 64; ++bits) {
        CAPTURE(bits);
        std::vector<LoggedEvent> rows(200);
        for (std::uint64_t i = 0; i < rows.size(); ++i) {
            const std::uint64_t most = bits == 0 ? 0 : ~std::uint64_t{0} >> (64 - bits);
            rows[i].event.stamp = i;
            rows[i].event.address = i == 0 ? 0 : i % 7 == 0 ? most : most / (i + 1);
            rows[i].event.size = most - rows[i].event.address;
            rows[i].event.argument = 255 - i;
        }
        const Columns columns = Columns::Pack(rows, Widths::Any);
        bool same = true;
        for (std::size_t i = 0; i < rows.size(); ++i) same &= Same(columns.At(i), rows[i]);
        CHECK(same);
        CHECK(columns.Shape(static_cast<std::size_t>(ColumnId::Address)).width == (bits + 7) / 8);
    }
}

TEST_CASE("rows read the same from an open and from a sealed chunk") {
    EventLog log;
    std::vector<LoggedEvent> written;
    std::vector<LogView> views;
    for (std::uint64_t i = 0; i < 2 * kChunkRows + 100; ++i) {
        LoggedEvent row;
        row.event = Make(EventKind::Output, i * 3, i % 1000);
        row.event.stamp = i;
        const std::string text = i % 1000 == 0 ? "text " + std::to_string(i) : "";
        log.Append(row, text);
        if (!text.empty()) row.event.flags = Bit(EventFlag::HasText);
        written.push_back(row);
        if (i % 5000 == 0) views.push_back(log.View());
    }
    views.push_back(log.View());
    for (const LogView& view : views) {  // the early ones read a chunk that has been sealed since
        bool same = true;
        for (std::uint64_t i = 0; i < view.Rows().value; i += 7) same &= Same(view.At(Row{i}), written[i]);
        CHECK(same);
        CHECK(view.Text(Row{0}) == "text 0");
        CHECK(view.Text(Row{1}).empty());
    }
    CHECK(views.back().Rows().value == written.size());
    CHECK(views.back().Text(Row{131000}) == "text 131000");
    CHECK(views.back().KindAt(Row{100}) == EventKind::Output);
}

TEST_CASE("calls whose blocks are known make the log that the same events make") {
    EventLog log, expected;
    Appender appender(expected);
    std::mt19937 random(3);
    std::vector<KnownCall> calls;
    std::vector<std::pair<BlockId, std::uint64_t>> live;
    std::uint32_t blocks = 0;
    const std::size_t count = 2 * kChunkRows + 1000;
    for (std::size_t i = 0; i < count; ++i) {
        Event event = Make(EventKind::Allocated, 0x1000 + 64 * i, 1 + i % 60);
        event.stamp = 3 * i;
        event.thread = {};
        KnownCall call{event.stamp, event.address, event.size, TraceId{static_cast<std::uint32_t>(i % 9)}, {}};
        if (!live.empty() && random() % 2 == 0) {
            const std::size_t which = random() % live.size();
            event.kind = EventKind::Freed;
            event.address = call.address = live[which].second;
            event.size = 0;
            call.size = KnownCall::kFreed;
            call.trace = {};
            call.block = live[which].first;
            live[which] = live.back();
            live.pop_back();
        } else {
            call.block = BlockId{++blocks};
            live.emplace_back(call.block, call.address);
        }
        event.trace = call.trace;
        calls.push_back(call);
        appender.Append(event, {});
    }
    // In pieces of any length, some of them over the end of a chunk.
    for (std::size_t at = 0; at < count;) {
        const std::size_t piece = std::min<std::size_t>(count - at, random() % 90'000);
        log.AppendKnown(AllocatorId{1}, std::span(calls).subspan(at, piece));
        at += piece;
        CHECK(log.View().Rows().value == at);
        CHECK(log.View().Positions().value == at);
    }
    CHECK(testing::Difference(log.View(), expected.View()) == "");
    CHECK(log.View().RareRows() == 1);
}

TEST_CASE("texts of any length are kept") {
    EventLog log;
    LoggedEvent row;
    row.event = Make(EventKind::Marker);
    const std::string texts[] = {"a",  std::string(5000, 'b'), "c", std::string(4095, 'd'),
                                 "ef", std::string(9000, 'g')};
    for (const std::string& text : texts) log.Append(row, text);
    const LogView view = log.View();
    for (std::uint64_t i = 0; i < std::size(texts); ++i) CHECK(view.Text(Row{i}) == texts[i]);
}

TEST_CASE("a position ends with its call and with what trails it") {
    EventLog log;
    Appender appender(log);
    appender.Append(Make(EventKind::AllocatorCreated, 0, 0), "heap");            // 0: at position 0
    appender.Append(Make(EventKind::Marker), "start");                           // 1: at position 0
    appender.Append(Make(EventKind::Step), "main.c");                            // 2: leads to call 1
    appender.Append(Make(EventKind::Output), "hello");                           // 3: within call 1
    appender.Append(Allocated(0x1000, 16), {});                                  // 4: call 1
    appender.Append(Make(EventKind::Output), "one");                             // 5: trails it
    appender.Append(Make(EventKind::Duck), "quack");                             // 6: trails it
    appender.Append(ResizeBegins(0x1000, 32), {});                               // 7: leads to call 2
    appender.Append(ResizeEnds(0x1000, 0x1000, 32), {});                         // 8: call 2
    appender.Append(With(Bit(EventFlag::IsCall), Make(EventKind::Step)), {});    // 9: call 3
    appender.Append(With(Bit(EventFlag::NotACall), Allocated(0x2000, 16)), {});  // 10: leads to call 4
    appender.Append(Freed(0x1000), {});                                          // 11: call 4
    appender.Append(Make(EventKind::Output), "last");                            // 12: trails it
    appender.Append(ResizeBegins(0x2000, 32), {});  // 13: leads to a call that has not ended
    const LogView view = log.View();
    REQUIRE(view.Positions() == Position{4});
    CHECK(view.RowsAt(Position{0}) == Row{2});
    CHECK(view.RowsAt(Position{1}) == Row{7});
    CHECK(view.RowsAt(Position{2}) == Row{9});
    CHECK(view.RowsAt(Position{3}) == Row{10});
    CHECK(view.RowsAt(Position{4}) == Row{13});
    CHECK(view.RowsAt(Position{5}) == Row{13});
    const std::uint64_t positions[] = {0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 4, 4, 4, 5};
    for (std::uint64_t row = 0; row < std::size(positions); ++row) {
        CAPTURE(row);
        CHECK(view.PositionOf(Row{row}) == Position{positions[row]});
    }
}

TEST_CASE("positions are right over many chunks") {
    EventLog log;
    std::vector<std::uint64_t> rowsAt{0};  // by a plain scan
    std::vector<std::uint64_t> positionOf;
    std::uint64_t random = 7;
    bool afterCall = true;
    const std::uint64_t rows = 3 * kChunkRows + 777;
    for (std::uint64_t i = 0; i < rows; ++i) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        std::uint64_t pick = (random >> 40) % 16;
        if (i > 70000 && i < 70000 + 2 * kChunkRows) pick = 3;  // a long stretch without calls
        LoggedEvent row;
        row.event = Make(pick < 2 ? EventKind::Step : pick < 5 ? EventKind::Output : EventKind::AllocateFailed);
        log.Append(row);
        if (row.event.EndsCall()) {
            positionOf.push_back(rowsAt.size());
            rowsAt.push_back(i + 1);
            afterCall = true;
        } else if (row.event.kind == EventKind::Output && afterCall) {
            positionOf.push_back(rowsAt.size() - 1);
            rowsAt.back() = i + 1;
        } else {
            positionOf.push_back(rowsAt.size());
            afterCall = false;
        }
    }
    const LogView view = log.View();
    REQUIRE(view.Positions().value == rowsAt.size() - 1);
    std::uint64_t wrong = 0;
    for (std::uint64_t p = 0; p < rowsAt.size(); ++p) wrong += view.RowsAt(Position{p}).value != rowsAt[p];
    CHECK(wrong == 0);
    for (std::uint64_t i = 0; i < rows; ++i) wrong += view.PositionOf(Row{i}).value != positionOf[i];
    CHECK(wrong == 0);
}

TEST_CASE("errors are found forwards and backwards") {
    EventLog log;
    Appender appender(log);
    appender.Append(Allocated(0x1000, 16), {});  // 0
    appender.Append(Freed(0x1004), {});          // 1: an error
    Event failed = ResizeEnds(0x1000, 0, 0);
    failed.error = static_cast<std::uint8_t>(MemoryError::Fragmentation);
    appender.Append(failed, {});                // 2: an error
    appender.Append(Freed(0x1000), {});         // 3
    appender.Append(Make(EventKind::Gap), {});  // 4: an error
    const LogView view = log.View();
    CHECK(view.ErrorCount() == 3);
    CHECK(view.NextError(Row{0}) == Row{1});
    CHECK(view.NextError(Row{1}) == Row{1});
    CHECK(view.NextError(Row{3}) == Row{4});
    CHECK(view.NextError(Row{5}) == Row{kNever});
    CHECK(view.PreviousError(Row{1}) == Row{kNever});
    CHECK(view.PreviousError(Row{2}) == Row{1});
    CHECK(view.PreviousError(Row{99}) == Row{4});
}

TEST_CASE("a view does not see what comes after it") {
    EventLog log;
    Appender appender(log);
    appender.Append(Allocated(0x1000, 16), {});
    const LogView before = log.View();
    appender.Append(Freed(0x1000), {});
    appender.Append(Allocated(0x1000, 16), {});
    appender.Append(Freed(0x9000), {});
    CHECK(before.Rows() == Row{1});
    CHECK(before.Blocks() == 1);
    CHECK(before.Life(BlockId{1}).died == Row{kNever});
    CHECK(before.ErrorCount() == 0);
    CHECK(log.View().Life(BlockId{1}).died == Row{1});
    CHECK(log.View().Blocks() == 2);
}

TEST_CASE("a view outlives its log") {
    LogView view;
    {
        EventLog log(SourceInfo{"trace.rep", "replayed", Clock::Steps, 0, true});
        Appender appender(log);
        appender.Append(Make(EventKind::Marker), "still here");
        appender.Append(Allocated(0x1000, 16), {});
        log.Close();
        view = log.View();
    }
    CHECK(view.Text(Row{0}) == "still here");
    CHECK(view.Birth(BlockId{1}).event.address == 0x1000);
    CHECK(view.Source().name == "trace.rep");
    CHECK(view.Closed());
}

TEST_CASE("frames get their names when they are asked for") {
    struct Counting final : symbols::Symbolizer {
        int asked = 0;
        Frame Resolve(std::uint64_t address) override {
            ++asked;
            return {"f" + std::to_string(address), "f.cpp", 7};
        }
    };
    EventLog log;
    const TraceId outer = log.AddTrace({}, 100);
    const TraceId inner = log.AddTrace(outer, 200);
    const TraceId orphan = log.AddTrace(TraceId{99}, 300);
    const LogView view = log.View();
    CHECK(view.TopFrame(outer).function == "0x64");
    const auto symbolizer = std::make_shared<Counting>();
    log.SetSymbolizer(symbolizer);
    log.NameFrame(100, {"main", "main.cpp", 1});
    const auto frames = view.Frames(inner);
    REQUIRE(frames.size() == 2);
    CHECK(frames[0].function == "f200");
    CHECK(frames[1].function == "main");
    CHECK(view.TopFrame(inner).line == 7);
    CHECK(symbolizer->asked == 1);
    CHECK(view.ParentTrace(inner) == outer);
    CHECK(view.ParentTrace(orphan) == TraceId{});
    CHECK(view.Frames(TraceId{4}).empty());
    CHECK(view.FrameAddress(inner) == 200);
    CHECK(view.Traces() == 3);
}

TEST_CASE("a replay of two hundred thousand calls takes less than 40 bytes an event") {
    EventLog log;
    Appender appender(log);
    constexpr std::uint64_t operations = 3 * kChunkRows;
    ReplayInto(appender, operations);
    const double bytes = static_cast<double>(log.ResidentBytes()) / static_cast<double>(operations);
    CAPTURE(bytes);
    CHECK(bytes < 36);
    CHECK(bytes > 4);
    CHECK(Illegal(log.View()).empty());
}
