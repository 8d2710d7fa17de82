#include "capture/shapes_code.hpp"

namespace residue::capture::testing {
std::span<const Shape> ShapesO3() { return kShapes; }
}  // namespace residue::capture::testing
