#include "cli/capture_arguments.hpp"

#include <CLI/CLI.hpp>

namespace residue::cli {

void AddCaptureOptions(CLI::App& app, capture::OptionTexts& texts) {
    app.add_option("--call-traces", texts.callTraces, capture::OptionTexts::kCallTracesHelp);
    app.add_option("--depth", texts.depth, capture::OptionTexts::kDepthHelp);
    app.add_option("--limit", texts.limit, capture::OptionTexts::kLimitHelp);
    app.add_flag("--drop", texts.drop, capture::OptionTexts::kDropHelp);
    app.add_flag("--wait", texts.wait, capture::OptionTexts::kWaitHelp);
}

}  // namespace residue::cli
