// The C header, from a program that a user compiles to the report: as C and C++, with and without a recorder, in the
// ways in which programs are compiled and linked.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/program.hpp"
#include "support/catch.hpp"

using cli_tests::Contains;
using cli_tests::Program;
using Json = nlohmann::json;

namespace {

const std::string kHeader = RESIDUE_SOURCE_DIR "/core/events";
const std::string kExample = RESIDUE_SOURCE_DIR "/scenarios/programs/own_pools/own_pools.c";
const std::vector<std::string> kStrict = {"-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror", "-g"};

bool Exists(const std::string& compiler) { return support::Run({compiler, "--version"}).exitCode == 0; }

void Compile(const Program& residue, std::vector<std::string> words, const std::vector<std::string>& more) {
    words.insert(words.end(), kStrict.begin(), kStrict.end());
    words.insert(words.end(), {"-I", kHeader});
    words.insert(words.end(), more.begin(), more.end());
    const auto compiled = support::Run(words, {.folder = residue.folder.Path().string()});
    INFO(compiled.errors);
    REQUIRE(compiled.exitCode == 0);
}

Json Recorded(const Program& residue, const std::vector<std::string>& program) {
    std::vector<std::string> words = {"record", "-o", "t.residue", "--"};
    words.insert(words.end(), program.begin(), program.end());
    const auto run = residue(words);
    INFO(run.errors);
    REQUIRE(run.exitCode == 0);
    const auto report = residue({"report", "t.residue", "--json"});
    INFO(report.errors);
    REQUIRE(report.exitCode == 0);
    return Json::parse(report.output);
}

Json Named(const Json& report, const std::string& name) {
    if (!report.contains("allocators")) return {};
    for (const Json& allocator : report["allocators"]) {
        if (allocator["name"] == name) return allocator;
    }
    return {};
}

void CheckExample(const Json& report) {
    INFO(report.dump(1));
    const Json level = Named(report, "level"), particles = Named(report, "particles");
    REQUIRE(level.is_object());
    REQUIRE(particles.is_object());
    CHECK(level["parent"] == "malloc");
    CHECK(level["allocations"] == 1);  // the other one is the slots' memory
    CHECK(level["resizes"] == 1);
    CHECK(level["peak_live_bytes"] == 150);
    CHECK(level["live_blocks"] == 0);
    CHECK(level["failed"] == 1);
    CHECK(particles["parent"] == "level");
    CHECK(particles["allocations"] == 16);
    CHECK(particles["frees"] == 16);
    CHECK(particles["failed"] == 1);
    CHECK(particles["bad_frees"] == 1);
    CHECK(particles["peak_live_bytes"] == 16 * 40 + 120);
    CHECK(report["warnings"].empty());
}

}  // namespace

TEST_CASE("the example of the C header is seen however it is compiled and linked") {
    const Program residue;
    for (const std::string compiler : {"gcc", "clang"}) {
        if (!Exists(compiler)) continue;
        for (const std::vector<std::string>& how : std::initializer_list<std::vector<std::string>>{
                 {"-std=c99", "-O0", "-fPIE", "-pie"},
                 {"-std=c99", "-O2", "-fno-pie", "-no-pie"},
                 {"-std=c17", "-O2", "-fPIE", "-pie", "-fvisibility=hidden", "-Wl,-z,now"},
                 {"-std=c99", "-O0", "-fno-pie", "-no-pie", "-Wl,--as-needed", "-Wl,--gc-sections"},
                 {"-std=c++11", "-x", "c++", "-O0"},
                 {"-std=c++20", "-x", "c++", "-O2", "-fno-pie", "-no-pie"}}) {
            std::string text = compiler;
            for (const std::string& word : how) text += " " + word;
            CAPTURE(text);
            std::vector<std::string> words = {compiler};
            words.insert(words.end(), how.begin(), how.end());
            Compile(residue, words, {kExample, "-o", "example"});
            const auto alone = support::Run({residue.folder / "example"});
            CHECK(alone.exitCode == 0);
            CHECK(alone.output == "done well\n");
            CheckExample(Recorded(residue, {residue.folder / "example"}));
        }
    }
}

// As when a recorder from another folder watches the recorder of the program. Of a C program nothing allocates before
// the shims themselves begin, the last one first.
TEST_CASE("with two builds of the shim in a program its pools are told to its recorder by the first of them") {
    const Program residue;
    Compile(residue, {"gcc", "-std=c99", "-O0"}, {kExample, "-o", "example"});
    const std::string other = residue.folder / "libresidue-preload-other.so";
    std::filesystem::copy_file(RESIDUE_BIN_DIR "/libresidue-preload.so", other);
    CheckExample(Recorded(residue, {"env", "LD_PRELOAD=" RESIDUE_BIN_DIR "/libresidue-preload.so:" + other,
                                    residue.folder / "example"}));
}

TEST_CASE("a pool in a shared library is seen, and in a static program nobody listens") {
    const Program residue;
    residue.folder.Write("part.c", "#include \"residue.h\"\nvoid part(void);\nvoid part(void) {\n"
                                   "    residue_marker(\"in a library\");\n"
                                   "    const residue_pool pool =\n"
                                   "        residue_pool_create(\"of a library\", 0, 0, RESIDUE_NONE);\n"
                                   "    residue_pool_destroy(pool);\n}\n");
    residue.folder.Write("main.c", "void part(void);\nint main(void) { part(); return 0; }\n");
    Compile(residue, {"gcc"}, {"-shared", "-fPIC", "-fvisibility=default", "part.c", "-o", "libpart.so"});
    Compile(residue, {"gcc"}, {"main.c", "-o", "main", "-Wl,--as-needed", "-Wl,-rpath,$ORIGIN", "-L.", "-lpart"});
    const Json report = Recorded(residue, {residue.folder / "main"});
    CHECK(Named(report, "of a library").is_object());
    Compile(residue, {"gcc"}, {"-static", "main.c", "part.c", "-o", "alone"});
    CHECK(support::Run({residue.folder / "alone"}).exitCode == 0);
}

TEST_CASE("the call traces of pools name the line in the program, not one in the header") {
    const Program residue;
    for (const std::string level : {"-O0", "-O2"}) {
        CAPTURE(level);
        Compile(residue, {"gcc", "-std=c99", level}, {kExample, "-o", "example"});
        (void)Recorded(residue, {residue.folder / "example"});
        const auto report = residue({"report", "t.residue"});
        CHECK(Contains(report.output, "own_pools.c:"));
        CHECK_FALSE(Contains(report.output, "residue.h:"));
        CHECK(Contains(report.output, "Allocators"));
        CHECK(Contains(report.output, "in level, 1 failed, 1 bad frees"));
    }
}

TEST_CASE("a program built with the allocators of the library shows each of them, nested and counted once") {
    const Program residue;
    const Json report = Recorded(residue, {RESIDUE_BIN_DIR "/library_subject"});
    INFO(report.dump(1));
    CHECK(Named(report, "daily")["parent"] == "malloc");
    CHECK(Named(report, "daily")["peak_live_bytes"] == 501);  // the arena's regions are the arena's
    CHECK(Named(report, "level")["parent"] == "daily");
    CHECK(Named(report, "level")["allocations"] == 10);
    CHECK(Named(report, "names")["allocations"] == 1);
    CHECK(Named(report, "careless")["total_bytes"] == 5 * 300 + 10);
    CHECK(Named(report, "careless")["live_blocks"] == 0);
    // Without the shim that it has from here where this test is watched itself.
    CHECK(support::Run({RESIDUE_BIN_DIR "/library_subject", "alone"}, {.environment = {{"LD_PRELOAD", ""}}}).exitCode ==
          0);
}
