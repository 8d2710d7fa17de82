#include "capture/launch.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace residue::capture {

namespace {

constexpr int kMostInterpreters = 4;  // as the kernel has it
constexpr const char* kDynamic = "a dynamically linked program of this machine";

Failure SystemFailure(const std::string& where, const char* doing) {
    return {where, fmt::format("{}: {}", doing, std::strerror(errno)), ""};
}

class File {
public:
    explicit File(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~File() {
        if (file_ >= 0) ::close(file_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    bool IsOpen() const { return file_ >= 0; }
    bool Read(void* to, std::size_t bytes, std::uint64_t at) const {
        return ::pread(file_, to, bytes, static_cast<off_t>(at)) == static_cast<ssize_t>(bytes);
    }
    std::string Beginning(std::size_t most) const {
        std::string text(most, '\0');
        const ssize_t got = ::pread(file_, text.data(), most, 0);
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }

private:
    int file_;
};

constexpr int kOwnMachine =
#if defined(__x86_64__)
    EM_X86_64;
#elif defined(__aarch64__)
    EM_AARCH64;
#else
#error "which machine is this?"
#endif

// An ELF program: has it a loader?
Outcome<void> CheckElf(const std::string& path, const File& file) {
    Elf64_Ehdr header{};
    if (!file.Read(&header, sizeof(header), 0)) return Fail(Failure{path, "is cut off", kDynamic});
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kOwnMachine) {
        return Fail(Failure{path, "is a program of another kind of machine", kDynamic});
    }
    constexpr std::uint16_t kMostSegments = 1024;
    for (std::uint16_t i = 0; i < std::min(header.e_phnum, kMostSegments); ++i) {
        Elf64_Phdr segment{};
        if (!file.Read(&segment, sizeof(segment), header.e_phoff + std::uint64_t{i} * sizeof(segment))) break;
        if (segment.p_type == PT_INTERP) return {};
    }
    return Fail(
        Failure{path, "is statically linked: there is no loader that could bring the recorder into it", kDynamic});
}

std::string PreloadVariable(const std::string& shim) {
    const char* const others = std::getenv("LD_PRELOAD");
    std::string variable = "LD_PRELOAD=" + shim;
    if (others != nullptr && *others != '\0') variable += std::string(":") + others;
    return variable;
}

// The environment, with two variables of ours.
std::vector<std::string> EnvironmentFor(const Channel& channel, const std::string& shim) {
    std::vector<std::string> variables;
    const std::string own = std::string(kChannelVariable) + "=";
    for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
        const std::string_view variable = *at;
        if (!variable.starts_with("LD_PRELOAD=") && !variable.starts_with(own)) variables.emplace_back(variable);
    }
    variables.push_back(PreloadVariable(shim));
    variables.push_back(own + channel.Path());
    return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void Become(const char* path, char** arguments, char** environment, Channel& channel, int tell) {
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGHUP, SIGXFSZ}) ::sigaction(number, &usual, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    channel.SetProgram(::getpid());
    ::execve(path, arguments, environment);
    const int error = errno;
    const ssize_t ignored = ::write(tell, &error, sizeof(error));
    (void)ignored;
    ::_exit(127);
}

}  // namespace

Outcome<std::string> FindProgram(const std::string& name) {
    constexpr const char* kProgram = "a program";
    const auto check = [&](const std::string& path) -> Outcome<std::string> {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) return Fail(Failure{name, std::strerror(errno), kProgram});
        if (S_ISDIR(info.st_mode)) return Fail(Failure{name, "is a folder", kProgram});
        if (::access(path.c_str(), X_OK) != 0) return Fail(Failure{name, "may not be run", kProgram});
        return path;
    };
    if (name.empty()) return Fail(Failure{"PROGRAM", "is empty", kProgram});
    if (name.find('/') != std::string::npos) return check(name);
    const char* const path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
    while (true) {
        const auto colon = rest.find(':');
        const std::string folder(rest.substr(0, colon));
        if (auto found = check((folder.empty() ? "." : folder) + "/" + name)) return found;
        if (colon == std::string_view::npos) break;
        rest.remove_prefix(colon + 1);
    }
    return Fail(Failure{name, "there is no program of that name", "one of PATH's, or a path"});
}

Outcome<void> CheckPreloadable(const std::string& given) {
    std::string path = given;
    for (int depth = 0; depth < kMostInterpreters; ++depth) {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) return Fail(SystemFailure(path, "cannot be looked at"));
        const bool others = ((info.st_mode & S_ISUID) != 0 && info.st_uid != ::geteuid()) ||
                            ((info.st_mode & S_ISGID) != 0 && info.st_gid != ::getegid());
        if (others || ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0) {
            return Fail(Failure{path, "runs with rights of its own: the loader brings nothing foreign into it",
                                "a program without set-user-id and capabilities"});
        }
        const File file(path);
        if (!file.IsOpen()) return {};  // may be run, and not read: the loader will see
        const std::string begin = file.Beginning(256);
        if (begin.starts_with("\x7f"
                              "ELF")) {
            return CheckElf(path, file);
        }
        if (!begin.starts_with("#!")) return Fail(Failure{path, "is no program", kDynamic});
        const auto first = begin.find_first_not_of(" \t", 2);
        const auto end = begin.find_first_of(" \t\n", first);
        if (first == std::string::npos || end == std::string::npos || first == end) {
            return Fail(Failure{path, "names no interpreter in its first line", "#!/usr/bin/interpreter"});
        }
        path = begin.substr(first, end - first);
    }
    return Fail(Failure{given, "is a script whose interpreter is a script, and so on", kDynamic});
}

Outcome<std::string> FindShim() {
    std::error_code error;
    const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
    for (const char* const place : {"libresidue-preload.so", "../lib/residue/libresidue-preload.so"}) {
        const std::filesystem::path shim = own.parent_path() / place;
        if (error || !std::filesystem::exists(shim, error)) continue;
        return std::filesystem::weakly_canonical(shim, error).string();
    }
    return Fail(Failure{(own.parent_path() / "libresidue-preload.so").string(),
                        "what is brought into the program is not there", "it lies beside residue"});
}

Outcome<pid_t> Launch(const std::vector<std::string>& arguments, Channel& channel, const std::string& shim) {
    const auto path = FindProgram(arguments.empty() ? "" : arguments[0]);
    if (!path) return Fail(path.error());
    if (const auto fit = CheckPreloadable(*path); !fit) return Fail(fit.error());
    // The variable has no way to quote them.
    if (shim.find_first_of(": ") != std::string::npos) {
        return Fail(
            Failure{shim, "has a blank or a colon in its path, which LD_PRELOAD cannot have", "another folder"});
    }
    std::vector<std::string> words = arguments, variables = EnvironmentFor(channel, shim);
    const std::vector<char*> argumentPointers = Pointers(words), variablePointers = Pointers(variables);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(SystemFailure(arguments[0], "cannot be started"));
    const pid_t child = ::fork();
    if (child == 0) {
        Become(path->c_str(), const_cast<char**>(argumentPointers.data()), const_cast<char**>(variablePointers.data()),
               channel, ends[1]);
    }
    ::close(ends[1]);
    int error = child < 0 ? errno : 0;
    if (child > 0) {
        int told = 0;
        ssize_t got = 0;
        do got = ::read(ends[0], &told, sizeof(told));
        while (got < 0 && errno == EINTR);
        if (got == sizeof(told)) {
            error = told;
            ::waitpid(child, nullptr, 0);
        }
    }
    ::close(ends[0]);
    if (error != 0) {
        errno = error;
        return Fail(SystemFailure(arguments[0], "cannot be started"));
    }
    return child;
}

}  // namespace residue::capture
