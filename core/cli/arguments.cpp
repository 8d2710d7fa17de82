#include "cli/arguments.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>

#include "alloc/registry.hpp"
#include "base/parse_size.hpp"
#include "cli/console.hpp"

namespace residue::cli {

Parsed Parse(CLI::App& app, const std::vector<std::string>& arguments, std::vector<Failure>& failures) {
    app.allow_extras();
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them last first
    } catch (const CLI::CallForHelp&) {
        return {false, Print(app.help())};
    } catch (const CLI::ParseError& error) {
        std::string what = error.what();
        if (const auto end = what.find_first_of("\r\n"); end != std::string::npos) what.resize(end);
        return {false, Complain({"", what + "; see `" + app.get_name() + " --help`", ""})};
    }
    for (const std::string& extra : app.remaining()) {
        if (extra == "--") continue;
        const char* kind = extra.starts_with("-") ? "unknown option '" : "one argument too many: '";
        failures.push_back({"", kind + extra + "'; see `" + app.get_name() + " --help`", ""});
    }
    return {};
}

void ReplayArguments::AddTo(CLI::App& app) {
    std::string names;
    for (const alloc::Registration& entry : alloc::Registry())
        names += (names.empty() ? "" : ", ") + std::string(entry.name);
    app.add_option("--allocator", allocator, "for traces of ids and sizes: replay through this one of " + names)
        ->type_name("A");
    app.add_option("--capacity", capacity, "its bytes (64K, 10M, ...), or 'auto': its heap grows as needed")
        ->type_name("N|auto");
    app.add_option("--fork", fork,
                   "for traces and recordings: go on from a position on with another allocator, as in "
                   "500:best-fit, or 500:tlsf:64K with a capacity")
        ->type_name("N:A[:N]");
    app.add_option("--symbols", symbols, "for event streams: the program (ELF) that names the call traces' addresses")
        ->type_name("PROGRAM");
}

session::OpenOptions ReplayArguments::Check(std::vector<Failure>& failures) const {
    session::OpenOptions options;
    if (!allocator.empty()) options.allocator = allocator;
    if (alloc::FindRegistration(options.allocator) == nullptr) {
        std::string names;
        for (const alloc::Registration& entry : alloc::Registry()) {
            names += (names.empty() ? "" : ", ") + std::string(entry.name);
        }
        failures.push_back({"--allocator", "unknown allocator '" + allocator + "'", names});
    }
    if (!fork.empty()) {
        if (auto parsed = replay::ParseFork(fork, "--fork")) options.fork = *parsed;
        else failures.push_back(parsed.error());
    }
    if (!symbols.empty()) {
        CheckReadable(symbols, "--symbols", failures);
        options.symbols = symbols;
    }
    if (!capacity.empty() && capacity != "auto") {
        options.capacity = ParseBytes(capacity);
        if (!options.capacity || *options.capacity == 0) {
            failures.push_back(
                {"--capacity", "'" + capacity + "' is no number of bytes", "4096, 64K, 10M, 2G or auto"});
        }
    }
    return options;
}

void CheckReadable(const std::string& path, const char* what, std::vector<Failure>& failures) {
    struct stat info {};
    if (path.empty()) {
        failures.push_back({what, "is missing", "a trace (.rep, .script) or a recording (.residue, heaptrack's, ...)"});
    } else if (stat(path.c_str(), &info) != 0) {
        failures.push_back({path, std::strerror(errno), "a file"});
    } else if (S_ISDIR(info.st_mode)) {
        failures.push_back({path, "is a directory", "a file"});
    } else if (access(path.c_str(), R_OK) != 0) {
        failures.push_back({path, std::strerror(errno), "a file that can be read"});
    }
}

}  // namespace residue::cli
