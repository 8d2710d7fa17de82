#include "lab/build.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "base/parse_size.hpp"
#include "capture/launch.hpp"
#include "lab/process.hpp"
#include "lab/support_texts.hpp"

namespace residue::lab {
namespace {

namespace fs = std::filesystem;

constexpr int kCannotConfine = 121;  // lab/host/main.cpp
constexpr std::chrono::seconds kPatience{60};
constexpr const char* kProbe = "residue_lab_probe.c";
// What a compiler needs to read; nothing here is private on any machine.
constexpr const char* kSystemFolders[] = {
    "/usr/include", "/usr/lib", "/usr/lib32", "/usr/lib64",       "/usr/libexec",     "/usr/bin",
    "/lib",         "/lib64",   "/bin",       "/etc/ld.so.cache", "/etc/alternatives"};

Outcome<std::string> FindCompiler(const std::string& wanted) {
    if (!wanted.empty()) return capture::FindProgram(wanted);
    for (const char* name : {"cc", "gcc", "clang"}) {
        auto found = capture::FindProgram(name);
        if (!found) continue;
        std::error_code error;
        const fs::path real = fs::canonical(*found, error);
        if (!error && real.filename() == "ccache") continue;  // its cache is out of reach
        return found;
    }
    return Fail(Failure{"PATH", "has no C compiler", "cc, gcc or clang, or --compiler"});
}

std::string ReadWhole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Runs the compiler, confined, in the folder of the student's sources.
class Compiler {
public:
    Compiler(const Staging& staging, std::string host, std::string path, const BuildOptions& options)
        : staging_(staging), host_(std::move(host)), path_(std::move(path)), options_(options) {}

    // False: it found fault; `messages` has what it printed either way.
    Outcome<bool> Run(const std::vector<std::string>& arguments, std::string& messages) const {
        ChildOptions child;
        child.command = {host_,
                         "compile",
                         options_.needsLandlock ? "landlock" : "no-landlock",
                         staging_.Folder("build"),
                         staging_.Folder("source"),
                         staging_.Folder("support")};
        for (const char* folder : kSystemFolders) child.command.emplace_back(folder);
        const std::string own = OwnFolder();
        if (!own.empty()) child.command.push_back(own);
        child.command.emplace_back("--");
        child.command.push_back(path_);
        child.command.insert(child.command.end(), arguments.begin(), arguments.end());
        child.environment = {"PATH=" + fs::path(path_).parent_path().string() + ":/usr/bin:/bin", "LC_ALL=C.UTF-8",
                             "TMPDIR=" + staging_.Folder("build")};
        PassOnWithout(child.environment);
        child.folder = staging_.Folder("source");
        child.deadline = kPatience;
        child.cancelled = options_.cancelled;
        auto end = RunChild(child);
        if (!end) return Fail(end.error());
        if (end->cancelled) return Fail(Failure{"", "cancelled", ""});
        messages += end->output;
        if (end->leftOut > 0) messages += fmt::format("\n... and {} more bytes\n", end->leftOut);
        if (end->exitCode == kCannotConfine) {
            return Fail(Failure{path_, "is not run: " + end->output.substr(0, end->output.find('\n')), kWhatConfines});
        }
        if (end->tooSlow) messages += fmt::format("the compiler was ended after {} s\n", kPatience.count());
        if (end->signal != 0 && !end->tooSlow) {
            messages += fmt::format("the compiler was ended by signal {}\n", end->signal);
        }
        return end->exitCode == 0;
    }

private:
    // A compiler of its own place brings its files along: /opt/gcc-14/bin/gcc.
    std::string OwnFolder() const {
        std::error_code error;
        const fs::path real = fs::canonical(path_, error);
        if (error) return {};
        const fs::path prefix = real.parent_path().parent_path();
        return prefix == "/" || prefix == "/usr" ? "" : prefix.string();
    }

    const Staging& staging_;
    std::string host_, path_;
    const BuildOptions& options_;
};

// Clang leaves out what names the lines of an address, unless it is asked.
bool IsClang(const std::string& path) {
    std::error_code error;
    return fs::canonical(path, error).filename().string().find("clang") != std::string::npos;
}

std::vector<std::string> Common(const Staging& staging, const std::string& compiler, const BuildOptions& options) {
    std::vector<std::string> flags = {"-x",
                                      "c",
                                      "-std=gnu17",
                                      "-O2",
                                      "-g",
                                      "-fPIC",
                                      "-fno-omit-frame-pointer",
                                      "-DDRIVER",
                                      "-I" + staging.Folder("source"),
                                      "-I" + staging.Folder("support"),
                                      "-fdebug-prefix-map=" + staging.Folder("source") + "=."};
    if (IsClang(compiler)) flags.emplace_back("-gdwarf-aranges");
    flags.insert(flags.end(), options.flags.begin(), options.flags.end());
    return flags;
}

Outcome<void> WriteSupport(const Staging& staging) {
    const std::pair<const char*, std::string> files[] = {{"memlib.h", MemlibHeader()},
                                                         {"mm.h", MmHeader(staging.Text())},
                                                         {"contracts.h", ContractsHeader()},
                                                         {"allocator_interface.h", MitHeader()},
                                                         {"residue_lab_memlib.c", MemlibSource()}};
    for (const auto& [name, text] : files) {
        if (auto written = staging.Write("support", name, text); !written) return written;
    }
    return {};
}

bool Mentions(const std::string& text, const char* word) {
    return std::regex_search(text, std::regex(std::string("\\b") + word + "\\b"));
}

// The alignment that the course's config.h asks for.
std::optional<std::uint64_t> AlignmentOf(const Staging& staging) {
    if (!staging.Has("config.h")) return std::nullopt;
    const std::string text = ReadWhole(staging.Folder("source") + "/config.h");
    static const std::regex define(R"(#[ \t]{0,8}define[ \t]{1,32}ALIGNMENT[ \t]{1,32}\(?(\d{1,4})\b)");
    std::smatch match;
    if (!std::regex_search(text, match, define)) return std::nullopt;
    return ParseWhole(match[1].str());
}

Course Guess(const Staging& staging) {
    Course course;
    const bool mit = !Mentions(staging.Text(), "mm_init") && Mentions(staging.Text(), "my_init");
    if (mit) {
        course.generation = 'M';
        course.api = Api::Mit;
    } else if (Mentions(staging.Text(), "DRIVER")) {
        course.generation = 'B';
    }
    return course;
}

// Asks the compiler how the student's code declares what the host calls and what memlib is called by.
Outcome<bool> Probe(const Compiler& compiler, const Staging& staging, std::vector<std::string> flags, Course& course,
                    std::string& messages) {
    const std::string output = staging.Folder("build") + "/probe.s";
    const std::string text = staging.Text() + ProbeText(course.api == Api::Mit);
    if (auto written = staging.Write("source", kProbe, text); !written) return Fail(written.error());
    flags.insert(flags.end(), {"-w", "-O0", "-g0", "-S", "-o", output, kProbe});
    std::string ignored;
    auto fine = compiler.Run(flags, ignored);
    if (!fine) return fine;
    const std::string answers = *fine ? ReadWhole(output) : "";
    const auto says = [&](const char* answer) { return answers.find(answer) != std::string::npos; };
    if (!says(kInitIsInt) && !says(kInitIsBool)) {
        const char* const init = course.api == Api::Mit ? "my_init" : "mm_init";
        messages += fmt::format("{}: error: {} is not there, or neither `int {}(void)` nor `bool {}(void)`\n",
                                staging.Source(), init, init, init);
        return false;
    }
    if (says(kInitIsBool) && course.api != Api::Mit) {
        course.api = Api::MmBool;
        course.generation = 'C';
    }
    course.sbrkTakesInt = says(kSbrkTakesInt);
    constexpr std::uint64_t kUsual = 8, kOfC = 16;
    course.alignment = course.generation == 'C' ? kOfC : kUsual;
    if (const auto asked = AlignmentOf(staging); asked && *asked != 0) course.alignment = *asked;
    return true;
}

}  // namespace

const char* NameOf(char generation) {
    switch (generation) {
        case 'A': return "malloc lab, 2002 generation";
        case 'B': return "malloc lab, 2004 generation";
        case 'C': return "malloc lab, 2016 generation";
        default: return "MIT 6.172";
    }
}

void PassOnWithout(std::vector<std::string>& environment) {
    if (const char* const without = std::getenv("RESIDUE_LAB_WITHOUT")) {
        environment.push_back(std::string("RESIDUE_LAB_WITHOUT=") + without);
    }
}

bool HasLandlock() {
    constexpr long kCreateRuleset = 444;  // the same on all machines
    constexpr unsigned kAskVersion = 1;
    return ::syscall(kCreateRuleset, nullptr, 0, kAskVersion) >= 1;
}

Outcome<std::string> FindBeside(const std::string& program, const std::string& missing) {
    std::error_code error;
    const fs::path own = fs::read_symlink("/proc/self/exe", error).parent_path();
    for (const std::string& place : {program, "../lib/residue/" + program}) {
        const fs::path found = own / place;
        if (!error && fs::exists(found, error)) return fs::weakly_canonical(found, error).string();
    }
    return Fail(Failure{(own / program).string(), missing, "it lies beside residue"});
}

Outcome<std::string> FindHost() {
    return FindBeside("residue-lab-host", "what runs students' code is not there");
}

Outcome<Built> Build(const std::string& student, const BuildOptions& options) {
    auto host = FindHost();
    if (!host) return Fail(host.error());
    auto path = FindCompiler(options.compiler);
    if (!path) return Fail(path.error());
    auto staging = Staging::Make(student);
    if (!staging) return Fail(staging.error());
    if (auto written = WriteSupport(*staging); !written) return Fail(written.error());

    Built built{std::move(*staging), false, {}, {}, {}, *path, {}};
    built.source = built.staging.Source();
    built.course = Guess(built.staging);
    const Staging& files = built.staging;
    const Compiler compiler(files, *host, fs::absolute(*path).string(), options);
    const std::vector<std::string> common = Common(files, *path, options);
    const std::string object = files.Folder("build") + "/student.o", memlib = files.Folder("build") + "/memlib.o";
    built.library = files.Folder("build") + "/student.so";

    const auto with = [](std::vector<std::string> flags, std::initializer_list<std::string> more) {
        flags.insert(flags.end(), more);
        return flags;
    };
    const std::string source = (files.Source().starts_with("-") ? "./" : "") + files.Source();
    auto fine = compiler.Run(with(common, {"-c", "-o", object, source}), built.messages);
    if (!fine) return Fail(fine.error());
    if (*fine) fine = Probe(compiler, files, common, built.course, built.messages);
    if (!fine) return Fail(fine.error());
    if (*fine) {
        const std::string sbrk = built.course.sbrkTakesInt ? "-DRESIDUE_SBRK=int" : "-DRESIDUE_SBRK=long";
        const std::string names = built.course.api == Api::Mit ? "-DRESIDUE_MIT" : "-DRESIDUE_MM";
        fine = compiler.Run({"-O2", "-fPIC", "-fno-omit-frame-pointer", sbrk, names, "-c", "-o", memlib,
                             files.Folder("support") + "/residue_lab_memlib.c"},
                            built.messages);
    }
    if (!fine) return Fail(fine.error());
    if (*fine) {
        fine = compiler.Run(
            {"-shared", "-nostartfiles", "-Wl,-Bsymbolic", "-Wl,--no-undefined", "-Wl,-init,residue_lab_enter",
             "-Wl,-z,now", "-Wl,-z,noexecstack", "-o", built.library, object, memlib, "-lm"},
            built.messages);
    }
    if (!fine) return Fail(fine.error());
    built.fine = *fine;
    return built;
}

}  // namespace residue::lab
