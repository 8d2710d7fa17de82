// Arguments that several commands share. What is wrong is collected, so that the user reads all of it at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "log/failure.hpp"
#include "session/session.hpp"

namespace CLI {
class App;
}

namespace residue::cli {

// Whether the command goes on, and if not, with which exit code.
struct Parsed {
    bool goOn = true;
    int exitCode = 0;
};

// Parses with CLI11. `--help` prints and ends with 0; what CLI11 cannot read (a flag without its value) ends with 2;
// what is unknown is added to `failures`.
Parsed Parse(CLI::App& app, const std::vector<std::string>& arguments, std::vector<Failure>& failures);

// --allocator, --capacity and --fork, and --symbols.
struct ReplayArguments {
    std::string allocator;  // empty: not given
    std::string capacity;
    std::string fork;
    std::string symbols;
    void AddTo(CLI::App& app);
    session::OpenOptions Check(std::vector<Failure>& failures) const;
};

// A file that can be read: there, no directory, not empty, readable. `what` names the argument: "FILE".
void CheckReadable(const std::string& path, const char* what, std::vector<Failure>& failures);

}  // namespace residue::cli
