// Rates on a logarithmic slider: 0 is one a second, the last twentieth is "as fast as it can" (infinity). Pure.
#pragma once

#include <string>

namespace residue::gui {

double RateOfSlider(float along);        // 0..1, clamped
float SliderOfRate(double perSecond);    // infinity: 1
std::string RateText(double perSecond);  // "8/s", "12,500/s", "as fast as it can"

}  // namespace residue::gui
