#include "capture/launch.hpp"

#include <elf.h>
#include <sys/stat.h>

#include <cstring>

#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;

namespace {

std::string Write(const support::ScratchFolder& folder, const char* name, const std::string& bytes) {
    const std::string path = folder.Write(name, bytes);
    ::chmod(path.c_str(), 0755);
    return path;
}

// The beginning of a program without a loader.
std::string Elf(unsigned char elfClass, std::uint16_t machine) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = elfClass;
    header.e_machine = machine;
    return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

std::string TroubleWith(const std::string& path) {
    const auto fit = capture::CheckPreloadable(path);
    return fit ? "" : fit.error().Text();
}

}  // namespace

TEST_CASE("programs are found as a shell finds them") {
    CHECK(capture::FindProgram("sh"));
    CHECK(capture::FindProgram("/bin/sh"));
    const auto missing = capture::FindProgram("no-such-program-here");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().Text() ==
          "no-such-program-here: there is no program of that name (expected one of PATH's, or a path)");
    const auto folder = capture::FindProgram("/tmp");
    REQUIRE_FALSE(folder);
    CHECK(folder.error().what == "is a folder");
    CHECK_FALSE(capture::FindProgram(""));
    CHECK_FALSE(capture::FindProgram("/no/such/path"));
    const support::ScratchFolder scratch;
    const std::string text = Write(scratch, "text", "hello");
    ::chmod(text.c_str(), 0644);
    const auto notRun = capture::FindProgram(text);
    REQUIRE_FALSE(notRun);
    CHECK(notRun.error().what == "may not be run");
}

TEST_CASE("what cannot be preloaded into is told before it is started") {
    const support::ScratchFolder scratch;
    CHECK(TroubleWith("/bin/sh") == "");
    CHECK(TroubleWith(Write(scratch, "script", "#!/bin/sh -e\ntrue\n")) == "");
#if defined(__x86_64__)
    constexpr std::uint16_t kOwn = EM_X86_64;
#else
    constexpr std::uint16_t kOwn = EM_AARCH64;
#endif
    CHECK(TroubleWith(Write(scratch, "static", Elf(ELFCLASS64, kOwn))).find("statically linked") != std::string::npos);
    CHECK(TroubleWith(Write(scratch, "32", Elf(ELFCLASS32, EM_386))).find("another kind of machine") !=
          std::string::npos);
    CHECK(TroubleWith(Write(scratch, "cut", "\x7f" "ELF")).find("cut off") != std::string::npos);
    CHECK(TroubleWith(Write(scratch, "text", "hello")).find("is no program") != std::string::npos);
    CHECK(TroubleWith(Write(scratch, "empty", "")).find("is no program") != std::string::npos);
    CHECK(TroubleWith(Write(scratch, "bare", "#!\n")).find("names no interpreter") != std::string::npos);
    CHECK(TroubleWith(Write(scratch, "lost", "#!/no/such/one\n")).find("cannot be looked at") != std::string::npos);
    const std::string itself = scratch / "itself";
    CHECK(TroubleWith(Write(scratch, "itself", "#!" + itself + "\n")).find("and so on") != std::string::npos);
    const std::string foreign = Write(scratch, "foreign", Elf(ELFCLASS64, kOwn));
    if (::chown(foreign.c_str(), 12345, 12345) == 0 && ::chmod(foreign.c_str(), 04755) == 0) {
        CHECK(TroubleWith(foreign).find("rights of its own") != std::string::npos);
    }
}
