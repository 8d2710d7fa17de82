// The HTML report: everything it is given is in it, escaped, and it asks for nothing from elsewhere.
#include "export/html_report.hpp"

#include <filesystem>
#include <regex>

#include "analysis/profile.hpp"
#include "export/small_log.hpp"
#include "support/process.hpp"

using namespace residue;
using namespace residue::exports::testing;

namespace {

constexpr const char* kHostile = "<script>alert('x')</script>&\"\x1b\xff";
constexpr const char* kEscaped = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\xef\xbf\xbd\xef\xbf\xbd";

exports::HtmlReport Hostile(const SmallLog& small) {
    exports::HtmlReport report;
    report.title = report.subtitle = kHostile;
    report.notes = {kHostile};
    report.figures = {{kHostile, {{kHostile, kHostile, kHostile}}}};
    report.sites = {{kHostile, {{kHostile, 0.5, {kHostile}}, {"1 B", 0, {}}}, 3}};
    report.histograms = {{kHostile, {{kHostile, kHostile, 1}}}};
    report.errors = {kHostile, {{kHostile, "", kHostile}}};
    report.timeline.columns = {{.liveMin = 0, .liveMax = 50, .any = true}, {.liveMax = 100, .errors = 2, .any = true}};
    report.timeline.positions = 8;
    report.timeline.most = 100;
    const auto profile = analysis::MakeProfile(small.view, {});
    analysis::FlameBuilder builder(analysis::Direction::TopDown);
    builder.Add(small.view, *profile, analysis::SiteMeasure::LiveBytes);
    report.flames.push_back({"Flames", builder.Finish()});
    return report;
}

std::size_t Count(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
    return count;
}

}  // namespace

TEST_CASE("HTML report: texts are escaped, wherever they stand") {
    const SmallLog small;
    REQUIRE(exports::WriteHtmlReport(Hostile(small), small.folder / "a.html"));
    const std::string page = support::ReadFile(small.folder / "a.html");
    CHECK(Count(page, "<script>") == 1);  // ours
    CHECK(Count(page, "alert('x')") == 0);
    CHECK(Count(page, kEscaped) == 18);
    CHECK(Count(page, "parse&lt;a, b&gt;; &quot;x&quot;&amp;: 110 B (100.0 %)") == 1);
}

TEST_CASE("HTML report: nothing comes from elsewhere, every tag is closed") {
    const SmallLog small;
    REQUIRE(exports::WriteHtmlReport(Hostile(small), small.folder / "a.html"));
    const std::string page = support::ReadFile(small.folder / "a.html");
    for (const char* part : {"http:", "https:", "src=", "href=", "@import", "//cdn"}) {
        INFO(part);
        CHECK(Count(page, part) == 0);
    }
    CHECK(Count(page, "prefers-color-scheme:dark") == 1);
    for (const char* tag :
         {"svg", "table", "section", "details", "ol", "li", "td", "tr", "rect", "text", "title", "div"}) {
        INFO(tag);
        const std::string name = tag;
        const std::regex open("<" + name + "[ >]"), shut("</" + name + ">|<" + name + " [^>]*/>");
        CHECK(std::distance(std::sregex_iterator(page.begin(), page.end(), open), {}) ==
              std::distance(std::sregex_iterator(page.begin(), page.end(), shut), {}));
    }
    CHECK(Count(page, "M0 180L0.00 90.00H500.00L500.00 0.00H1000.00V180Z") == 1);  // the highest of each column
}

TEST_CASE("HTML report: a flame graph of very many sites stays small") {
    EventLog log;
    log::Appender appender(log);
    constexpr std::uint32_t kSites = 20'000;
    for (std::uint32_t i = 1; i <= kSites; ++i) {
        log.AddTrace({}, i);
        log.NameFrame(i, {"f" + std::to_string(i), "", 0});
        appender.Append(exports::testing::At(i, i, Allocated(64 * i, i <= 3000 ? 32 : 1)), {});
    }
    exports::HtmlReport report;
    const auto profile = analysis::MakeProfile(log.View(), {});
    analysis::FlameBuilder builder(analysis::Direction::TopDown);
    builder.Add(log.View(), *profile, analysis::SiteMeasure::LiveBytes);
    report.flames.push_back({"Flames", builder.Finish()});
    const support::ScratchFolder folder;
    REQUIRE(exports::WriteHtmlReport(report, folder / "a.html"));
    CHECK(std::filesystem::file_size(folder / "a.html") < 2'000'000);
    const std::atomic<bool> cancelled{true};
    CHECK_FALSE(exports::WriteHtmlReport(report, folder / "b.html", {&cancelled, nullptr, nullptr}));
    CHECK_FALSE(std::filesystem::exists(folder / "b.html"));
}
