// The parts of the shell that need no frame: colours, state, ranges, names.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "gui/picture.hpp"
#include "gui/platform/key_names.hpp"
#include "gui/platform/state_file.hpp"
#include "gui/theme.hpp"
#include "gui/views/flame_colour.hpp"
#include "gui/views/file_dialog.hpp"
#include "shell_rig.hpp"

using namespace residue;
using namespace residue::gui;
using namespace residue::gui::test;

TEST_CASE("text has AA contrast on every surface, in both themes") {
    for (const Theme* theme : {&DarkTheme(), &LightTheme()}) {
        for (const ImU32 surface : {theme->panel, theme->raised, theme->window, theme->rowSelected, theme->rowHover}) {
            CHECK(Contrast(theme->text, surface) >= 7.0);
        }
        for (const ImU32 surface : {theme->panel, theme->raised}) {
            for (const ImU32 text : {theme->dim, theme->accent, theme->warn, theme->error, theme->good, theme->duck}) {
                CHECK(Contrast(text, surface) >= 4.5);
            }
        }
        CHECK(Contrast(theme->onFill, theme->accent) >= 4.5);
        CHECK(Contrast(theme->duckText, theme->duckBubble) >= 7.0);
        CHECK(Contrast(theme->text, theme->errorBack) >= 7.0);
        for (std::size_t i = 0; i < theme->category.size(); ++i) {
            CHECK(Contrast(TextOn(theme->Category(i)), theme->Category(i)) >= 4.5);
        }
    }
}

TEST_CASE("text on a bar of a flame graph has AA contrast, whatever the bar's colour is") {
    for (const Theme* theme : {&DarkTheme(), &LightTheme()}) {
        for (int i = 0; i < 500; ++i) {
            const ImU32 fill = FlameColour(*theme, "function " + std::to_string(i));
            CHECK(Contrast(TextOn(fill), fill) >= 4.5);
        }
        for (int i = -100; i <= 100; ++i) {
            const ImU32 fill = GrowthColour(*theme, i, 100);
            CHECK(Contrast(TextOn(fill), fill) >= 4.5);
        }
    }
}

TEST_CASE("viridis gets lighter all the way up") {
    double last = 0;
    for (int i = 0; i <= 100; ++i) {
        const double lightness = Contrast(Viridis(static_cast<float>(i) / 100), IM_COL32(0, 0, 0, 255));
        CHECK(lightness >= last);
        last = lightness;
    }
    CHECK(Viridis(-1) == Viridis(0));
    CHECK(Viridis(2) == Viridis(1));
    CHECK(Viridis(std::numeric_limits<float>::quiet_NaN()) == Viridis(0));
}

TEST_CASE("what is remembered comes back the same") {
    TemporaryFolder folder;
    SavedState state;
    state.light = true;
    state.bottom = 300;
    state.speed = 1000;
    state.AddRecent("/a.rep");
    state.AddRecent("/b.rep");
    state.AddRecent("/a.rep");
    CHECK(state.recent == std::vector<std::string>{"/a.rep", "/b.rep"});
    REQUIRE(SaveState(folder.path.string(), state));
    std::string message;
    CHECK(LoadState(folder.path.string(), &message) == state);
    CHECK(message.empty());
}

TEST_CASE("a state file that makes no sense is put aside with a message, and the defaults hold") {
    for (const char* text : {"", "{", "[1,2]", "{\"light\": \"yes\"}", "{\"recent\": 7}", "\x01\x02\xff"}) {
        TemporaryFolder folder;
        folder.File("view.json", text);
        std::string message;
        CHECK(LoadState(folder.path.string(), &message) == SavedState{});
        INFO(text);
        if (std::string(text) != "[1,2]") {
            CHECK_FALSE(message.empty());
            CHECK(std::filesystem::exists(folder.path / "view.json.bad"));
        }
    }
    TemporaryFolder folder;
    folder.File("view.json", R"({"left": 1e30, "bottom": -5, "colour": 99, "speed": -1})");
    const SavedState state = LoadState(folder.path.string(), nullptr);
    CHECK(state.left <= 2000);
    CHECK(state.bottom >= 96);
    CHECK(state.colour == 4);
    CHECK(state.speed >= 1);
}

TEST_CASE("sizes and ranges of pictures are read strictly") {
    REQUIRE(ParseSize("1600x900"));
    CHECK(ParseSize("1600x900")->second == 900);
    for (const char* bad : {"", "x", "3x", "0x4", "1600", "-1x5", "99999x1", "16 x 9"}) CHECK_FALSE(ParseSize(bad));
    REQUIRE(ParseRange("0x1000-0x2000"));
    CHECK(ParseRange("0x1000-0x2000")->addresses);
    CHECK(ParseRange("0x1000-0x2000")->to == 0x2000);
    REQUIRE(ParseRange("10-20"));
    CHECK_FALSE(ParseRange("10-20")->addresses);
    for (const char* bad : {"", "-", "5-5", "9-2", "0x", "a-b", "1-99999999999999999999999"})
        CHECK_FALSE(ParseRange(bad));
}

TEST_CASE("keys are read by name") {
    CHECK(ParseKey("D")->key == Key::D);
    CHECK(ParseKey("Ctrl+Shift+Left")->shift);
    CHECK(ParseKey("Ctrl+Shift+Left")->ctrl);
    CHECK(ParseKey("[")->key == Key::LeftBracket);
    CHECK(ParseKey("+")->key == Key::Plus);
    CHECK_FALSE(ParseKey(""));
    CHECK_FALSE(ParseKey("Ctrl+"));
    CHECK_FALSE(ParseKey("Hyper+D"));
}

TEST_CASE("files of known formats are told by their ending") {
    for (const char* known : {"a.rep", "A.REP", "a.script", "x.residue", "a.rep.gz", "b.script.zst", "trace_c0_v1"}) {
        CHECK(LooksReadable(known));
    }
    for (const char* known : {"heaptrack.git.12.zst", "git.raw.zst", "a.jsonl", "a.mtrace", "trace-malloc.git.log"}) {
        CHECK(LooksReadable(known));
    }
    for (const char* other : {"a.txt", "rep", "a.gz", "trace.c", "a.log", ""}) CHECK_FALSE(LooksReadable(other));
}

TEST_CASE("the same moment gives the same picture, byte for byte") {
    TemporaryFolder folder;
    PictureOptions options;
    options.path = folder.File("small.rep", SmallTrace());
    options.at = 6;
    options.width = 1100;
    options.height = 700;
    const auto bytes = [](const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    options.out = (folder.path / "a.png").string();
    REQUIRE(MakePicture(options));
    options.out = (folder.path / "b.png").string();
    REQUIRE(MakePicture(options));
    const std::string a = bytes((folder.path / "a.png").string());
    CHECK(a.size() > 1000);
    CHECK(a == bytes((folder.path / "b.png").string()));
    options.at = 7;
    REQUIRE(MakePicture(options));
    CHECK_FALSE(a == bytes(options.out));
}

TEST_CASE("a picture that cannot be made says why") {
    TemporaryFolder folder;
    PictureOptions options;
    options.path = folder.File("small.rep", SmallTrace());
    options.out = (folder.path / "no" / "such" / "folder.png").string();
    const auto unwritable = MakePicture(options);
    REQUIRE_FALSE(unwritable);
    CHECK(unwritable.error().where == options.out);
    options.at = 12;
    REQUIRE_FALSE(MakePicture(options));
    CHECK(MakePicture(options).error().expected == "0 to 11");
    options.at.reset();
    options.select = 99;
    CHECK_FALSE(MakePicture(options));
    options.path = (folder.path / "missing.rep").string();
    CHECK_FALSE(MakePicture(options));
}
