// In the distribution profile the tracker costs nothing: seen from the compiled code. The allocator is compiled as in a
// release build beside one written by hand that only passes requests on, and their callbacks must have the same
// instructions, in number and kind.
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/scratch_folder.hpp"

namespace {

constexpr const char* kByHand = R"(
#include "alloc/allocator.hpp"
#include "alloc/emitter.hpp"

namespace residue::alloc {

struct ByHand : Allocator {
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment);
    static Result<void> OnFree(Allocator* self, void* pointer);
    Allocator* parent_;
    Emitter emitter_;
};

Result<void*> ByHand::OnAllocate(Allocator* self, std::size_t bytes, std::size_t alignment) {
    auto& me = *static_cast<ByHand*>(self);
    if (bytes == 0) bytes = 1;
    Result<void*> block = me.parent_->Allocate(me.parent_, bytes, alignment);
    if (!block) {
        me.emitter_.AllocateFailed({bytes, alignment}, block.error());
        return block;
    }
    Block described;
    described.address = reinterpret_cast<std::uintptr_t>(*block);
    described.size = bytes;
    me.emitter_.Allocated(described, alignment);
    return block;
}

Result<void> ByHand::OnFree(Allocator* self, void* pointer) {
    auto& me = *static_cast<ByHand*>(self);
    if (pointer == nullptr) {
        me.emitter_.FreeFailed(MemoryError::InvalidPointer, 0, 0);
        return Fail(MemoryError::InvalidPointer);
    }
    me.emitter_.Freed(reinterpret_cast<std::uintptr_t>(pointer));
    return me.parent_->Free(me.parent_, pointer);
}

}  // namespace residue::alloc
)";

std::string Disassembly(const std::string& source, const std::string& object) {
    const std::string include = std::string("-I") + RESIDUE_SOURCE_DIR "/core";
    const auto compiled = support::Run({"c++", "-std=c++20", "-O2", "-DNDEBUG", "-fno-omit-frame-pointer", include,
                                        "-c", source, "-o", object});
    INFO(compiled.errors);
    REQUIRE(compiled.exitCode == 0);
    const auto listed = support::Run({"objdump", "-d", "-C", "--no-show-raw-insn", object});
    REQUIRE(listed.exitCode == 0);
    return listed.output;
}

// The mnemonics of the function whose name contains `name`, without padding.
std::vector<std::string> Instructions(const std::string& disassembly, const std::string& name) {
    std::vector<std::string> found;
    std::istringstream lines(disassembly);
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && line.back() == ':' && line[0] != ' ') {
            inside = line.find(name) != std::string::npos && line.find(".cold") == std::string::npos;
        } else if (inside && line.find('\t') != std::string::npos) {
            std::istringstream words(line.substr(line.find('\t') + 1));
            std::string mnemonic;
            words >> mnemonic;
            if (mnemonic.rfind("nop", 0) != 0 && mnemonic != "data16" && mnemonic != "cs" && mnemonic != "xchg") {
                found.push_back(mnemonic);
            }
        }
    }
    return found;
}

}  // namespace

TEST_CASE("The memory tracker will only be enabled in the debug and release profiles: else not one instruction",
          "[alloc]") {
    const support::ScratchFolder folder;
    const std::string byHand = folder.Write("by_hand.cpp", kByHand);
    const std::string mine = Disassembly(byHand, folder / "by_hand.o");
    const std::string ours = Disassembly(RESIDUE_SOURCE_DIR "/core/alloc/os/default_allocator.cpp",
                                         folder / "default.o");
    for (const std::string callback : {"OnAllocate(", "OnFree("}) {
        INFO(callback);
        const auto expected = Instructions(mine, "ByHand::" + callback);
        const auto distribution = Instructions(ours, "DefaultAllocator<(residue::alloc::Profile)2>::" + callback);
        const auto release = Instructions(ours, "DefaultAllocator<(residue::alloc::Profile)1>::" + callback);
        REQUIRE(expected.size() > 10);
        CHECK(distribution == expected);
        CHECK(release != expected);  // so the comparison does see a tracker
    }
}

TEST_CASE("The memory tracker will only be enabled in the debug and release profiles: else nothing is linked",
          "[alloc]") {
    const support::ScratchFolder folder;
    const std::string source = folder.Write("program.cpp", R"(
#include "alloc/os/default_allocator.hpp"
using namespace residue::alloc;
bool Use() {
    DefaultAllocator<> allocator = CreateDefaultAllocator();
    int* ints = *Allocate<int>(&allocator, 5);
    const bool freed = Free(&allocator, ints).has_value();
    return DestroyDefaultAllocator(&allocator) == 0 && freed;
}
)");
    for (const std::string profile : {"Debug", "Release", "Distribution"}) {
        INFO(profile);
        const std::string object = folder / (profile + ".o");
        const auto compiled =
            support::Run({"c++", "-std=c++20", "-O2", "-DRESIDUE_PROFILE=" + profile,
                          std::string("-I") + RESIDUE_SOURCE_DIR "/core", "-c", source, "-o", object});
        INFO(compiled.errors);
        REQUIRE(compiled.exitCode == 0);
        const auto undefined = support::Run({"nm", "-u", "-C", object});
        REQUIRE(undefined.exitCode == 0);
        REQUIRE(undefined.output.find("DefaultAllocator<") != std::string::npos);
        CHECK((undefined.output.find("Tracker") != std::string::npos) == (profile != "Distribution"));
    }
}
