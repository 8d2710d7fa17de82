// Folded stacks: a line a call trace, and the sum of all lines is what the profile says.
#include "export/folded_writer.hpp"

#include "analysis/profile.hpp"
#include "export/small_log.hpp"

using namespace residue;
using namespace residue::exports::testing;
using analysis::SiteMeasure;

namespace {

std::string Folded(const SmallLog& small, SiteMeasure measure, const analysis::ProfileRange& range = {},
                   exports::WriteSummary* summary = nullptr) {
    const auto profile = MakeProfile(small.view, range);
    REQUIRE(profile);
    analysis::FlameBuilder builder(analysis::Direction::TopDown);
    builder.Add(small.view, *profile, measure);
    REQUIRE(exports::WriteFolded(builder.Finish(), small.folder / "a.folded", {nullptr, summary, nullptr}));
    return support::ReadFile(small.folder / "a.folded");
}

}  // namespace

TEST_CASE("Folded stacks: by every measure, ';' in a name is none between frames") {
    const SmallLog small;
    const std::string parse = "main;parse<a, b>, \"x\"&";
    CHECK(Folded(small, SiteMeasure::LiveBytes) == parse + " 80\n" + parse + ";read 30\n");
    CHECK(Folded(small, SiteMeasure::PeakBytes, {.peak = Position{2}}) == "main 100\n" + parse + " 50\n");
    CHECK(Folded(small, SiteMeasure::AllocatedBytes) ==
          "main 100\n" + parse + " 130\n" + parse + ";read 30\n(no call trace) 24\n");
    CHECK(Folded(small, SiteMeasure::Temporary) == "(no call trace) 1\n");
    // As if the run ended after call 2, and of what happened after it.
    CHECK(Folded(small, SiteMeasure::LiveBytes, {.to = Position{2}}) == "main 100\n" + parse + " 50\n");
    exports::WriteSummary summary;
    CHECK(Folded(small, SiteMeasure::GrownBytes, {.from = Position{2}}, &summary) ==
          parse + " 30\n" + parse + ";read 30\n");
    CHECK(summary.operations == 2);
    CHECK(summary.leftOut == 1);  // main: 100 B less
}

TEST_CASE("Folded stacks: a very deep call trace, and cancelling") {
    EventLog log;
    constexpr std::uint32_t kDeep = 50'000;
    for (std::uint32_t i = 0; i < kDeep; ++i) log.AddTrace(TraceId{i}, i % 7);
    for (std::uint64_t i = 0; i < 7; ++i) log.NameFrame(i, {"f\n" + std::to_string(i), "", 0});
    log::Appender appender(log);
    appender.Append(exports::testing::At(1, kDeep, Allocated(0x1000, 8)), {});
    const auto profile = analysis::MakeProfile(log.View(), {});
    analysis::FlameBuilder builder(analysis::Direction::TopDown);
    builder.Add(log.View(), *profile, SiteMeasure::LiveBytes);
    const analysis::FlameTree tree = builder.Finish();
    const support::ScratchFolder folder;
    REQUIRE(exports::WriteFolded(tree, folder / "deep.folded"));
    const std::string text = support::ReadFile(folder / "deep.folded");
    CHECK(text.starts_with("f 0;f 1;f 2;"));
    CHECK(std::count(text.begin(), text.end(), ';') == kDeep - 1);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    const std::atomic<bool> cancelled{true};
    CHECK_FALSE(exports::WriteFolded(tree, folder / "b.folded", {&cancelled, nullptr, nullptr}));
    CHECK_FALSE(std::filesystem::exists(folder / "b.folded"));
}
