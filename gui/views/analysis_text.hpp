// Sentences and figures of the analyses, the same in every panel that shows them.
#pragma once

#include <cstdint>
#include <string>

#include "gui/view.hpp"

namespace residue::gui {

// "12.4 KiB", "−1.0 MiB", "1,234": of a measure.
std::string FormatValue(analysis::SiteMeasure measure, std::int64_t value);
std::string FormatExact(analysis::SiteMeasure measure, std::int64_t value);  // "12,697 B", "1,234 allocations"
// "31 %", "0.4 %", "< 0.1 %"; "100 %" only for all of it. Empty where there is no whole.
std::string FormatShare(std::int64_t part, std::int64_t whole);
// "live bytes at 1,885,945", "allocated bytes from 10 to 200", "live bytes at 200 against 10".
std::string DescribeAnswer(const session::ProfileAnswer& answer);
// "hides 1,234 blocks, 56.7 KiB"; "hides nothing".
std::string DescribeHidden(const analysis::Profile& profile);

}  // namespace residue::gui
