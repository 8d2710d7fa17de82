// Where there is no Landlock: files are kept from the code by a tree of its own, or the code is not run at all.
#include <cstdlib>

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;
namespace fs = std::filesystem;

namespace {

// What the host is to take for missing, as long as this lives.
struct Without {
    explicit Without(const char* what) { ::setenv("RESIDUE_LAB_WITHOUT", what, 1); }
    ~Without() { ::unsetenv("RESIDUE_LAB_WITHOUT"); }
    Without(const Without&) = delete;
    Without& operator=(const Without&) = delete;
};

Outcome<Built> Confined(const std::string& student) {
    return Build(student, BuildOptions{});
}

// Some machines forbid namespaces to all but a few.
bool HasNamespaces(const Outcome<Built>& built) {
    if (!built) WARN("no user namespaces here: " + built.error().Text());
    return built.has_value();
}

}  // namespace

TEST_CASE("Without Landlock code is built and run in a tree of its own, and is as contained") {
    const Without landlock("landlock");
    const auto built = Confined((kStudents / "hostile.c").string());
    if (!HasNamespaces(built)) return;
    INFO(built->messages);
    REQUIRE(built->fine);
    for (const int deed : {1001, 1002, 1003, 1004, 1022}) {
        INFO(deed);
        RunOptions options;
        options.timedRuns = 0;
        const auto outcome = RunTrace(*built, TraceOf("a 0 64\na 1 " + std::to_string(deed) + "\nf 0\n"), options);
        REQUIRE(outcome);
        REQUIRE(outcome->problem);
        CHECK(Contains(outcome->problem->message, "refused"));
    }
    CHECK(fs::is_empty(built->staging.Folder("empty")));
}

TEST_CASE("Without Landlock a compiler sees no file of the user's, and writes none") {
    const Without landlock("landlock");
    const support::ScratchFolder folder;
    const std::string secret = folder.Write("secret.h", "#error the secret is out\n");
    const auto built = Confined(folder.Write("mm.c", Bump("#include \"" + secret + "\"\n")));
    if (!HasNamespaces(built)) return;
    CHECK_FALSE(built->fine);
    CHECK(Contains(built->messages, "No such file or directory"));
    CHECK_FALSE(Contains(built->messages, "the secret is out"));
    const auto taken = Confined(folder.Write("mm2.c", Bump("__asm__(\".incbin \\\"/etc/passwd\\\"\");\n")));
    REQUIRE(taken);
    CHECK_FALSE(taken->fine);
}

TEST_CASE("Where neither Landlock nor namespaces are there, code is refused, with what would do") {
    const Without both("landlock,namespaces");
    const auto built = Confined((kStudents / "implicit.c").string());
    REQUIRE_FALSE(built);
    CHECK(Contains(built.error().what, "neither by Landlock nor by namespaces"));
    CHECK(Contains(built.error().expected, "--no-landlock"));
    BuildOptions open;
    open.needsLandlock = false;
    const auto anyway = Build((kStudents / "implicit.c").string(), open);
    REQUIRE(anyway);
    CHECK(anyway->fine);
    const auto refused = RunTrace(*anyway, TraceOf("a 0 64\nf 0\n"), RunOptions{});
    REQUIRE_FALSE(refused);
    CHECK(Contains(refused.error().expected, "--no-landlock"));
}
