// A scenario as it was read: what a run needs, and what panels want to know of it without running it.
//
//     Parsed parsed = ParseFile("scenarios/leaks.iridis");            // or Parse(name, text, loader) from an editor
//     if (!parsed.program) return Render(parsed.diagnostics);
//     parsed.program->Title();
//
// Any bytes may be given: what is not a scenario is told as diagnostics, all of a file in one go. Reading costs some
// milliseconds for a file of a thousand lines.
// Thread safety: a Program never changes; any number of threads may read and run the same one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "log/failure.hpp"
#include "scenario/diagnostic.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::scenario {

inline constexpr std::size_t kMostSourceBytes = std::size_t{1} << 20;  // of one file
inline constexpr std::size_t kMostFiles = 64;                          // of one program, imports included

struct SourceFile {
    std::string name;  // as given to Parse, imports as the path that was loaded
    std::string text;
};

// A `///` comment and the statement (or declaration) it belongs to.
struct Narration {
    Place place;       // of the statement: its Step event has the same file and line
    std::string text;  // without the slashes; lines of one block are kept as lines
};

// An `#[expect(...)]`, one for each part between its commas.
struct Expectation {
    Place place;       // of the part as written
    Place statement;   // of what it stands on
    std::string text;  // "error = .DoubleFree"
};

namespace detail {
struct ProgramData;  // the tree: scenario/detail
}

class Program {
public:
    explicit Program(std::unique_ptr<const detail::ProgramData> data);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    // The first line of the introduction; where there is none, the file's name without folder and ending.
    const std::string& Title() const;
    bool HasTitle() const;                             // it has an introduction
    const std::string& Introduction() const;           // the `///` block at the top of the file, without its first line
    const std::vector<SourceFile>& Files() const;      // [0]: the scenario itself; then what it imports
    const std::vector<Narration>& Narrations() const;  // in order of file and line, the introduction left out
    const std::vector<Place>& Predicts() const;        // statements with #[predict]
    const std::vector<Place>& Breaks() const;          // statements with #[break]
    const std::vector<Expectation>& Expectations() const;
    // Every line on which a statement begins, ascending: where execution can stop.
    const std::vector<std::uint32_t>& StatementLines(std::size_t file) const;

    const detail::ProgramData& Data() const { return *data_; }

private:
    std::unique_ptr<const detail::ProgramData> data_;
};

struct Parsed {
    std::shared_ptr<const Program> program;  // null where there was an error
    std::vector<Diagnostic> diagnostics;     // errors and warnings, by file, line and column
    std::vector<std::string> files;  // every file that was looked at, broken ones too: what to watch for changes
};

// Gives the text of an imported file. `path` is the import's own, joined to the folder of the importing file and
// without
// "." and "..". A failure becomes an error at the import.
using Loader = std::function<Outcome<std::string>(const std::string& path)>;

// Without a loader nothing can be imported but the modules of the standard library.
Parsed Parse(std::string name, std::string text, const Loader& loader = {});

// From the disk, imports too. A file that cannot be read, or is larger than kMostSourceBytes, is an error at line 0.
Parsed ParseFile(const std::string& path);
Outcome<std::string> LoadFromDisk(const std::string& path);

// Names for the frames of a run's call traces (scenario/run.hpp): what EventLog::SetSymbolizer takes. Keeps the
// program.
std::shared_ptr<symbols::Symbolizer> FrameNames(std::shared_ptr<const Program> program);

}  // namespace residue::scenario
