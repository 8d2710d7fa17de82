#include "gui/views/lives_scale.hpp"

#include <algorithm>
#include <cmath>

#include "base/checked.hpp"

namespace residue::gui {
namespace {

constexpr std::uint32_t kMostRowPixels = 64;
constexpr double kLeastSpan = 4;      // positions
constexpr double kZoomStep = 0.8;
constexpr float kBeyond = 1e6f;       // pixels: farther away is all the same

}  // namespace

std::uint64_t LivesScale::Rows() const {
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::max(0.0f, area.Height())) / rowPixels);
}

std::uint64_t LivesScale::End() const {
    const auto span = CheckedMultiply(Rows(), bytesPerRow);
    return SaturatingAdd(begin, span.value_or(~std::uint64_t{0}));
}

float LivesScale::X(double position) const {
    const double share = (position - from) / std::max(to - from, 1e-9);
    return area.min.x + static_cast<float>(std::clamp(share * static_cast<double>(area.Width()), -1e6, 1e6));
}

double LivesScale::At(float x) const {
    const double share = static_cast<double>(x - area.min.x) / static_cast<double>(std::max(area.Width(), 1.0f));
    return std::clamp(from + (to - from) * share, 0.0, std::max(0.0, limitTo - 1));
}

float LivesScale::Y(std::uint64_t address) const {
    const bool above = address < begin;
    const double away = static_cast<double>(above ? begin - address : address - begin) / BytesPerPixel();
    const float pixels = static_cast<float>(std::min(away, static_cast<double>(kBeyond)));
    return std::floor(area.min.y + (above ? -pixels : pixels));
}

std::uint64_t LivesScale::AddressAt(float y) const {
    const auto row = std::min(Rows() - 1, static_cast<std::uint64_t>(std::max(0.0f, y - area.min.y)) / rowPixels);
    return SaturatingAdd(begin, CheckedMultiply(row, bytesPerRow).value_or(~std::uint64_t{0}));
}

void LivesScale::FitAll() {
    from = 0, to = limitTo;
    begin = limitBegin;
    rowPixels = 1;
    const std::uint64_t span = std::max<std::uint64_t>(1, limitEnd - limitBegin), rows = Rows();
    bytesPerRow = span / rows + (span % rows != 0 ? 1 : 0);
    if (bytesPerRow == 1)
        rowPixels = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(rows / span, 1, kMostRowPixels));
}

void LivesScale::Clamp() {
    const double span = std::clamp(to - from, std::min(kLeastSpan, limitTo), std::max(limitTo, 1.0));
    from = std::clamp(from, 0.0, std::max(0.0, limitTo - span));
    to = from + span;
    LivesScale whole = *this;
    whole.FitAll();
    if (BytesPerPixel() > whole.BytesPerPixel()) bytesPerRow = whole.bytesPerRow, rowPixels = whole.rowPixels;
    const std::uint64_t shown = CheckedMultiply(Rows(), bytesPerRow).value_or(~std::uint64_t{0});
    const std::uint64_t all = limitEnd - limitBegin;
    begin = std::clamp(begin, limitBegin, shown >= all ? limitBegin : limitEnd - shown);
}

void LivesScale::ZoomTime(double steps, float x) {
    const double factor = std::pow(kZoomStep, steps);
    const double share = static_cast<double>(x - area.min.x) / static_cast<double>(std::max(area.Width(), 1.0f));
    const double pivot = from + (to - from) * share;
    from = pivot - (pivot - from) * factor;
    to = pivot + (to - pivot) * factor;
    if (to - from < kLeastSpan) from = pivot - kLeastSpan * share, to = from + kLeastSpan;
}

void LivesScale::ZoomAddress(double steps, float y) {
    const std::uint64_t pivot = AddressAt(y);
    const double wanted = BytesPerPixel() * std::pow(kZoomStep, steps);
    // Always at least one byte, or one pixel, a step: else small scales would not move.
    auto bytes = static_cast<std::uint64_t>(std::llround(std::clamp(wanted, 1.0, 1e18)));
    auto pixels = static_cast<std::uint32_t>(std::lround(1 / std::clamp(wanted, 1.0 / kMostRowPixels, 1.0)));
    if (bytes == bytesPerRow && pixels == rowPixels) {
        if (steps > 0) {
            if (bytes > 1) --bytes;
            else pixels = std::min(pixels + 1, kMostRowPixels);
        } else if (pixels > 1) {
            --pixels;
        } else {
            ++bytes;
        }
    }
    bytesPerRow = bytes, rowPixels = pixels;
    const auto row = std::min(Rows() - 1, static_cast<std::uint64_t>(std::max(0.0f, y - area.min.y)) / rowPixels);
    const std::uint64_t above = CheckedMultiply(row, bytesPerRow).value_or(~std::uint64_t{0});
    begin = pivot - std::min(pivot, above);
}

void LivesScale::Pan(float dx, float dy) {
    const double positions = (to - from) * static_cast<double>(dx) / static_cast<double>(std::max(area.Width(), 1.0f));
    from -= positions, to -= positions;
    const auto rows = static_cast<std::uint64_t>(std::abs(std::lround(dy))) / rowPixels;
    const std::uint64_t bytes = CheckedMultiply(rows, bytesPerRow).value_or(~std::uint64_t{0});
    begin = dy > 0 ? begin - std::min(begin, bytes) : SaturatingAdd(begin, bytes);
}

analysis::LivesRequest LivesScale::Request(AllocatorId allocator, std::uint32_t most) const {
    analysis::LivesRequest request;
    request.allocator = allocator;
    request.from = Position{static_cast<std::uint64_t>(std::max(0.0, std::floor(from)))};
    request.to = Position{std::max(request.from.value + 1, static_cast<std::uint64_t>(std::max(0.0, std::ceil(to))))};
    request.begin = begin;
    // Fewer positions than pixels: a column each, so that its edges are sharp.
    const auto wide =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(std::max(1.0f, area.Width())), request.to - request.from);
    request.columns = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wide, 1, most));
    const std::uint64_t each = (Rows() + most - 1) / most;  // rows a row of cells
    request.rows = static_cast<std::uint32_t>((Rows() + each - 1) / each);
    request.bytesPerRow = CheckedMultiply(bytesPerRow, each).value_or(~std::uint64_t{0});
    return request;
}

std::vector<std::uint64_t> LivesScale::AddressLabels(float least) const {
    std::vector<std::uint64_t> labels;
    const double wanted = BytesPerPixel() * static_cast<double>(std::max(least, 1.0f));
    std::uint64_t step = 1;
    while (static_cast<double>(step) < wanted && step < (std::uint64_t{1} << 62)) step *= 2;
    const std::uint64_t end = End();
    std::uint64_t at = begin % step == 0 ? begin : SaturatingAdd(begin - begin % step, step);
    while (at < end && at != ~std::uint64_t{0} && labels.size() < 1000) {
        labels.push_back(at);
        at = SaturatingAdd(at, step);
    }
    return labels;
}

double RoundTimeStep(double value) {
    double step = 1;
    while (step < 1e18) {
        if (step >= value) return step;
        if (step * 2 >= value) return step * 2;
        if (step * 5 >= value) return step * 5;
        step *= 10;
    }
    return step;
}

std::optional<float> ShareAt(const analysis::LivesPicture& picture, double position, std::uint64_t address) {
    const analysis::LivesRequest& request = picture.request;
    const double from = static_cast<double>(request.from.value), to = static_cast<double>(request.to.value);
    if (position < from || position >= to || address < request.begin || request.bytesPerRow == 0) return std::nullopt;
    const std::uint64_t row = (address - request.begin) / request.bytesPerRow;
    if (row >= request.rows) return std::nullopt;
    const auto column = std::min<std::size_t>(
        request.columns - 1u, static_cast<std::size_t>((position - from) / (to - from) * request.columns));
    const std::size_t index = static_cast<std::size_t>(row) * request.columns + column;
    return index < picture.share.size() ? std::optional(picture.share[index]) : std::nullopt;
}

}  // namespace residue::gui
