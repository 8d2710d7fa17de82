// Bad usage and bad input: exit code 2, what was wrong and what was expected on the error stream, nothing on the other.
#include <sys/stat.h>
#include <unistd.h>

#include "cli/program.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

using cli_tests::Contains;
using cli_tests::kTrace;
using cli_tests::Program;

namespace {

std::size_t Lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("Help, version and no arguments") {
    const Program residue;
    const auto help = residue({"help"});
    CHECK(help.exitCode == 0);
    CHECK(support::Golden("cli/golden/help.txt", help.output) == "");
    CHECK(residue({"--help"}).output == help.output);
    CHECK(residue({}).exitCode == 2);
    CHECK(residue({}).errors == help.output);
    CHECK(residue({"--version"}).output.starts_with("residue "));
    CHECK(Contains(residue({"report", "--help"}).output, "--capacity"));
    CHECK(residue({"help", "convert"}).output == residue({"convert", "--help"}).output);
}

TEST_CASE("Every file that is none gives a clear error") {
    const Program residue;
    residue.folder.Write("empty.rep", "");
    residue.folder.Write("binary.rep", std::string("\x7f"
                                                   "ELF\0\0\x01\xff\xfe",
                                                   9) +
                                           std::string(5000, '\x80'));
    residue.folder.Write("words.txt", "this is no trace at all\n");
    residue.folder.Write("cut.residue", "RESIDUE");
    for (const char* name : {"missing.rep", ".", "empty.rep", "binary.rep", "words.txt", "cut.residue"}) {
        const auto run = residue({"report", name});
        INFO(name << ": " << run.errors);
        CHECK(run.exitCode == 2);
        CHECK(run.output.empty());
        CHECK(Contains(run.errors, name));
        CHECK(Lines(run.errors) == 1);
    }
    if (geteuid() != 0) {  // root reads everything
        const std::string secret = residue.folder.Write("secret.rep", kTrace);
        chmod(secret.c_str(), 0);
        CHECK(residue({"report", "secret.rep"}).exitCode == 2);
    }
}

TEST_CASE("All that is wrong is said at once") {
    const Program residue;
    const auto run = residue({"report", "missing.rep", "--allocator", "magic", "--capacity", "-3", "--jsn"});
    INFO(run.errors);
    CHECK(run.exitCode == 2);
    CHECK(Lines(run.errors) == 4);
    CHECK(Contains(run.errors, "unknown allocator 'magic' (expected first-fit, "));
    CHECK(Contains(run.errors, "--capacity: '-3'"));
    CHECK(Contains(run.errors, "unknown option '--jsn'"));
    CHECK(Contains(run.errors, "missing.rep: No such file"));
}

TEST_CASE("Capacities that are no number of bytes are refused") {
    const Program residue;
    residue.folder.Write("small.rep", kTrace);
    for (const char* bad :
         {"", "x", "0", "1.5.2K", ".5K", "12Q", "K", "-1", "18446744073709551616", "99999999999T", "1KK"}) {
        const auto run = residue({"report", "small.rep", std::string("--capacity=") + bad});
        INFO(bad << run.output);
        CHECK(run.exitCode == 2);
    }
    for (const char* good : {"auto", "65536", "64K", "64KiB", "1MB", "1g", "1.5M", "65,536", "0x10000"}) {
        INFO(good);
        CHECK(residue({"report", "small.rep", "--capacity", good}).exitCode == 0);
    }
}

TEST_CASE("An unknown command is told from a file") {
    const Program residue;
    const auto typo = residue({"reprot", "x.rep"});
    CHECK(typo.exitCode == 2);
    CHECK(Contains(typo.errors,
                   "no command and no file 'reprot' (expected open, record, report, picture, run, check, lab, "
                   "race, convert, diff, or a file)"));
    const auto file = residue({"nowhere.rep"});
    CHECK(file.exitCode == 2);
    CHECK(Contains(file.errors, "nowhere.rep: No such file"));
    CHECK(Contains(residue({"picture"}).errors, "the file is missing"));
}

TEST_CASE("Without residue-view beside it, open and picture say so") {
    const Program residue;
    residue.folder.Write("small.rep", kTrace);
    const std::string alone = residue.folder / "residue";
    std::filesystem::copy_file(cli_tests::kResidue, alone);
    const auto run = support::Run({alone, "open", residue.folder / "small.rep"});
    CHECK(run.exitCode == 2);
    CHECK(Contains(run.errors, "residue-view"));
    CHECK(Contains(run.errors, "RESIDUE_GUI=ON"));
}

TEST_CASE("A full disk is an error, not a success", "[linux]") {
    if (!std::filesystem::exists("/dev/full")) return;
    const Program residue;
    residue.folder.Write("small.rep", kTrace);
    const auto run = support::Run({"sh", "-c", cli_tests::kResidue + " report small.rep >/dev/full"},
                                  {.folder = residue.folder.Path().string()});
    CHECK(run.exitCode == 2);
    CHECK(Contains(run.errors, "standard output"));
}

TEST_CASE("Ctrl-C ends a long report at once, with nothing printed") {
    const Program residue;
    std::string trace = "20000\n1\n2000000\n1\n";
    for (int i = 0; i < 1'000'000; ++i) trace += "a 0 64\nf 0\n";
    residue.folder.Write("long.rep", trace);
    const auto run = support::Run({cli_tests::kResidue, "report", "long.rep"},
                                  {.folder = residue.folder.Path().string(), .interruptAfterMs = 150});
    CHECK(run.exitCode == 130);
    CHECK(run.output.empty());
}
