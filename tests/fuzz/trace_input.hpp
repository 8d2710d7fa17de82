// Reads bytes as a trace, as the figures and the replay do, and requires what must hold of any file.
#pragma once

#include <string>
#include <string_view>

#include "fuzz/fuzz.hpp"
#include "import/trace.hpp"

namespace residue::fuzz {

inline void ReadTrace(const std::string& name, std::string_view bytes) {
    auto reader = import::OpenTraceBytes(name, bytes);
    if (!reader) {
        Require(!reader.error().what.empty() && !reader.error().where.empty());
        return;
    }
    import::TraceFigures figures;
    import::IdTable ids((*reader)->Header().unknownIdIsNull);
    import::Operation operation;
    std::uint64_t line = 1;
    bool failed = false;
    for (;;) {
        const auto more = (*reader)->Next(operation);
        failed = !more;
        if (!more || !*more) break;
        Require(operation.line >= line);
        line = operation.line;
        std::uint64_t oldSize = 0;
        import::Count(operation, ids.Apply(operation, oldSize), oldSize, figures);
        Require(figures.overflowed || figures.liveBytes <= figures.peakLiveBytes);
        Require(figures.liveBlocks == figures.allocations - figures.frees);
    }
    Require(figures.peakPosition <= figures.operations);
    Require(figures.allocations + figures.frees + figures.resizes + figures.badFrees <= figures.operations);
    std::uint64_t named = 0;
    ids.VisitLive([&](std::int64_t, std::uint64_t) { ++named; });
    Require(named <= figures.liveBlocks);
    const auto warnings = (*reader)->Warnings();
    Require(warnings.size() <= 1001);
    for (const auto& warning : warnings) Require(warning.text.size() < 400);
    if (failed) return;
    // The end stays the end.
    const auto again = (*reader)->Next(operation);
    Require(again && !*again);
    Require((*reader)->Progress() == 1.0);
}

}  // namespace residue::fuzz
