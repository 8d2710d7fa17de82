// base, events and alloc compile for bare metal: no OS, no heap, no exceptions, no RTTI. Every source outside os/ is
// compiled so, linked together, and what is then still undefined must be the four functions that a compiler may call.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/scratch_folder.hpp"

namespace {

namespace fs = std::filesystem;

const std::string kCore = RESIDUE_SOURCE_DIR "/core";

std::vector<std::string> Flags() {
    return {"-std=c++20", "-O2", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-stack-protector",
            "-DRESIDUE_NO_OS", "-Wall", "-Wextra", "-Werror", "-I" + kCore};
}

support::Finished TryToCompile(const std::string& source, const std::string& object,
                               const std::vector<std::string>& flags = Flags()) {
    std::vector<std::string> command = {"c++"};
    for (const std::string& flag : flags) command.push_back(flag);
    for (const std::string& word : {std::string("-c"), source, std::string("-o"), object}) command.push_back(word);
    return support::Run(command);
}

void Compile(const std::string& source, const std::string& object) {
    const auto run = TryToCompile(source, object);
    INFO(source << '\n' << run.errors);
    REQUIRE(run.exitCode == 0);
}

// Files of the three layers that are meant for bare metal.
std::vector<fs::path> PortableFiles(const std::string& extension) {
    std::vector<fs::path> files;
    for (const std::string layer : {"base", "events", "alloc"}) {
        for (const auto& entry : fs::recursive_directory_iterator(kCore + "/" + layer)) {
            const std::string path = entry.path().string();
            if (entry.path().extension() != extension || path.find("/os/") != std::string::npos) continue;
            files.push_back(entry.path());
        }
    }
    return files;
}

// Their objects.
std::vector<std::string> CompileAll(const support::ScratchFolder& folder) {
    std::vector<std::string> objects;
    for (const fs::path& source : PortableFiles(".cpp")) {
        objects.push_back(folder / (std::to_string(objects.size()) + ".o"));
        Compile(source.string(), objects.back());
    }
    REQUIRE(objects.size() >= 3);
    return objects;
}

}  // namespace

TEST_CASE("base, events and alloc compile freestanding and need only memcpy, memmove, memset and memcmp", "[meta]") {
    const support::ScratchFolder folder;
    std::vector<std::string> link = {"ld", "-r", "-o", folder / "all.o"};
    for (const std::string& object : CompileAll(folder)) link.push_back(object);
    REQUIRE(support::Run(link).exitCode == 0);
    const auto undefined = support::Run({"nm", "-u", "-C", folder / "all.o"});
    REQUIRE(undefined.exitCode == 0);
    const std::set<std::string> compilers = {"memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"};
    std::istringstream lines(undefined.output);
    for (std::string line; std::getline(lines, line);) {
        const std::string name = line.substr(line.find_first_not_of(" U"));
        INFO("undefined: " << name);
        CHECK(compilers.count(name) != 0);
    }
}

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
TEST_CASE("My custom kernel, or … running on bare metal: a program without a C library is linked from them, and runs",
          "[meta]") {
    const support::ScratchFolder folder;
    const std::string program = folder / "program";
    const std::string object = folder / "main.o";
    Compile(RESIDUE_SOURCE_DIR "/tests/meta/freestanding/program.cpp", object);
    std::vector<std::string> link = {"c++", "-nostdlib", "-static", "-no-pie", "-o", program, object};
    for (const std::string& part : CompileAll(folder)) link.push_back(part);
    const auto linked = support::Run(link);
    INFO(linked.errors);
    REQUIRE(linked.exitCode == 0);
    const auto run = support::Run({program});
    CHECK(run.exitCode == 0);  // else the line of the check that failed
    CHECK(run.output == "sum 4950, freed twice: told, 8 failed by fragmentation, 0 live\n");
}
#endif

TEST_CASE("The memory library's headers compile where the OS is not supported, and the global allocator is gone",
          "[meta]") {
    const support::ScratchFolder folder;
    const std::string source = folder.Write("bare.cpp", R"(
#include "alloc/os/global_allocator.hpp"
#include "alloc/allocator.hpp"
#include "alloc/duck.hpp"
#include "alloc/dynamic_array.hpp"
#include "alloc/fixed_buffer_allocator.hpp"
#include "events/sink.hpp"

static_assert(!residue::os::IsSupported());

namespace residue::alloc {
int GlobalAllocator;  // the name is free: nothing of ours has it

Result<void*> KernelAllocate(Allocator*, std::size_t, std::size_t) { return Fail(MemoryError::InsufficientMemory); }
Result<void> KernelFree(Allocator*, void*) { return Fail(MemoryError::InvalidPointer); }

bool Use() {
    Allocator kernel{KernelAllocate, KernelFree};
    auto array = CreateDynamicArray<int>(&kernel);
    const bool pushed = PushToDynamicArray(&array, 1, 2, 3).has_value();
    return pushed && DestroyDynamicArray(&array).has_value();
}
}  // namespace residue::alloc
)");
    Compile(source, folder / "bare.o");
}

TEST_CASE("comptime if OS.IsSupported(): a program with the global allocator compiles where it is, and only there",
          "[meta]") {
    const support::ScratchFolder folder;
    const std::string source = folder.Write("global.cpp", R"(
#include "alloc/os/global_allocator.hpp"
void* Use() { return residue::alloc::GlobalAllocator(); }
)");
    const auto hosted = TryToCompile(source, folder / "hosted.o", {"-std=c++20", "-I" + kCore});
    INFO(hosted.errors);
    CHECK(hosted.exitCode == 0);
    const auto bare = TryToCompile(source, folder / "bare.o");
    CHECK(bare.exitCode != 0);
    CHECK(bare.errors.find("GlobalAllocator") != std::string::npos);
}

TEST_CASE("Portable sources call no malloc and use no container of the standard library", "[meta]") {
    const std::vector<std::string> banned = {"malloc(", "calloc(", "realloc(", "<vector>", "<string>", "<map>",
                                             "<unordered_map>", "<mutex>", "<thread>", "<cstdlib>", "<cstdio>"};
    int seen = 0;
    for (const std::string extension : {".cpp", ".hpp"}) {
        for (const fs::path& file : PortableFiles(extension)) {
            std::ifstream stream(file);
            std::stringstream text;
            text << stream.rdbuf();
            // A header may say that it is a hosted one; then no portable source may include it (they compile above).
            const std::string content = text.str();
            if (extension == ".hpp" && content.find("Hosted") != std::string::npos) continue;
            ++seen;
            for (const std::string& word : banned) {
                INFO(file.string() << " uses " << word);
                CHECK(content.find(word) == std::string::npos);
            }
        }
    }
    CHECK(seen > 10);
}
