// The layer rule: a layer includes only itself and layers above it in core/README.md's table, through public headers.
#include <map>
#include <regex>
#include <sstream>

#include "meta/source_tree.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

namespace {

// Layer to its place in the table, from the top.
std::map<std::string, int> ReadLayers(const std::filesystem::path& root) {
    static const std::regex row(R"(^\|\s*`([a-z]+)`\s*\|)");
    std::map<std::string, int> layers;
    std::istringstream text(support::ReadFile(root / "core/README.md"));
    for (std::string line; std::getline(text, line);) {
        std::smatch match;
        if (std::regex_search(line, match, row)) layers.emplace(match[1], static_cast<int>(layers.size()));
    }
    return layers;
}

std::string FirstPart(const std::string& path) {
    return path.substr(0, path.find('/'));
}

std::vector<std::string> BrokenLayerRules(const std::filesystem::path& root) {
    const std::map<std::string, int> layers = ReadLayers(root);
    std::vector<std::string> broken;
    for (const meta::SourceFile& file : meta::ReadSources(root)) {
        if (file.IsUnder("tests")) continue;
        const bool inCore = file.IsUnder("core");
        const std::string own = inCore ? FirstPart(file.path.substr(5)) : "gui";
        if (inCore && !layers.contains(own)) {
            broken.push_back(file.path + ": core/README.md has no layer `" + own + "`");
            continue;
        }
        for (const meta::Include& include : meta::Includes(file)) {
            const std::string other = FirstPart(include.target);
            const std::string where = file.path + ":" + std::to_string(include.line) + ": includes " + include.target;
            if (inCore && (other == "gui" || other == "core" || other == "tests")) {
                broken.push_back(where + ", but core knows no gui and no tests, and paths start at the layer");
            } else if (layers.contains(other)) {
                if (inCore && layers.at(other) > layers.at(own)) {
                    broken.push_back(where + ", but `" + other + "` is below `" + own + "`");
                } else if (other != own && include.target.find("/detail/") != std::string::npos) {
                    broken.push_back(where + ", but that is a detail of `" + other + "`");
                }
            }
        }
    }
    return broken;
}

const char* kTable =
    "# core\n| layer | what |\n|---|---|\n| `base` | ids |\n| `log` | the log |\n| `model` | the heap |\n";

}  // namespace

TEST_CASE("Every layer includes only layers above it", "[layers]") {
    const auto layers = ReadLayers(RESIDUE_SOURCE_DIR);
    REQUIRE(layers.size() >= 12);
    CHECK(layers.at("base") < layers.at("cli"));
    for (const std::string& broken : BrokenLayerRules(RESIDUE_SOURCE_DIR)) FAIL_CHECK(broken);
}

TEST_CASE("An upward include is found, with file and line", "[layers]") {
    support::ScratchFolder tree;
    tree.Write("core/README.md", kTable);
    tree.Write("core/model/heap.hpp",
               "// fine\n#include \"base/ids.hpp\"\n#include \"model/own.hpp\"\n#include <vector>\n");
    tree.Write("core/log/log.cpp",
               "// a comment\n// #include \"model/heap.hpp\"\n/*\n#include \"model/heap.hpp\"\n*/\n");
    CHECK(BrokenLayerRules(tree.Path()).empty());

    tree.Write("core/log/up.cpp", "#include \"log/log.hpp\"\n\n#  include \"model/heap.hpp\"\n");
    const auto broken = BrokenLayerRules(tree.Path());
    REQUIRE(broken.size() == 1);
    CHECK(broken[0] == "core/log/up.cpp:3: includes model/heap.hpp, but `model` is below `log`");
}

TEST_CASE("core includes no gui, layers are listed, details are private", "[layers]") {
    support::ScratchFolder tree;
    tree.Write("core/README.md", kTable);
    tree.Write("core/log/a.cpp", "#include \"gui/app.hpp\"\n");
    tree.Write("core/model/b.cpp", "#include \"log/detail/chunk.hpp\"\n");
    tree.Write("core/newcomer/c.cpp", "\n");
    tree.Write("gui/views/d.cpp",
               "#include \"log/detail/chunk.hpp\"\n#include \"model/heap.hpp\"\n#include \"gui/app.hpp\"\n");
    const auto broken = BrokenLayerRules(tree.Path());
    REQUIRE(broken.size() == 4);
    CHECK(broken[0].starts_with("core/log/a.cpp:1: includes gui/app.hpp"));
    CHECK(broken[1] == "core/model/b.cpp:1: includes log/detail/chunk.hpp, but that is a detail of `log`");
    CHECK(broken[2] == "core/newcomer/c.cpp: core/README.md has no layer `newcomer`");
    CHECK(broken[3].starts_with("gui/views/d.cpp:1: includes log/detail/chunk.hpp"));
}
