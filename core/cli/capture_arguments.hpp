// What `residue record` and `residue open -- PROGRAM` share: how a program is watched.
#pragma once

#include "capture/option_texts.hpp"
#include "cli/arguments.hpp"

namespace residue::cli {

void AddCaptureOptions(CLI::App& app, capture::OptionTexts& texts);

}  // namespace residue::cli
