#include "capture/detail/target.hpp"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace residue::capture::detail {

namespace {

constexpr std::uint64_t kPage = 4096;

// What a module is to us.
enum class Role { Other, CLibrary, Allocator, Loader, Shim };

Role RoleOf(std::string_view path) {
    const std::string_view file = path.substr(path.rfind('/') + 1);
    if (file.starts_with("libc.so.") || file.starts_with("libc-2.")) return Role::CLibrary;
    // The old parts of the C library count as it.
    if (file.starts_with("libpthread") || file.starts_with("libdl.so") || file.starts_with("libdl-2")) {
        return Role::CLibrary;
    }
    if (file.starts_with("ld-linux") || file.starts_with("ld-2.") || file.starts_with("ld.so")) return Role::Loader;
    if (file.starts_with("libresidue-preload")) return Role::Shim;
    return file.starts_with("[vdso") || file.starts_with("linux-vdso") ? Role::CLibrary : Role::Other;
}

// Calls in which a thread of the C library's waits for the world, and holds none of its locks that the loader or the
// allocator need.
constexpr std::array kWaits = {
    SYS_read,      SYS_write,       SYS_readv,         SYS_writev,    SYS_pread64,         SYS_pwrite64,
    SYS_ppoll,     SYS_pselect6,    SYS_epoll_pwait,   SYS_nanosleep, SYS_clock_nanosleep, SYS_accept,
    SYS_accept4,   SYS_connect,     SYS_recvfrom,      SYS_recvmsg,   SYS_sendto,          SYS_sendmsg,
    SYS_wait4,     SYS_waitid,      SYS_rt_sigsuspend, SYS_futex,     SYS_flock,           SYS_fsync,
    SYS_fdatasync, SYS_sched_yield,
#if defined(__x86_64__)
    SYS_poll,      SYS_select,      SYS_epoll_wait,    SYS_pause,
#endif
};

bool IsWait(std::int64_t call) {
    return std::any_of(kWaits.begin(), kWaits.end(), [call](long wait) { return wait == call; });
}

}  // namespace

struct Target::Module {
    Dwfl_Module* handle;
    std::string path;
    Role role;
    std::uint64_t begin, end;
};

struct Target::State {
    Dwfl_Callbacks callbacks{};
    Dwfl* session = nullptr;
    pid_t process = 0;
    std::vector<Module> modules;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> touchy;  // functions of the C library: begin, end
    ~State() {
        if (session != nullptr) dwfl_end(session);
    }

    const Module* At(std::uint64_t address) const {
        for (const Module& module : modules) {
            if (address >= module.begin && address < module.end) return &module;
        }
        return nullptr;
    }
    std::uint64_t Find(const Module& module, std::string_view name, std::uint64_t* bytes = nullptr) const;
    bool IsTouchy(std::uint64_t code) const {
        return std::any_of(touchy.begin(), touchy.end(),
                           [code](const auto& one) { return code >= one.first && code < one.second; });
    }
    bool IsExecutableRoom(std::uint64_t at, std::size_t bytes) const;
    std::uint64_t FindInLibrary(std::string_view name) const;
};

int Target::AddModule(Dwfl_Module* handle, void**, const char* name, Dwarf_Addr, void* data) {
    Dwarf_Addr begin = 0, end = 0;
    const char* file = nullptr;
    dwfl_module_info(handle, nullptr, &begin, &end, nullptr, nullptr, &file, nullptr);
    const std::string path = file != nullptr ? file : name != nullptr ? name : "";
    static_cast<std::vector<Module>*>(data)->push_back({handle, path, RoleOf(path), begin, end});
    return DWARF_CB_OK;
}

namespace {

// Separate files of names are not looked for: only what is dynamic counts here.
int NoNames(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*, GElf_Word, char**) {
    return -1;
}

}  // namespace

std::uint64_t Target::State::Find(const Module& module, std::string_view name, std::uint64_t* bytes) const {
    const int count = dwfl_module_getsymtab(module.handle);
    for (int i = 1; i < count; ++i) {
        GElf_Sym symbol;
        GElf_Addr address = 0;
        const char* const found =
            dwfl_module_getsym_info(module.handle, i, &symbol, &address, nullptr, nullptr, nullptr);
        if (found == nullptr || symbol.st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
        if (GELF_ST_BIND(symbol.st_info) == STB_LOCAL || GELF_ST_VISIBILITY(symbol.st_other) != STV_DEFAULT) continue;
        // "dlopen@@GLIBC_2.34" where the names are those of the linker's.
        const std::string_view whole(found);
        if (whole.substr(0, whole.find('@')) != name) continue;
        if (bytes != nullptr) *bytes = symbol.st_size;
        return address;
    }
    return 0;
}

std::uint64_t Target::State::FindInLibrary(std::string_view name) const {
    for (const Module& module : modules) {
        if (module.role != Role::CLibrary) continue;
        if (const std::uint64_t address = Find(module, name)) return address;
    }
    return 0;
}

Target::Target(std::unique_ptr<State> state) : state_(std::move(state)) {}
Target::~Target() = default;

Outcome<std::unique_ptr<Target>> Target::Look(pid_t process) {
    const std::string where = fmt::format("process {}", process);
    auto state = std::make_unique<State>();
    state->process = process;
    state->callbacks.find_elf = dwfl_linux_proc_find_elf;
    state->callbacks.find_debuginfo = NoNames;
    state->session = dwfl_begin(&state->callbacks);
    bool read = state->session != nullptr;
    if (read) {
        dwfl_report_begin(state->session);
        read = dwfl_linux_proc_report(state->session, process) == 0;
        read = dwfl_report_end(state->session, nullptr, nullptr) == 0 && read;
    }
    if (!read) return Fail(Failure{where, "what it has loaded cannot be read", "/proc/PID/maps"});
    dwfl_getmodules(state->session, AddModule, &state->modules, 0);
    // Its threads can be walked: their registers are asked for by ptrace, which we have stopped them with.
    (void)dwfl_linux_proc_attach(state->session, process, true);
    std::unique_ptr<Target> target(new Target(std::move(state)));
    if (auto found = target->FindFunctions(process); !found) return Fail(found.error());
    return target;
}

Outcome<void> Target::FindFunctions(pid_t process) {
    const std::string where = fmt::format("process {}", process);
    constexpr const char* kExpected = "a dynamically linked program with the GNU C library";
    for (const Module& module : state_->modules) {
        if (module.path.find("ld-musl") != std::string::npos) {
            return Fail(Failure{where, "has musl's C library", kExpected});
        }
    }
    functions_.open = state_->FindInLibrary("dlopen");
    functions_.symbol = state_->FindInLibrary("dlsym");
    functions_.error = state_->FindInLibrary("dlerror");
    functions_.errnoPlace = state_->FindInLibrary("__errno_location");
    if (functions_.open == 0 || functions_.symbol == 0 || functions_.error == 0 || functions_.errnoPlace == 0) {
        return Fail(Failure{where, "has no dlopen of the C library's that the recorder could come in by", kExpected});
    }
    return FindAllocator(process);
}

Outcome<void> Target::FindAllocator(pid_t process) {
    const std::string program = fmt::format("/proc/{}/exe", process);
    std::array<char, 4096> path{};
    const ssize_t length = ::readlink(program.c_str(), path.data(), path.size());
    const std::string_view own(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    for (Module& module : state_->modules) {
        if (module.role == Role::CLibrary) AddTouchy(module);
        if (module.role != Role::Other || state_->Find(module, "malloc") == 0) continue;
        if (module.path == own) {
            return Fail(Failure{fmt::format("process {}", process),
                                "brings an allocator of its own as a part of the program: its calls cannot be seen",
                                "a program with malloc in a library"});
        }
        module.role = Role::Allocator;
    }
    return {};
}

// What holds locks that the loader needs, or waits for them.
void Target::AddTouchy(const Module& library) {
    for (const char* const name :
         {"malloc",  "calloc",  "realloc", "free",           "memalign",     "aligned_alloc",   "posix_memalign",
          "valloc",  "pvalloc", "fork",    "pthread_create", "pthread_exit", "dl_iterate_phdr", "dlopen",
          "dlclose", "dlsym",   "dlvsym",  "dlmopen",        "dladdr",       "dlerror"}) {
        std::uint64_t bytes = 0;
        if (const std::uint64_t at = state_->Find(library, name, &bytes)) state_->touchy.emplace_back(at, at + bytes);
    }
}

bool Target::State::IsExecutableRoom(std::uint64_t at, std::size_t bytes) const {
    const std::string path = fmt::format("/proc/{}/mem", process);
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    std::vector<std::uint8_t> there(bytes);
    const bool read = ::pread(file, there.data(), bytes, static_cast<off_t>(at)) == static_cast<ssize_t>(bytes);
    ::close(file);
    if (!read) return false;
    return IsVisit(there.data(), bytes) ||
           std::all_of(there.begin(), there.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::optional<std::uint64_t> Target::RoomFor(std::size_t bytes) const {
    for (const Module& module : state_->modules) {
        GElf_Addr bias = 0;
        Elf* const elf = dwfl_module_getelf(module.handle, &bias);
        std::size_t count = 0;
        if (elf == nullptr || elf_getphdrnum(elf, &count) != 0) continue;
        for (std::size_t i = 0; i < count; ++i) {
            GElf_Phdr segment;
            if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr || segment.p_type != PT_LOAD) continue;
            if ((segment.p_flags & PF_X) == 0 || (segment.p_flags & PF_W) != 0) continue;
            const std::uint64_t end = (bias + segment.p_vaddr + segment.p_memsz + 15) / 16 * 16;
            const std::uint64_t page = (end + kPage - 1) / kPage * kPage;
            if (page - end >= bytes && state_->IsExecutableRoom(end, bytes)) return end;
        }
    }
    return std::nullopt;
}

bool Target::Stands(pid_t thread, const ThreadPlace& place) const {
    const Module* const here = state_->At(place.code);
    const Role role = here != nullptr ? here->role : Role::Other;
    if (role != Role::Other && (role != Role::CLibrary || !IsWait(place.systemCall))) return false;
    struct Walk {
        const State* state;
        bool first = true, stands = true;
    } walk{state_.get()};
    const auto see = [](Dwfl_Frame* frame, void* data) -> int {
        Walk& w = *static_cast<Walk*>(data);
        Dwarf_Addr code = 0;
        bool interrupted = false;
        if (!dwfl_frame_pc(frame, &code, &interrupted)) return DWARF_CB_ABORT;
        if (!w.first && interrupted) w.stands = false;  // by a signal, whose handler runs
        const Module* const module = w.state->At(code);
        const Role of = module != nullptr ? module->role : Role::Other;
        if (of == Role::Loader || of == Role::Allocator || of == Role::Shim) w.stands = false;
        if (w.state->IsTouchy(code)) w.stands = false;
        w.first = false;
        return w.stands ? DWARF_CB_OK : DWARF_CB_ABORT;
    };
    // A walk that ends early has seen the frames that matter.
    (void)dwfl_getthread_frames(state_->session, thread, see, &walk);
    return walk.stands;
}

}  // namespace residue::capture::detail
