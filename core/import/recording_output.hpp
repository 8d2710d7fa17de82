// Where a reader of recordings puts its events: batches on their way to the appender, and warnings that name a line of
// the file, those of the appender included. Internal to import/.
//
//     Event& event = output.Add(EventKind::Allocated, line);    // allocator 1; what else it is, the reader fills in
//     event.address = ...;
//
// Cost: some 5 ns an event beside the appender's. Memory: one batch.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "import/recording.hpp"
#include "import/warning_list.hpp"
#include "log/appender.hpp"

namespace residue::import {

class RecordingOutput {
public:
    RecordingOutput(const std::string& name, log::EventLog& log);
    RecordingOutput(const RecordingOutput&) = delete;
    RecordingOutput& operator=(const RecordingOutput&) = delete;

    log::EventLog& Log() { return log_; }
    // What is known of the recording; may be said again when more is known.
    log::SourceInfo& Source() { return source_; }
    void TellSource() { log_.SetSource(source_); }
    std::string& Format() { return summary_.format; }

    // An event of the line, zero but for its kind, its allocator (1) and its stamp (the number of events before it),
    // good until the next call.
    [[gnu::always_inline]] events::Event& Add(events::EventKind kind, std::uint64_t line) {
        if (pending_ == mostPending_) Flush();
        lines_[pending_] = line;
        events::Event& event = events_[pending_++];
        event = {};
        event.kind = kind;
        event.allocator = AllocatorId{1};
        event.stamp = added_++;
        return event;
    }
    void AddWithText(const events::Event& event, std::string_view text, std::uint64_t line);
    // The allocator whose blocks are told of.
    void CreateAllocator(AllocatorId id, std::string_view name, std::uint64_t line);

    // Events wait until there are that many, or until Flush(). Before the first one.
    void SetMostPending(std::size_t count);
    std::span<events::Event> Pending() { return {events_.get(), pending_}; }
    void Flush();

    // `text()` is called only when there is room. Line 0: about the file as a whole.
    template <class MakeText>
    void Warn(std::uint64_t line, MakeText&& text) {
        warnings_.Add(line, std::forward<MakeText>(text));
    }
    // A line that is none of the format's; the first ones are told, the rest is counted.
    void WarnOfLine(std::uint64_t line, std::string_view text, const char* expected);
    // At the end, once.
    RecordingSummary Finish();

private:
    struct Trouble {
        std::uint64_t events = 0;  // that the appender warned of
        std::uint64_t frees = 0;   // of blocks that are not there
    };
    Trouble Counted() const;
    void TellTrouble(std::uint64_t firstRecord, std::span<const std::uint64_t> lines, Row firstRow);

    std::string name_;
    log::EventLog& log_;
    log::Appender appender_;
    log::SourceInfo source_;
    RecordingSummary summary_;
    WarningList warnings_;
    std::unique_ptr<events::Event[]> events_;
    std::unique_ptr<std::uint64_t[]> lines_;  // of the events that are pending
    std::size_t mostPending_ = 0;
    std::size_t pending_ = 0;
    std::uint64_t added_ = 0;     // by Add
    std::uint64_t appended_ = 0;  // records
    std::size_t told_ = 0;        // of the appender's warnings
    std::uint64_t oddLines_ = 0;
    std::uint64_t firstBadFree_ = 0;  // its line
    Trouble seen_;
};

}  // namespace residue::import
