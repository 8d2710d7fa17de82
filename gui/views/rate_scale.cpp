#include "gui/views/rate_scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/format.hpp"

namespace residue::gui {

namespace {

constexpr double kFastest = 1e6;    // a second, at the end of the scale
constexpr double kScaleEnd = 0.95;  // beyond it: no limit

}  // namespace

double RateOfSlider(float along) {
    const double t = std::clamp(static_cast<double>(along), 0.0, 1.0);
    if (t > kScaleEnd) return std::numeric_limits<double>::infinity();
    const double rate = std::pow(kFastest, t / kScaleEnd);
    return rate < 10 ? std::round(rate)
                     : std::round(rate / std::pow(10, std::floor(std::log10(rate)) - 1)) *
                           std::pow(10, std::floor(std::log10(rate)) - 1);
}

float SliderOfRate(double perSecond) {
    if (std::isinf(perSecond)) return 1;
    const double t = std::log(std::clamp(perSecond, 1.0, kFastest)) / std::log(kFastest);
    return static_cast<float>(t * kScaleEnd);
}

std::string RateText(double perSecond) {
    if (std::isinf(perSecond)) return "as fast as it can";
    return analysis::FormatCount(static_cast<std::uint64_t>(std::max(1.0, perSecond) + 0.5)) + "/s";
}

}  // namespace residue::gui
