// residue picture FILE --at N -o OUT.png|OUT.svg [...]: one frame, drawn without a display. A PNG is residue-view's,
// and so are its options.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/picture_svg.hpp"
#include "cli/viewer.hpp"

namespace residue::cli {

int PictureCommand(const Arguments& arguments) {
    if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) return BecomeViewer(arguments);
    if (arguments.empty() || arguments[0].starts_with("-")) {
        return Complain(
            {"residue picture", "the file is missing", "residue picture FILE --at N -o OUT.png or OUT.svg"});
    }
    const bool isLab = IsLab(arguments);
    if (!isLab && WantsSvg(arguments)) return SvgPicture(arguments);
    std::vector<Failure> failures;
    if (!isLab) CheckReadable(arguments[0], "FILE", failures);
    if (!failures.empty()) return Complain(failures);
    Arguments viewer = {"--picture"};
    viewer.insert(viewer.end(), arguments.begin(), arguments.end());
    return BecomeViewer(viewer);
}

}  // namespace residue::cli
