// Where the reader's parts put what they find wrong. Keeps at most kMostDiagnostics, then one that says there are more;
// a second error at the same place is a consequence of the first and left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenario/detail/location.hpp"
#include "scenario/diagnostic.hpp"
#include "scenario/program.hpp"

namespace residue::scenario::detail {

inline constexpr std::size_t kMostDiagnostics = 200;

class Messages {
public:
    explicit Messages(const std::vector<SourceFile>& files) : files_(files) {}

    Diagnostic& Error(const Location& at, std::string message, std::string expected = {}, std::string hint = {});
    Diagnostic& Warn(const Location& at, std::string message, std::string expected = {}, std::string hint = {});
    bool HasErrors() const { return errors_ != 0; }
    bool IsFull() const { return all_.size() >= kMostDiagnostics; }
    std::vector<Diagnostic> Take();  // by file, line and column

private:
    Diagnostic& Add(Severity severity, const Location& at, std::string message, std::string expected, std::string hint);

    const std::vector<SourceFile>& files_;
    std::vector<Diagnostic> all_;
    std::vector<std::uint32_t> fileOf_;
    Diagnostic leftOut_;  // written to and never shown
    std::size_t errors_ = 0;
    std::size_t more_ = 0;
};

// A place with its file's name.
Place PlaceOf(const std::vector<SourceFile>& files, const Location& at);
// The text of a line, without its end.
std::string LineOf(const std::vector<SourceFile>& files, const Location& at);
// For a message: at most 40 bytes, bytes that are not printable as '?'.
std::string Shown(std::string_view text);

}  // namespace residue::scenario::detail
