// The heap as SVG: every block and hole where it lies, with a title; cells where there are too many.
#include "export/heap_svg.hpp"

#include <filesystem>
#include <regex>

#include "export/small_log.hpp"
#include "support/golden.hpp"

using namespace residue;
using namespace residue::exports::testing;

namespace {

std::string Drawn(const log::LogView& view, Position at, exports::WriteSummary* summary = nullptr) {
    model::HeapModel heap;
    heap.Advance(view, view.RowsAt(at), ~std::uint64_t{0});
    const support::ScratchFolder folder;
    REQUIRE(exports::WriteHeapSvg(heap, view, {AllocatorId{1}, "demo <1>", "110 B live"}, folder / "a.svg",
                                  {nullptr, summary, nullptr}));
    return support::ReadFile(folder / "a.svg");
}

std::ptrdiff_t Count(const std::string& text, const std::string& pattern) {
    const std::regex regex(pattern);
    return std::distance(std::sregex_iterator(text.begin(), text.end(), regex), {});
}

}  // namespace

TEST_CASE("Heap SVG: the small log's end, as approved") {
    const SmallLog small;
    const std::string picture = Drawn(small.view, Position{8});
    CHECK(support::Golden("export/golden/small.svg", picture) == "");
    CHECK(Count(picture, "<title id=\"title\">demo &lt;1&gt;: 110 B live</title>") == 1);
    CHECK(Count(picture,
                "<title>block \\d+ at 0x0000&#39;1080: 80 B · parse&lt;a, b&gt;; &quot;x&quot;&amp;</title>") == 2);
    CHECK(Count(picture, "A row is 64 B") == 1);
    CHECK(Count(picture, ">560 B</text>") == 1);  // in the first of its rows
}

TEST_CASE("Heap SVG: far apart, rows without anything are left out and said") {
    EventLog log;
    log::Appender appender(log);
    appender.Append(Allocated(0x1000, 64), {});
    appender.Append(Allocated(0x7f00'0000'0000, 64), {});
    const std::string picture = Drawn(log.View(), Position{2});
    CHECK(Count(picture, "without anything") == 1);
    CHECK(Count(picture, "class=\"b\" x=") == 3);  // and one in the legend
    CHECK(Count(Drawn(log.View(), Position{0}), "Nothing is live") == 1);
}

TEST_CASE("Heap SVG: of very many blocks, cells say how much of them is in use") {
    EventLog log;
    log::Appender appender(log);
    appender.Append(Make(EventKind::AllocatorCreated, 0x10000, 64 * 20'000), "many");
    for (std::uint64_t i = 0; i < 20'000; ++i) appender.Append(Allocated(0x10000 + 64 * i, i < 10'000 ? 64 : 32), {});
    exports::WriteSummary summary;
    const std::string picture = Drawn(log.View(), Position{20'000}, &summary);
    CHECK(summary.operations < 5000);
    CHECK(picture.size() < 1'000'000);
    CHECK(Count(picture, "fill-opacity=\"1.0\"") >= 1);
    CHECK(Count(picture, "fill-opacity=\"0.5\"") >= 1);
    CHECK(Count(picture, "fill-opacity=\"0.[1-4]\"") == 0);
    const std::atomic<bool> cancelled{true};
    const support::ScratchFolder folder;
    model::HeapModel heap;
    heap.Advance(log.View(), log.View().Rows(), ~std::uint64_t{0});
    CHECK_FALSE(exports::WriteHeapSvg(heap, log.View(), {AllocatorId{1}, "", ""}, folder / "a.svg",
                                      {&cancelled, nullptr, nullptr}));
    CHECK_FALSE(std::filesystem::exists(folder / "a.svg"));
}
