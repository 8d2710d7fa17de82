// What the window asks for every frame is found on threads of its own: nothing here waits for it.
#include "session/analyst.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include "log/appender.hpp"
#include "log/native_file.hpp"
#include "session/session.hpp"
#include "support/catch.hpp"

using namespace residue;

namespace {

// main calls Load (2) and Parse (3), both call Read (4, 5); three blocks of each Read.
std::string Recording(const char* name, std::uint64_t size = 100) {
    log::EventLog log;
    const TraceId main = log.AddTrace(TraceId{}, 0x10);
    const TraceId load = log.AddTrace(main, 0x20), parse = log.AddTrace(main, 0x30);
    const TraceId small = log.AddTrace(load, 0x40), large = log.AddTrace(parse, 0x40);
    log.NameFrame(0x10, {"main", "main.cpp", 5});
    log.NameFrame(0x20, {"Load", "load.cpp", 7});
    log.NameFrame(0x30, {"Parse", "parse.cpp", 9});
    log.NameFrame(0x40, {"Read", "read.cpp", 11});
    log::Appender appender(log);
    for (std::uint64_t i = 0; i < 6; ++i) {
        events::Event event;
        event.kind = events::EventKind::Allocated;
        event.allocator = AllocatorId{1};
        event.address = 0x1000 + i * 256;
        event.size = size;
        event.trace = i < 3 ? small : large;
        appender.Append(event, "");
    }
    appender.Flush();
    log.Close();
    const std::string path = (std::filesystem::temp_directory_path() / name).string();
    REQUIRE(log::WriteNative(log.View(), path));
    return path;
}

std::unique_ptr<session::Session> Opened(const char* name, std::uint64_t size = 100) {
    const std::string path = Recording(name, size);
    auto opened = session::Session::Open(path);
    opened->WaitUntilLoaded();
    opened->Tick(0, ~std::uint64_t{0});
    opened->SeekTo(opened->End());
    opened->Tick(0, ~std::uint64_t{0});
    std::filesystem::remove(path);
    return opened;
}

template <class Ask>
auto Await(Ask ask) {
    auto reply = ask();
    for (int i = 0; i < 5000 && !reply.fresh; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        reply = ask();
    }
    return reply;
}

}  // namespace

TEST_CASE("a filter's site hides nothing until its call traces are known, and then all others", "[threads]") {
    const auto opened = Opened("residue-analyst-filter.residue");
    session::Analyst& analyst = opened->Analyst();
    const auto passing = [&] {
        int count = 0;
        for (std::uint32_t block = 1; block <= 6; ++block) count += analyst.Passes(BlockId{block});
        return count;
    };
    CHECK(passing() == 6);
    for (const auto& [site, blocks] : {std::pair{"parse", 3}, std::pair{"READ.cpp", 6}, std::pair{"nobody", 0}}) {
        analysis::BlockFilter filter;
        filter.site = site;
        analyst.SetFilter(filter);
        const std::uint64_t state = analyst.FilterState();
        for (int i = 0; i < 5000 && analyst.FilterState() == state; ++i) {
            CHECK(passing() == 6);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            opened->Tick(0);
        }
        CHECK(analyst.FilterState() != state);  // whoever draws knows that it must do so again
        CHECK(passing() == blocks);
        CHECK(analyst.FilterState() == analyst.FilterState());
        analyst.SetFilter(filter);  // the same one
        CHECK(passing() == blocks);
        filter.leastSize = 101;
        analyst.SetFilter(filter);
        CHECK(passing() == 0);
    }
    analyst.SetFilter({});
    CHECK(passing() == 6);
}

TEST_CASE("call traces at a node and functions with a text are those of the flame graph asked about", "[threads]") {
    const auto opened = Opened("residue-analyst-flame.residue");
    session::Analyst& analyst = opened->Analyst();
    using analysis::Direction;
    using analysis::SiteMeasure;
    const auto down = Await([&] { return analyst.AskProfile(SiteMeasure::LiveBytes, Direction::TopDown); }).value;
    REQUIRE(down);
    const auto up = Await([&] { return analyst.AskProfile(SiteMeasure::LiveBytes, Direction::BottomUp); }).value;
    REQUIRE(up);
    const auto node = [](const session::ProfileAnswer& answer, const std::string& name) {
        std::uint32_t found = 0;
        for (std::uint32_t i = 1; i < answer.flame.nodes.size() && found == 0; ++i)
            if (answer.flame.NameOf(answer.flame.nodes[i]) == name) found = i;
        return found;
    };
    const auto load = Await([&] { return analyst.AskTraces(down, node(*down, "Load")); }).value;
    REQUIRE(load);
    CHECK(*load == std::vector<bool>{false, false, true, false, true, false});
    const auto read = Await([&] { return analyst.AskTraces(up, node(*up, "Read")); }).value;
    REQUIRE(read);
    CHECK(*read == std::vector<bool>{false, false, false, false, true, true});

    const auto parse = Await([&] { return analyst.AskMatches(down, "pars"); }).value;
    REQUIRE(parse);
    CHECK(parse->answer == down);
    CHECK(parse->found.count == 1);
    CHECK(parse->found.value == 300);
    const auto other = Await([&] { return analyst.AskMatches(up, "read"); }).value;
    REQUIRE(other);
    CHECK(other->answer == up);
    CHECK(other->found.value == 600);
}

TEST_CASE("a recording is compared with another one until that is ended", "[threads]") {
    const auto opened = Opened("residue-analyst-after.residue");
    auto other = Opened("residue-analyst-before.residue", 80);
    session::Analyst& analyst = opened->Analyst();
    using analysis::Direction;
    using analysis::SiteMeasure;
    const auto ask = [&](SiteMeasure measure) {
        return Await([&] { return analyst.AskProfile(measure, Direction::TopDown); }).value;
    };
    CHECK_FALSE(ask(SiteMeasure::LiveBytes)->earlier);
    analyst.SetAgainst(session::Against{other->View(), "before", other->End(), other->End()});
    other.reset();  // its log is kept
    const auto compared = ask(SiteMeasure::LiveBytes);
    REQUIRE(compared->earlier);
    CHECK(compared->earlierName == "before");
    CHECK(compared->earlier->total.liveBytes == 480);
    CHECK(compared->profile.total.liveBytes == 600);
    CHECK(compared->flame.nodes[0].value == 600);
    CHECK(compared->flame.nodes[0].earlier == 480);
    CHECK(compared->growth.grew == 2);
    // At another moment of this one the other stays at its end.
    opened->SeekTo(Position{2});
    opened->Tick(0, ~std::uint64_t{0});
    CHECK(ask(SiteMeasure::LiveBytes)->flame.nodes[0].value == 200);
    CHECK(ask(SiteMeasure::PeakBytes)->flame.nodes[0].earlier == 480);
    analysis::BlockFilter filter;
    filter.leastSize = 90;
    analyst.SetFilter(filter);
    CHECK(ask(SiteMeasure::LiveBytes)->earlier->total.liveBytes == 0);  // it holds for both
    analyst.SetAgainst(std::nullopt);
    CHECK_FALSE(ask(SiteMeasure::LiveBytes)->earlier);
    CHECK(ask(SiteMeasure::LiveBytes)->earlierName.empty());
}
