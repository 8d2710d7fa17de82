#include "lab/problem_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "export/text.hpp"
#include "lab/trace.hpp"

namespace residue::lab {
namespace {

constexpr std::size_t kMostCalls = 12;  // frames; a stack overflow has many alike

}  // namespace

std::string FrameText(const symbols::Frame& frame) {
    if (frame.file.empty()) return frame.function;
    return fmt::format("{} ({}:{})", frame.function, frame.file, frame.line);
}

std::string ProblemText(std::size_t trace, const Problem& problem) {
    std::string text = problem.op
                           ? fmt::format("ERROR [trace {}, line {}]: ", trace, LabTrace::LineOf(*problem.op))
                           : fmt::format("ERROR [trace {}]: ", trace);
    text += exports::TerminalText(problem.message) + "\n";
    if (!problem.pass.empty()) text += "    pass: " + problem.pass + "\n";
    if (!problem.hint.empty()) text += "    " + problem.hint + "\n";
    for (std::size_t i = 0; i < std::min(problem.calls.size(), kMostCalls); ++i) {
        text += (i == 0 ? "    at " : "    called by ") + FrameText(problem.calls[i]) + "\n";
    }
    if (problem.calls.size() > kMostCalls) text += fmt::format("    ... {} more\n", problem.calls.size() - kMostCalls);
    return text;
}

}  // namespace residue::lab
