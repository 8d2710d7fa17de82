#include "cli/junit.hpp"

#include <algorithm>
#include <string_view>

#include "export/text.hpp"

namespace residue::cli {
namespace {

// In attributes and between tags; line ends stay.
std::string Escaped(std::string_view text) {
    std::string escaped;
    for (const char c : exports::TerminalText(text)) {
        switch (c) {
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '&': escaped += "&amp;"; break;
            case '"': escaped += "&quot;"; break;
            case '\n': escaped += "&#10;"; break;
            case '\t': escaped += "&#9;"; break;
            default: escaped += c;
        }
    }
    return escaped;
}

}  // namespace

std::string JUnit(const std::string& suite, const std::vector<JUnitCase>& cases) {
    const auto failed =
        std::count_if(cases.begin(), cases.end(), [](const auto& each) { return !each.failure.empty(); });
    const auto skipped =
        std::count_if(cases.begin(), cases.end(), [](const auto& each) { return !each.skipped.empty(); });
    std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + Escaped(suite) +
                      "\" tests=\"" + std::to_string(cases.size()) + "\" failures=\"" + std::to_string(failed) + "\"";
    if (skipped > 0) xml += " skipped=\"" + std::to_string(skipped) + "\"";
    xml += ">\n";
    for (const JUnitCase& each : cases) {
        xml += "  <testcase classname=\"" + Escaped(each.classname) + "\" name=\"" + Escaped(each.name) + "\"";
        if (!each.failure.empty()) {
            const std::string first = each.failure.substr(0, each.failure.find('\n'));
            xml += ">\n    <failure message=\"" + Escaped(first) + "\">" + Escaped(each.failure) +
                   "</failure>\n  </testcase>\n";
        } else if (!each.skipped.empty()) {
            xml += ">\n    <skipped message=\"" + Escaped(each.skipped) + "\"/>\n  </testcase>\n";
        } else {
            xml += "/>\n";
        }
    }
    return xml + "</testsuite>\n";
}

}  // namespace residue::cli
