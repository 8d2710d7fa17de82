// Reading recordings in tests: what was read, its figures, and all of it as text.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "import/recording.hpp"
#include "log/events.hpp"
#include "support/catch.hpp"

namespace residue::import {

struct Recorded {
    log::EventLog log;
    Outcome<RecordingSummary> summary;
    explicit Recorded(std::string_view bytes) : summary(ReadRecordingBytes("f", bytes, log)) {}
    explicit Recorded(const std::string& path, int) : summary(ReadRecording(path, log)) {}

    // "where: text" of each warning, a line each; or why it could not be read.
    std::string Warnings() const {
        if (!summary) return summary.error().Text();
        std::string all;
        for (const Warning& warning : summary->warnings) all += warning.where + ": " + warning.text + "\n";
        return all;
    }
};

struct LogTotals {
    std::uint64_t allocations = 0, frees = 0, resizes = 0, failed = 0, badFrees = 0;
    std::uint64_t liveBytes = 0, liveBlocks = 0, peakBytes = 0, allocatedBytes = 0;
    friend bool operator==(const LogTotals&, const LogTotals&) = default;
};

// By a fold of its own over the log.
inline LogTotals TotalsOf(const log::LogView& log) {
    using events::EventKind;
    LogTotals totals;
    std::map<std::uint32_t, std::uint64_t> live;
    const auto born = [&](const log::LoggedEvent& row) {
        live[row.block.value] = row.event.size;
        totals.liveBytes += row.event.size;
        totals.allocatedBytes += row.event.size;
    };
    const auto died = [&](BlockId block) {
        totals.liveBytes -= live[block.value];
        live.erase(block.value);
    };
    for (Row row{}; row < log.Rows(); ++row) {
        const log::LoggedEvent logged = log.At(row);
        switch (logged.event.kind) {
            case EventKind::Allocated: ++totals.allocations, born(logged); break;
            case EventKind::Freed: ++totals.frees, died(logged.block); break;
            case EventKind::FreeFailed: ++totals.badFrees; break;
            case EventKind::AllocateFailed: ++totals.failed; break;
            case EventKind::ResizeEnds:
                if (logged.event.Failed()) {
                    ++totals.failed;
                    break;
                }
                ++totals.resizes;
                died(logged.oldBlock);
                born(logged);
                break;
            default: break;
        }
        totals.peakBytes = std::max(totals.peakBytes, totals.liveBytes);
    }
    totals.liveBlocks = live.size();
    return totals;
}

// A line each row: kind, what it concerns, and the frames of its call trace (by name, or as addresses).
inline std::string LogText(const log::LogView& log, bool names = true) {
    std::string all;
    for (Row row{}; row < log.Rows(); ++row) {
        const events::Event event = log.At(row).event;
        char line[256];
        std::snprintf(line, sizeof line, "%llu %s %#llx %llu", static_cast<unsigned long long>(event.stamp),
                      events::Info(event.kind).text, static_cast<unsigned long long>(event.address),
                      static_cast<unsigned long long>(event.size));
        all += line;
        if (event.kind == events::EventKind::ResizeEnds && !event.Failed()) {
            std::snprintf(line, sizeof line, " from %#llx", static_cast<unsigned long long>(event.argument));
            all += line;
        }
        if (event.allocator.value != 1) all += " of " + std::to_string(event.allocator.value);
        if (event.thread) all += " by " + std::to_string(event.thread.value);
        if (event.alignmentLog2 != 0) all += " aligned to " + std::to_string(std::uint64_t{1} << event.alignmentLog2);
        if (event.Has(events::EventFlag::Inferred)) all += " inferred";
        if (const auto text = log.Text(row); !text.empty()) all += " '" + std::string(text) + "'";
        for (TraceId trace = event.trace; trace; trace = log.ParentTrace(trace)) {
            const log::Frame frame = log.TopFrame(trace);
            std::snprintf(line, sizeof line, "%#llx", static_cast<unsigned long long>(log.FrameAddress(trace)));
            all += " < " + (names ? frame.function : line);
            if (names && frame.line != 0) all += ":" + std::to_string(frame.line);
        }
        all += "\n";
    }
    return all;
}

}  // namespace residue::import
