// residue open [FILE] [--allocator A] [--capacity N|auto]: the window.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/viewer.hpp"

namespace residue::cli {

int OpenCommand(const Arguments& arguments) {
    // The file is checked here, so that the answer is on this terminal and not in a window.
    if (!arguments.empty() && !arguments[0].starts_with("-")) {
        std::vector<Failure> failures;
        CheckReadable(arguments[0], "FILE", failures);
        if (!failures.empty()) return Complain(failures);
    }
    return BecomeViewer(arguments);
}

}  // namespace residue::cli
