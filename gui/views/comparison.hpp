// Two profiles compared, as the Profile tab shows them: the totals of A and B beside each other, their sizes and
// lifetimes as pairs of bars, and what grew and shrank most, by site. A is the earlier one, or the other recording.
#pragma once

#include <memory>

#include "gui/view.hpp"

namespace residue::gui {

// `answer` has an earlier profile. `width`: screen pixels, at ImGui's cursor, which it advances.
void DrawComparison(ViewContext& context, float width, const std::shared_ptr<const session::ProfileAnswer>& answer);

}  // namespace residue::gui
