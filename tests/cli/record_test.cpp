// residue record, and what report can be asked to hold of a recording, through the real program.
#include <sys/stat.h>

#include <set>

#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::Program;
using Json = nlohmann::json;

namespace {

const std::string kSubject = RESIDUE_BIN_DIR "/capture_subject";

Json Report(const Program& residue, const std::string& file) {
    const auto run = residue({"report", file, "--json"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    return Json::parse(run.output);
}

}  // namespace

TEST_CASE("record writes a file that opens, and ends as the program does") {
    const Program residue;
    const auto run = residue({"record", "-o", "kinds.residue", "--", kSubject, "kinds"});
    INFO(run.errors);
    CHECK(run.exitCode == 7);
    CHECK(run.output.empty());
    CHECK(Contains(run.errors, "capture_subject, exit code 7"));
    CHECK(Contains(run.errors, "kinds.residue"));
    CHECK_FALSE(std::filesystem::exists(residue.folder / "kinds.residue.part"));
    const Json report = Report(residue, "kinds.residue");
    CHECK(report["provenance"] == "recorded live");
    CHECK(report["bad_frees"] == 0);
    CHECK(report["resizes"].get<int>() >= 2);
    CHECK(report["metrics"]["heap"].is_null());  // what memory malloc had is not known
    bool leaked = false;
    for (const Json& leak : report["leaks"]) leaked = leaked || leak["bytes"] == 1001;
    CHECK(leaked);
    // The names of frames are in the file: the program may be gone.
    CHECK(Contains(report["leaks"].dump(), "Kinds"));
}

TEST_CASE("without -o the recording has the program's name, and a killed program's is whole") {
    const Program residue;
    const auto run = residue({"record", "--", kSubject, "killed"});
    CHECK(run.exitCode == 128 + 9);
    CHECK(Contains(run.errors, "killed by signal 9"));
    CHECK(Report(residue, "capture_subject.residue")["live_blocks"].get<int>() >= 1000);
}

TEST_CASE("record says what is wrong before anything runs, and leaves what was there") {
    const Program residue;
    const std::string kept = residue.folder / "kept.residue";
    {
        const auto none = residue({"record", "-o", "x.residue"});
        CHECK(none.exitCode == 2);
        CHECK(Contains(none.errors, "no program"));
    }
    REQUIRE(residue({"record", "-o", "kept.residue", "--", kSubject, "leaks"}).exitCode == 0);
    const std::string before = support::ReadFile(kept);
    struct Wrong {
        std::vector<std::string> arguments;
        const char* says;
    };
    for (const Wrong& wrong : std::initializer_list<Wrong>{
             {{"--", "no-such-program-here"}, "there is no program of that name"},
             {{"--", "/"}, "is a folder"},
             {{"--", "/etc/passwd"}, "may not be run"},
             {{"--call-traces=perhaps", "--", "true"}, "auto, fp, dwarf or off"},
             {{"--wait", "--drop", "--", "true"}, "one of the two"},
             {{"--depth", "0", "--", "true"}, "1 to 64 frames"},
             {{"--limit", "lots", "--", "true"}, "at least 1M"},
             {{"--nonsense", "--", "true"}, "--nonsense"}}) {
        std::vector<std::string> words = {"record", "-o", "kept.residue"};
        words.insert(words.end(), wrong.arguments.begin(), wrong.arguments.end());
        const auto run = residue(words);
        INFO(run.errors);
        CHECK(run.exitCode == 2);
        CHECK(Contains(run.errors, wrong.says));
    }
    CHECK(support::ReadFile(kept) == before);
    CHECK_FALSE(std::filesystem::exists(residue.folder / "kept.residue.part"));
    const auto nowhere = residue({"record", "-o", "no/such/folder/x.residue", "--", "true"});
    CHECK(nowhere.exitCode == 2);
    CHECK(Contains(nowhere.errors, "cannot be made"));
}

namespace {

std::set<std::string> Recordings(const Program& residue) {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(residue.folder.Path())) {
        const std::string file = entry.path().filename().string();
        if (file.ends_with(".residue")) found.insert(file);
    }
    return found;
}

}  // namespace

TEST_CASE("record --follow writes each process into a file of its own, and without it children are left alone") {
    const Program residue;
    const std::string mode = GENERATE("fork", "raw-fork");
    CAPTURE(mode);
    REQUIRE(residue({"record", "-o", "alone.residue", "--", kSubject, mode}).exitCode == 0);
    CHECK(Recordings(residue).size() == 1);
    const auto run = residue({"record", "--follow", "-o", "both.residue", "--", kSubject, mode});
    INFO(run.errors);
    CHECK(run.exitCode == 0);
    const auto files = Recordings(residue);
    REQUIRE(files.size() == 3);
    for (const std::string& file : files) {
        if (file == "alone.residue" || file == "both.residue") continue;
        INFO(file);
        CHECK(file.starts_with("both."));
        CHECK(Contains(run.errors, file));  // it is told
        const Json report = Report(residue, file);
        CHECK(report["allocations"] == 1000);
        CHECK(report["frees"] == 1000);
        CHECK(report["bad_frees"] == 0);
        CHECK(report["provenance"] == "recorded live, started by a program that was watched");
    }
    CHECK(Report(residue, "both.residue")["allocations"] == Report(residue, "alone.residue")["allocations"]);
}

TEST_CASE("a child's frees of what it inherited are no mistakes of its") {
    const Program residue;
    const auto run = residue({"record", "--follow", "-o", "heirs.residue", "--", kSubject, "heirs"});
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    const auto files = Recordings(residue);
    CHECK(files.size() == 4);  // a child, a child of that, and what the child of the child became
    std::size_t children = 0;
    for (const std::string& file : files) {
        if (file == "heirs.residue") continue;
        ++children;
        INFO(file << run.errors);
        CHECK(Report(residue, file)["bad_frees"] == 0);
    }
    CHECK(children == 3);
    // What became another program has that one's name, and what it was before is gone.
    CHECK(Contains(run.errors, "residue: true, process "));
}

TEST_CASE("report checks a recording for a build server") {
    const Program residue;
    REQUIRE(residue({"record", "-o", "leaks.residue", "--", kSubject, "leaks"}).exitCode == 0);
    const auto leaky = residue({"report", "leaks.residue", "--fail-on-leak"});
    CHECK(leaky.exitCode == 1);
    CHECK(Contains(leaky.errors, "were never freed (--fail-on-leak)"));
    CHECK(Contains(leaky.output, "Never freed"));

    residue.folder.Write("known.txt", "# what is known\nleak:InnerLeak\n\nleak:libstdc++\nleak:*pool*\n"
                                                     "leak:subject.cpp\n");
    const auto known = residue({"report", "leaks.residue", "--fail-on-leak", "--suppressions", "known.txt", "--json"});
    INFO(known.errors + known.output);
    CHECK(known.exitCode == 0);
    CHECK(Json::parse(known.output)["suppressed"]["blocks"].get<int>() >= 1);
    CHECK(Json::parse(known.output)["leaks"].empty());

    residue.folder.Write("odd.txt", "leak:a\nrace:b\nleak:\n");
    const auto odd = residue({"report", "leaks.residue", "--suppressions", "odd.txt"});
    CHECK(odd.exitCode == 2);
    CHECK(Contains(odd.errors, "odd.txt:2: 'race:b' is no suppression (expected leak:PATTERN"));
    CHECK(Contains(odd.errors, "odd.txt:3"));
    CHECK(residue({"report", "leaks.residue", "--suppressions", "none.txt"}).exitCode == 2);

    CHECK(residue({"report", "leaks.residue", "--max-peak", "1G"}).exitCode == 0);
    const auto high = residue({"report", "leaks.residue", "--max-peak", "100"});
    CHECK(high.exitCode == 1);
    CHECK(Contains(high.errors, "more than 100 B (--max-peak)"));
    CHECK(residue({"report", "leaks.residue", "--max-peak", "much"}).exitCode == 2);
}
