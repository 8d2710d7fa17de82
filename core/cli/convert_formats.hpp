// The formats that `residue convert` writes: what they are called, which flags they heed, who writes them. A new one
// costs a row in Formats() and its writer in export/.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "analysis/profile.hpp"
#include "cli/filter_arguments.hpp"
#include "export/trace_writer.hpp"
#include "log/failure.hpp"
#include "session/session.hpp"

namespace residue::cli {

// Groups of flags.
enum class Takes : std::uint8_t {
    Nothing = 0,
    Balanced = 1,  // --balanced
    Sampling = 2,  // --every, --rows
    Profile = 4,   // --at, --range and the filters
    Measure = 8,   // --by
};
constexpr Takes operator|(Takes a, Takes b) {
    return static_cast<Takes>(std::uint8_t(a) | std::uint8_t(b));
}
constexpr bool Heeds(Takes all, Takes one) {
    return (std::uint8_t(all) & std::uint8_t(one)) != 0;
}

struct ConvertRequest {
    std::string in;
    std::string out;
    bool balanced = false;
    std::uint64_t every = 0, rows = 0;  // 0: not given
    analysis::SiteMeasure measure = analysis::SiteMeasure::PeakBytes;
    ProfileRequest profile;
    session::OpenOptions replay;
};

// What a writer works with.
struct ConvertWork {
    const ConvertRequest& request;
    session::Session& session;  // loaded, and the writer's alone
    const exports::WriteExtras& extras;
    std::string hidden;  // written by it: what its filter left out
};

struct Format {
    const char* name;     // as --to takes it
    const char* endings;  // of OUT, with a blank between them
    Takes takes;
    const char* unit;     // what is counted
    const char* leftOut;  // what happens to what the format has no room for
    Outcome<void> (*write)(ConvertWork& work);
};

std::span<const Format> Formats();
// Null: no such format. FormatOf takes a path.
const Format* FormatNamed(const std::string& name);
const Format* FormatOf(const std::string& path);
// ".rep, .script, ... or .residue"; those that heed a group of flags.
std::string Endings(Takes takes = Takes::Nothing);
std::string FormatNames();

// cli/convert_html.cpp
Outcome<void> WriteHtml(ConvertWork& work);

}  // namespace residue::cli
