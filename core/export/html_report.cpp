#include "export/html_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.hpp"
#include "export/atomic_file.hpp"
#include "export/html_flame.hpp"
#include "export/html_style.hpp"
#include "export/text.hpp"

namespace residue::exports {
namespace {

constexpr double kWidth = 1000, kHeight = 180;  // of the timeline's view box

class Writer {
public:
    explicit Writer(AtomicFile& file) : file_(file) {}

    void Write(const HtmlReport& report) {
        file_.Write(
            fmt::format("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{}"
                        "</style></head><body>\n<h1>{}</h1>\n<p>{}</p>\n",
                        MarkupText(report.title), kHtmlStyle, MarkupText(report.title), MarkupText(report.subtitle)));
        for (const std::string& note : report.notes) file_.Write(fmt::format("<p>{}</p>\n", MarkupText(note)));
        Timeline(report.timeline);
        file_.Write("<div class=\"cards\" style=\"margin-top:1rem\">\n");
        for (const HtmlFigures& figures : report.figures) Figures(figures);
        Figures(report.errors);
        file_.Write("</div>\n");
        for (const HtmlFlame& flame : report.flames) {
            file_.Write(fmt::format("<h2>{}</h2>\n", MarkupText(flame.title)));
            WriteFlame(flame.tree, file_);
        }
        file_.Write("<div class=\"cards\" style=\"margin-top:1rem\">\n");
        for (const HtmlSites& sites : report.sites) Sites(sites);
        for (const HtmlHistogram& histogram : report.histograms) Histogram(histogram);
        Figures(report.warnings);
        file_.Write(
            fmt::format("</div>\n<p>Written by Residue.</p>\n<script>{}</script>\n</body></html>\n", kHtmlScript));
    }

private:
    void Figures(const HtmlFigures& figures) {
        if (figures.rows.empty()) return;
        file_.Write(fmt::format("<section><h2>{}</h2><table>\n", MarkupText(figures.title)));
        for (const HtmlFigures::Row& row : figures.rows) {
            file_.Write(fmt::format("<tr><td>{}</td>", MarkupText(row.name)));
            if (!row.value.empty()) file_.Write(fmt::format("<td class=\"n\">{}</td>", MarkupText(row.value)));
            file_.Write(fmt::format("<td class=\"d\">{}</td></tr>\n", MarkupText(row.note)));
        }
        file_.Write("</table></section>\n");
    }

    // Bars from 0 to the highest of each column, so that no spike is lost.
    void Area(const HtmlTimeline& timeline, std::uint64_t analysis::SeriesColumn::*value, const char* style) {
        const double step = kWidth / static_cast<double>(timeline.columns.size());
        std::string path = fmt::format("M0 {}", kHeight);
        for (std::size_t i = 0; i < timeline.columns.size(); ++i) {
            const double share = static_cast<double>(timeline.columns[i].*value) / static_cast<double>(timeline.most);
            const double y = kHeight * (1 - std::min(share, 1.0));
            path += fmt::format("L{:.2f} {:.2f}H{:.2f}", step * static_cast<double>(i), y,
                                step * static_cast<double>(i + 1));
        }
        file_.Write(fmt::format("<path class=\"{}\" d=\"{}V{}Z\"/>\n", style, path, kHeight));
    }

    void Timeline(const HtmlTimeline& timeline) {
        if (timeline.columns.empty() || timeline.most == 0) return;
        const std::string most = analysis::FormatBytes(timeline.most);
        const std::string calls = analysis::FormatCount(timeline.positions);
        file_.Write(
            fmt::format("<h2>Over time: live bytes{}</h2>\n<svg viewBox=\"0 -4 {} {}\" role=\"img\" "
                        "aria-label=\"Live bytes over {} calls, at most {}\">\n",
                        timeline.heapKnown ? " in the heap" : "", kWidth, kHeight + 24, calls, most));
        if (timeline.heapKnown) Area(timeline, &analysis::SeriesColumn::heapMax, "heap");
        Area(timeline, &analysis::SeriesColumn::liveMax, "live");
        const double step = kWidth / static_cast<double>(timeline.columns.size());
        for (std::size_t i = 0; i < timeline.columns.size(); ++i) {
            if (timeline.columns[i].errors == 0) continue;
            file_.Write(
                fmt::format("<rect class=\"bad\" x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"6\"><title>{} "
                            "errors</title></rect>\n",
                            step * static_cast<double>(i), kHeight - 6, std::max(step, 2.0),
                            analysis::FormatCount(timeline.columns[i].errors)));
        }
        file_.Write(fmt::format("<line class=\"axis\" x1=\"0\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>\n", kHeight, kWidth));
        file_.Write(
            fmt::format("<text x=\"2\" y=\"10\">{}</text><text x=\"0\" y=\"{}\">0</text>\n", most, kHeight + 15));
        file_.Write(fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} calls</text>\n</svg>\n", kWidth,
                                kHeight + 15, calls));
        file_.Write(fmt::format("<p>The peak is after call {}.{}</p>\n", analysis::FormatCount(timeline.peakAt),
                                timeline.heapKnown ? " Behind: the memory that the allocator has." : ""));
    }

    void Sites(const HtmlSites& sites) {
        if (sites.sites.empty()) return;
        file_.Write(fmt::format("<section><h2>{}</h2>\n", MarkupText(sites.title)));
        for (const HtmlSites::Site& site : sites.sites) {
            const std::string name = site.trace.empty() ? "no call trace was recorded" : site.trace[0];
            file_.Write(
                fmt::format("<details><summary>{} · {}<div class=\"bar\" style=\"width:{:.1f}%\"></div></summary><ol>",
                            MarkupText(site.value), MarkupText(name), 100 * site.share));
            for (const std::string& frame : site.trace) file_.Write(fmt::format("<li>{}</li>", MarkupText(frame)));
            file_.Write("</ol></details>\n");
        }
        if (sites.more > 0) file_.Write(fmt::format("<p>and {} more</p>\n", analysis::FormatCount(sites.more)));
        file_.Write("</section>\n");
    }

    void Histogram(const HtmlHistogram& histogram) {
        if (histogram.bars.empty()) return;
        file_.Write(fmt::format("<section><h2>{}</h2><table>\n", MarkupText(histogram.title)));
        for (const HtmlHistogram::Bar& bar : histogram.bars) {
            file_.Write(
                fmt::format("<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"b\"><div class=\"bar\" "
                            "style=\"width:{:.1f}%\"></div></td></tr>\n",
                            MarkupText(bar.range), MarkupText(bar.value), 100 * bar.share));
        }
        file_.Write("</table></section>\n");
    }

    AtomicFile& file_;
};

}  // namespace

Outcome<void> WriteHtmlReport(const HtmlReport& report, const std::string& path, const WriteExtras& extras) {
    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    if (extras.cancelled != nullptr && extras.cancelled->load(std::memory_order_relaxed)) {
        return Fail(Failure{"", "cancelled", ""});
    }
    Writer(*file).Write(report);
    const Outcome<void> done = file->Commit();
    if (done && extras.summary != nullptr) *extras.summary = {.operations = report.timeline.positions};
    return done;
}

}  // namespace residue::exports
