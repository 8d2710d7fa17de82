// Modules: which there are, what their tables say, and that they come and go.
#if defined(__x86_64__)
#include "capture/detail/unwind_module.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <vector>

#include "capture/shapes.hpp"
#include "capture/taken_walk.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using namespace residue::capture;
using namespace residue::capture::testing;
using detail::UnwindRow;

namespace {

std::uintptr_t AddressOf(const char* function) {
    const auto address = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, function));
    REQUIRE(address != 0);
    return address;
}

bool Same(const UnwindRow& a, const UnwindRow& b) {
    return a.kind == b.kind && a.losesFrame == b.losesFrame && a.cfaOffset == b.cfaOffset && a.frameAt == b.frameAt;
}

// A module with one function, Call, that keeps so many bytes on the stack while it calls what it is given.
class LoadedModule {
public:
    LoadedModule(const support::ScratchFolder& folder, const std::string& name, const std::string& bytes,
                 const std::vector<std::string>& flags = {}) {
        const std::string source = folder.Write(name + ".c",
                                                "void Call(void (*call)(void*), void* data) {\n"
                                                "    volatile char memory[" + bytes + "];\n"
                                                "    memory[0] = 1;\n    call(data);\n    memory[1] = memory[0];\n}\n");
        std::vector<std::string> command = {"cc", "-O2", "-fomit-frame-pointer", "-shared", "-fPIC", source, "-o",
                                            folder / (name + ".so")};
        command.insert(command.end(), flags.begin(), flags.end());
        const auto run = support::Run(command);
        INFO(run.errors);
        REQUIRE(run.exitCode == 0);
        path_ = folder / (name + ".so");
    }
    ~LoadedModule() { Unload(); }
    LoadedModule(const LoadedModule&) = delete;
    LoadedModule& operator=(const LoadedModule&) = delete;

    std::uintptr_t Load() {
        handle_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
        REQUIRE(handle_ != nullptr);
        return reinterpret_cast<std::uintptr_t>(dlsym(handle_, "Call"));
    }
    TakenWalk WalkThrough() {
        const auto call = reinterpret_cast<void (*)(void (*)(void*), void*)>(dlsym(handle_, "Call"));
        REQUIRE(call != nullptr);
        TakenWalk taken;
        call([](void* data) { *static_cast<TakenWalk*>(data) = TakenWalk::Take(events::OwnStack()); }, &taken);
        return taken;
    }
    void Unload() {
        if (handle_ != nullptr) dlclose(handle_);
        handle_ = nullptr;
    }

private:
    std::string path_;
    void* handle_ = nullptr;
};

}  // namespace

TEST_CASE("A place in the code is in the module that the loader says, and in none where there is none") {
    for (const char* const function : {"malloc", "qsort", "_Unwind_Backtrace", "dlsym"}) {
        const std::uintptr_t address = AddressOf(function);
        const detail::UnwindModule module = detail::FindModule(address);
        const detail::UnwindModule listed = detail::FindModuleByList(address);
        INFO(function);
        REQUIRE(module.there);
        CHECK(module.hasTables);
        CHECK(listed.there);
        CHECK(listed.hasTables);
        CHECK(module.tables.header == listed.tables.header);
        CHECK(module.tables.bytes.low == listed.tables.bytes.low);
        CHECK(module.tables.bytes.high == listed.tables.bytes.high);
        CHECK(module.tables.bytes.Holds(module.tables.header, 12));
        CHECK(detail::FindRow(module.tables, address).kind == UnwindRow::Kind::ByStack);
    }
    const std::unique_ptr<char[]> heap(new char[100]);
    for (const std::uintptr_t address : {std::uintptr_t{0}, std::uintptr_t{4096}, ~std::uintptr_t{0},
                                         reinterpret_cast<std::uintptr_t>(heap.get())}) {
        CHECK_FALSE(detail::FindModule(address).there);
        CHECK_FALSE(detail::FindModuleByList(address).there);
    }
}

TEST_CASE("The C library's tables, copied and damaged, give some row for any place, and nothing outside them is read") {
    void* const library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);  // by name: a sanitizer has a qsort of its own
    REQUIRE(library != nullptr);
    const auto inside = reinterpret_cast<std::uintptr_t>(dlsym(library, "qsort"));
    dlclose(library);
    const detail::UnwindModule module = detail::FindModule(inside);
    REQUIRE(module.hasTables);
    const std::size_t size = module.tables.bytes.high - module.tables.header;
    const auto* const original = reinterpret_cast<const std::uint8_t*>(module.tables.header);
    const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[size]);  // the address sanitizer knows where it ends
    std::memcpy(copy.get(), original, size);
    const auto at = reinterpret_cast<std::uintptr_t>(copy.get());
    const detail::UnwindTables copied{at, {at, at + size}};

    // All addresses in it are relative: it speaks of the places as far away as the original's.
    std::mt19937_64 random(3);
    unsigned known = 0;
    const auto somePlace = [&] { return inside - 0x10000 + random() % 0x40000; };
    for (unsigned i = 0; i < 2000; ++i) {
        const std::uintptr_t place = somePlace();
        const UnwindRow row = detail::FindRow(module.tables, place);
        REQUIRE(Same(detail::FindRow(copied, place - module.tables.header + at), row));
        known += row.kind == UnwindRow::Kind::ByStack ? 1 : 0;
    }
    CHECK(known > 1000);
    for (unsigned i = 0; i < 20000; ++i) {
        for (unsigned change = 0; change < 20; ++change) copy[random() % size] = static_cast<std::uint8_t>(random());
        (void)detail::FindRow(copied, somePlace() - module.tables.header + at);
    }
}

TEST_CASE("A module goes, another one comes to its place: its own rules hold") {
    const support::ScratchFolder folder;
    LoadedModule small(folder, "small", "1000");  // the same code but for its numbers
    LoadedModule large(folder, "large", "3000");
    std::set<std::uintptr_t> places;
    for (unsigned round = 0; round < 4; ++round) {
        LoadedModule& module = round % 2 == 0 ? small : large;
        places.insert(module.Load());
        const TakenWalk walk = module.WalkThrough();
        INFO("round " << round << '\n' << ToText(walk));
        CHECK(walk.Equal());
        CHECK(walk.Complete());
        module.Unload();
        ForgetRules();
    }
    if (places.size() > 1) WARN("the loader gave them different places: not all was tried");
}

TEST_CASE("A module without tables is left by its frame pointers, and without these the walk ends there") {
    const support::ScratchFolder folder;
    const std::vector<std::string> bare = {"-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-nostartfiles",
                                           "-Wl,--no-ld-generated-unwind-info"};
    std::vector<std::string> framed = bare;
    framed.insert(framed.end(), {"-fno-omit-frame-pointer", "-mno-omit-leaf-frame-pointer"});
    LoadedModule with(folder, "with", "100", framed);
    LoadedModule without(folder, "without", "100", bare);

    const detail::UnwindModule module = detail::FindModule(with.Load());
    CHECK(module.there);
    if (module.hasTables) CHECK(detail::FindRow(module.tables, with.Load()).kind == UnwindRow::Kind::Nothing);
    const TakenWalk walk = with.WalkThrough();
    CHECK(walk.Ours().size() > 4);
    CHECK(walk.Complete());

    without.Load();
    const TakenWalk cut = without.WalkThrough();
    REQUIRE(cut.Ours().size() >= 2);
    CHECK(cut.Ours().size() <= walk.Ours().size());
}

TEST_CASE("The unwinder compiles freestanding, and needs nothing but the loader's two functions") {
    const support::ScratchFolder folder;
    std::vector<std::string> link = {"ld", "-r", "-o", folder / "all.o"};
    for (const std::string name : {"unwind", "unwind_memo", "unwind_module", "unwind_row", "row_machine"}) {
        const std::string object = folder / (name + ".o");
        const auto run = support::Run({"c++", "-std=c++20", "-O2", "-ffreestanding", "-fno-exceptions", "-fno-rtti",
                                       "-fno-stack-protector", "-fPIC", "-I" RESIDUE_SOURCE_DIR "/core", "-c",
                                       RESIDUE_SOURCE_DIR "/core/capture/shim/" + name + ".cpp", "-o", object});
        INFO(run.errors);
        REQUIRE(run.exitCode == 0);
        link.push_back(object);
    }
    REQUIRE(support::Run(link).exitCode == 0);
    const auto undefined = support::Run({"nm", "-u", folder / "all.o"});
    REQUIRE(undefined.exitCode == 0);
    const std::set<std::string> allowed = {"_dl_find_object", "dl_iterate_phdr", "memcpy", "memmove", "memset",
                                           "memcmp", "_GLOBAL_OFFSET_TABLE_"};
    std::istringstream words(undefined.output);
    for (std::string kind, name; words >> kind >> name;) {
        INFO("undefined: " << name);
        CHECK(allowed.count(name) != 0);
    }
}

#endif
