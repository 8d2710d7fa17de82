#include "capture/shapes_code.hpp"

namespace residue::capture::testing {
std::span<const Shape> ShapesO1() { return kShapes; }
}  // namespace residue::capture::testing
