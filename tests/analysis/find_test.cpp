#include "analysis/find.hpp"

#include "model/stream.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::analysis;
using test::Stream;

namespace {

struct Walked {
    Stream stream;
    Series series;
    log::LogView log;

    Walked() {
        stream.Log().AddTrace(TraceId{}, 0x10);
        stream.Log().AddTrace(TraceId{1}, 0x20);
        stream.Log().NameFrame(0x10, {"main", "main.cpp", 5});
        stream.Log().NameFrame(0x20, {"Parse", "parse.cpp", 9});
        stream.Created(1, 0x1000, 0x1000);                                     // before position 1
        stream.Allocated(1, 0x1000, 100, {0, 0, 0, 0, 1, 1});                  // 1: live 100
        stream.Allocated(1, 0x1100, 3000, {0, 0, 0, 0, 1, 2});                 // 2: live 3,100
        stream.Freed(1, 0x1100);                                               // 3: live 100
        stream.AllocateFailed(1, 5000, MemoryError::InsufficientMemory, 3996, 3800);  // 4
        stream.Allocated(1, 0x1100, 40);                                       // 5: live 140
        stream.Resized(1, 0x1000, 0x1000, 200);                                // 6: live 240
        stream.Freed(1, 0x9999);                                               // 7
        log = stream.View();
        series.Extend(log, ~std::uint64_t{0});
    }
    std::vector<std::uint64_t> All(const std::string& text, bool forward = true) const {
        const auto condition = ParseCondition(text);
        REQUIRE(condition);
        std::vector<std::uint64_t> all;
        Position at = forward ? Position{} : log.Positions() + 1;
        while (const auto next = FindNext(log, series, *condition, at, forward)) {
            at = *next;
            all.push_back(at.value);
        }
        return all;
    }
};

std::string WhyNot(const std::string& text) {
    const auto condition = ParseCondition(text);
    REQUIRE_FALSE(condition);
    return condition.error().Text();
}

}  // namespace

TEST_CASE("a run stops where a condition holds, onwards and backwards") {
    const Walked walked;
    using Positions = std::vector<std::uint64_t>;
    CHECK(walked.All("live >= 1K") == Positions{2});
    CHECK(walked.All("live > 100") == Positions{2, 5, 6, 7});
    CHECK(walked.All("live > 100", false) == Positions{7, 6, 5, 2});
    CHECK(walked.All("live < 101", false) == Positions{4, 3, 1, 0});
    CHECK(walked.All("heap >= 4K").size() == 7);
    CHECK(walked.All("frag > 5%") == Positions{2});
    CHECK(walked.All("frag > .5") == Positions{});
    CHECK(walked.All("size >= 3000") == Positions{2, 4});
    CHECK(walked.All("size>=3000", false) == Positions{4, 2});
    CHECK(walked.All("size <= 40") == Positions{5});
    CHECK(walked.All("address 0x1108") == Positions{2, 3, 5});
    CHECK(walked.All("address 0x1000") == Positions{1, 6});
    CHECK(walked.All("address 0x9999") == Positions{7});
    CHECK(walked.All("site parse") == Positions{2});
    CHECK(walked.All("site main") == Positions{1, 2});
    CHECK(walked.All("block 1") == Positions{1, 6});
    CHECK(walked.All("error") == Positions{4, 7});
    CHECK(walked.All("error", false) == Positions{7, 4});
}

TEST_CASE("a site is looked for in a call trace of any depth") {
    Stream stream;
    constexpr std::uint32_t kDepth = 300'000;  // more than a stack of ours would hold
    for (std::uint32_t i = 0; i < kDepth; ++i) stream.Log().AddTrace(TraceId{i}, 0x10 + i % 2);
    stream.Log().NameFrame(0x10, {"Even", "", 0});
    stream.Log().NameFrame(0x11, {"Odd", "", 0});
    stream.Allocated(1, 0x1000, 8, {0, 0, 0, 0, 1, kDepth});
    const auto log = stream.View();
    Series series;
    series.Extend(log, ~std::uint64_t{0});
    CHECK(FindNext(log, series, *ParseCondition("site nobody"), Position{}, true) == std::nullopt);
    CHECK(FindNext(log, series, *ParseCondition("site even"), Position{}, true) == Position{1});
}

TEST_CASE("a condition is parsed back from what it says") {
    for (const char* text : {"live >= 4096", "heap < 12", "frag > 0.25", "size <= 7", "address 0x7f12", "site parse",
                             "block 17", "error"}) {
        CAPTURE(text);
        CHECK(Describe(*ParseCondition(text)) == text);
    }
    CHECK(*ParseCondition("  live>=4K ") == *ParseCondition("live >= 4096"));
}

TEST_CASE("a condition that is none says what was expected") {
    CHECK(WhyNot("lief > 3").find("no condition begins like this (expected live, heap") != std::string::npos);
    CHECK(WhyNot("").find("no condition begins") != std::string::npos);
    CHECK(WhyNot("live") == "live: no comparison (expected <, <=, > or >= and a number)");
    CHECK(WhyNot("live > many") == "live > many: \"many\" is no size (expected bytes: 4096, 64K, 1.5 MiB)");
    CHECK(WhyNot("frag > 7") == "frag > 7: \"7\" is no share (expected a number from 0 to 1, or like 40%)");
    CHECK(WhyNot("block 0").find("is no block") != std::string::npos);
    CHECK(WhyNot("address here").find("is no address") != std::string::npos);
    CHECK(WhyNot("site").find("no name") != std::string::npos);
    CHECK(WhyNot("error now").find("nothing can follow") != std::string::npos);
}
