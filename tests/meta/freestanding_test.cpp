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

void Compile(const std::string& source, const std::string& object) {
    std::vector<std::string> command = {"c++"};
    for (const std::string& flag : Flags()) command.push_back(flag);
    for (const std::string& word : {std::string("-c"), source, std::string("-o"), object}) command.push_back(word);
    const auto run = support::Run(command);
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

}  // namespace

TEST_CASE("base, events and alloc compile freestanding and need only memcpy, memmove, memset and memcmp", "[meta]") {
    const support::ScratchFolder folder;
    std::vector<std::string> link = {"ld", "-r", "-o", folder / "all.o"};
    int number = 0;
    for (const fs::path& source : PortableFiles(".cpp")) {
        const std::string object = folder / (std::to_string(number++) + ".o");
        Compile(source.string(), object);
        link.push_back(object);
    }
    REQUIRE(number >= 3);
    REQUIRE(support::Run(link).exitCode == 0);
    const auto undefined = support::Run({"nm", "-u", "-C", folder / "all.o"});
    REQUIRE(undefined.exitCode == 0);
    // The OS parts stand behind these names: a port to another system writes them.
    const std::set<std::string> ports = {"residue::events::os::ReservePages(unsigned long)",
                                         "residue::events::os::ReleasePages(void*, unsigned long)",
                                         "residue::events::OwnStack()"};
    const std::set<std::string> compilers = {"memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"};
    std::istringstream lines(undefined.output);
    for (std::string line; std::getline(lines, line);) {
        const std::string name = line.substr(line.find_first_not_of(" U"));
        INFO("undefined: " << name);
        CHECK((ports.count(name) != 0 || compilers.count(name) != 0));
    }
}

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
