#include "export/html_flame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "analysis/format.hpp"
#include "export/html_report.hpp"
#include "export/text.hpp"

namespace residue::exports {
namespace {

constexpr double kRow = 18;          // pixels
constexpr double kNarrowest = 0.05;  // percent: what is narrower is not drawn
constexpr std::uint32_t kDeepest = 120;

struct Box {
    std::uint32_t node = 0;
    double x = 0, width = 100;  // percent
};

// The widest ones first, level by level, so that what does not fit is small or deep.
std::vector<Box> Boxes(const analysis::FlameTree& tree, std::uint64_t& left) {
    std::vector<Box> boxes = {{0, 0, 100}};
    const double all = static_cast<double>(tree.nodes[0].value);
    for (std::size_t at = 0; at < boxes.size(); ++at) {
        const Box box = boxes[at];
        double x = box.x;
        for (const std::uint32_t child : tree.nodes[box.node].children) {
            const analysis::FlameNode& node = tree.nodes[child];
            const double width = 100 * static_cast<double>(node.value) / all;
            if (width < kNarrowest || node.depth > kDeepest || boxes.size() >= kMostBoxes) {
                ++left;
                continue;
            }
            boxes.push_back({child, x, width});
            x += width;
        }
    }
    return boxes;
}

// A colour of its own for each name: 15 to 75, yellow to red-orange, and green-blue for what is not known.
unsigned Hue(const std::string& name) {
    std::uint32_t hash = 2166136261u;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return name == "?" || name.starts_with("(no") ? 180 : 15 + hash % 60;
}

}  // namespace

void WriteFlame(const analysis::FlameTree& tree, AtomicFile& file) {
    if (tree.nodes.empty() || tree.nodes[0].value <= 0) {
        file.Write("<p>Nothing to draw.</p>\n");
        return;
    }
    std::uint64_t left = 0;
    const std::vector<Box> boxes = Boxes(tree, left);
    std::uint32_t deepest = 0;
    for (const Box& box : boxes) deepest = std::max(deepest, tree.nodes[box.node].depth);
    const bool bytes = InfoOf(tree.measure).bytes;
    file.Write(fmt::format("<div class=\"flame\"><svg height=\"{}\" role=\"group\" aria-label=\"Flame graph of {}\">\n",
                           kRow * (deepest + 1), InfoOf(tree.measure).label));
    for (const Box& box : boxes) {
        const analysis::FlameNode& node = tree.nodes[box.node];
        const std::string& name = tree.NameOf(node);
        const auto value = static_cast<std::uint64_t>(node.value);
        const double share = static_cast<double>(node.value) / static_cast<double>(tree.nodes[0].value);
        file.Write(fmt::format(
            "<svg tabindex=\"0\" x=\"{0:.4f}%\" y=\"{1}\" width=\"{2:.4f}%\" height=\"{3}\" data-x=\"{0:.6f}\" "
            "data-w=\"{2:.6f}\"><title>{4}: {5} ({6:.1f} %)</title><rect width=\"100%\" height=\"100%\" "
            "style=\"--h:{7}\"/>"
            "<text x=\"4\" y=\"13\">{4}</text></svg>\n",
            box.x, kRow * node.depth, box.width, kRow, MarkupText(name),
            bytes ? analysis::FormatBytesExact(value) : analysis::FormatCount(value), 100 * share, Hue(name)));
    }
    file.Write("</svg></div>\n");
    if (left > 0) {
        file.Write(fmt::format("<p>{} more boxes are too small, or too deep, to be drawn.</p>\n",
                               analysis::FormatCount(left)));
    }
}

}  // namespace residue::exports
