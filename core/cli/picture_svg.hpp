// `residue picture FILE -o OUT.svg`: needs no window and no GL.
#pragma once

#include "cli/commands.hpp"

namespace residue::cli {

// Do these arguments name an SVG file to write to?
bool WantsSvg(const Arguments& arguments);
int SvgPicture(const Arguments& arguments);

}  // namespace residue::cli
