#include "import/recording_output.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "import/text_scanner.hpp"

namespace residue::import {
namespace {

using events::Event;
using events::EventFlag;
using events::EventKind;

constexpr std::uint64_t kOddLinesTold = 20;
constexpr std::size_t kBatch = 512;  // 32 KiB: they are read again while they are in the cache

}  // namespace

RecordingOutput::RecordingOutput(const std::string& name, log::EventLog& log)
    : name_(name),
      log_(log),
      appender_(log),
      warnings_(name) {
    SetMostPending(kBatch);
    source_.name = name.substr(name.rfind('/') + 1);
    source_.provenance = "recorded";
    TellSource();
}

void RecordingOutput::SetMostPending(std::size_t count) {
    events_ = std::make_unique_for_overwrite<Event[]>(count);
    lines_ = std::make_unique_for_overwrite<std::uint64_t[]>(count);
    mostPending_ = count;
}

RecordingOutput::Trouble RecordingOutput::Counted() const {
    const log::Appender::Totals& totals = appender_.Counted();
    return {totals.inferredFrees + totals.leftOut + totals.dropped, totals.rewrittenFrees};
}

void RecordingOutput::Flush() {
    if (pending_ == 0) return;
    const std::size_t count = std::exchange(pending_, 0);
    const Row firstRow = seen_.frees == 0 ? log_.View().Rows() : Row{};
    appender_.Append(events_.get(), count);
    TellTrouble(appended_ + 1, {lines_.get(), count}, firstRow);
    appended_ += count;
    summary_.events += count;
}

void RecordingOutput::AddWithText(const Event& event, std::string_view text, std::uint64_t line) {
    Flush();
    const Row firstRow = seen_.frees == 0 ? log_.View().Rows() : Row{};
    appender_.Append(event, text);
    TellTrouble(appended_ + 1, {&line, 1}, firstRow);
    ++appended_;
    ++summary_.events;
}

void RecordingOutput::CreateAllocator(AllocatorId id, std::string_view name, std::uint64_t line) {
    Event event = Add(EventKind::AllocatorCreated, line);
    --pending_;
    event.allocator = id;
    AddWithText(event, name, line);
}

// The appender names events by their number; here that becomes a line.
void RecordingOutput::TellTrouble(std::uint64_t firstRecord, std::span<const std::uint64_t> lines, Row firstRow) {
    const Trouble now = Counted();
    if (now.events != seen_.events && told_ < WarningList::kMost) {
        const std::vector<Warning> all = appender_.Warnings();
        for (; told_ < all.size() && told_ < WarningList::kMost; ++told_) {
            const Warning& warning = all[told_];
            const std::uint64_t record = std::strtoull(warning.where.c_str() + sizeof("event ") - 1, nullptr, 10);
            const bool known = record >= firstRecord && record - firstRecord < lines.size();
            Warn(known ? lines[record - firstRecord] : 0, [&] { return warning.text; });
        }
    }
    if (now.frees != seen_.frees && seen_.frees == 0) {
        // Each record is a row; those that the appender put in are beside them.
        const log::LogView view = log_.View();
        std::size_t index = 0;
        for (Row row = firstRow; row < view.Rows() && index < lines.size(); ++row) {
            const Event event = view.At(row).event;
            if (event.Has(EventFlag::Inferred)) continue;
            firstBadFree_ = lines[index++];
            if (event.kind == EventKind::FreeFailed) break;
        }
    }
    seen_ = now;
}

void RecordingOutput::WarnOfLine(std::uint64_t line, std::string_view text, const char* expected) {
    if (++oddLines_ > kOddLinesTold) return;
    Warn(line, [&] { return fmt::format("'{}' is left out (expected {})", Shown(text), expected); });
}

RecordingSummary RecordingOutput::Finish() {
    Flush();
    appender_.Flush();
    if (seen_.frees != 0) {
        Warn(firstBadFree_, [&] {
            return fmt::format("{} of an address that is no live block, here {}: it is a bad free, or its allocation "
                               "is not in the recording",
                               seen_.frees == 1 ? "a free" : fmt::format("{} frees", seen_.frees),
                               seen_.frees == 1 ? "only" : "first");
        });
    }
    if (oddLines_ > kOddLinesTold) {
        Warn(0, [&] { return fmt::format("{} more lines were left out", oddLines_ - kOddLinesTold); });
    }
    const log::Appender::Totals& totals = appender_.Counted();
    if (totals.inferredFrees + totals.leftOut > WarningList::kMost) {
        Warn(0, [&] {
            return fmt::format("in all {} blocks were allocated over live ones, {} events were left out",
                               totals.inferredFrees, totals.leftOut);
        });
    }
    summary_.warnings = warnings_.All();
    TellSource();
    log_.Close();
    return std::move(summary_);
}

}  // namespace residue::import
