// Writes a report as one HTML file that needs nothing else: figures, a timeline, flame graphs, sites, leaks,
// histograms. Everything is drawn without JavaScript; with it flame graphs can be zoomed. Light and dark as the
// reader's system has it. What is written is given here as texts and shares; nothing is computed but places.
//
//     exports::HtmlReport page{.title = "run.residue"}; ...
//     auto done = exports::WriteHtmlReport(page, "run.html");
//
// Texts may hold anything: they are escaped. Cost: the boxes of flame graphs, at most kMostBoxes each. Failures: the
// writing's, cancelled. Thread safety: none needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/flame.hpp"
#include "analysis/series.hpp"
#include "export/trace_writer.hpp"
#include "log/failure.hpp"

namespace residue::exports {

inline constexpr std::size_t kMostBoxes = 4000;

struct HtmlFigures {
    std::string title;
    struct Row {
        std::string name, value, note;
    };
    std::vector<Row> rows;
};

// The whole run in equal columns, as Series::Columns gives them.
struct HtmlTimeline {
    std::vector<analysis::SeriesColumn> columns;
    std::uint64_t positions = 0;
    std::uint64_t most = 0;  // bytes at the top
    bool heapKnown = false;
    std::uint64_t peakAt = 0;  // the position of the peak
};

struct HtmlFlame {
    std::string title;
    analysis::FlameTree tree;  // top-down
};

struct HtmlSites {
    std::string title;
    struct Site {
        std::string value;               // "12.4 KiB in 3 blocks"
        double share = 0;                // 0..1, of the largest
        std::vector<std::string> trace;  // innermost first; may be empty
    };
    std::vector<Site> sites;
    std::uint64_t more = 0;  // that are not listed
};

struct HtmlHistogram {
    std::string title;
    struct Bar {
        std::string range, value;
        double share = 0;
    };
    std::vector<Bar> bars;
};

struct HtmlReport {
    std::string title, subtitle;
    std::vector<std::string> notes;  // what filters hide, and the like
    std::vector<HtmlFigures> figures;
    HtmlTimeline timeline;
    std::vector<HtmlFlame> flames;
    std::vector<HtmlSites> sites;
    std::vector<HtmlHistogram> histograms;
    HtmlFigures errors, warnings;  // name: where
};

Outcome<void> WriteHtmlReport(const HtmlReport& report, const std::string& path, const WriteExtras& extras = {});

}  // namespace residue::exports
