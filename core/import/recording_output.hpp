// Where a reader of recordings puts its events: batches on their way to the appender, and warnings that name a line of
// the file, those of the appender included. Internal to import/.
//
//     Event& event = output.Add(EventKind::Allocated, line);    // allocator 1; what else it is, the reader fills in
//     event.address = ...;
//
// From some 100,000 events on, a thread appends one batch while the next ones are read. Then two threads write to the
// log: that one its events, the reader its call traces, which nothing else touches; a batch is handed over with all
// traces that its events have. What comes out does not depend on it.
//
// Cost: some 5 ns an event beside the appender's. Memory: three batches.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "import/recording.hpp"
#include "log/appender.hpp"

namespace residue::import {

class RecordingOutput {
public:
    RecordingOutput(const std::string& name, log::EventLog& log);
    ~RecordingOutput();
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
        if (filling_->count == mostPending_) [[unlikely]] Flush();
        Batch& batch = *filling_;
        batch.lines[batch.count] = line;
        events::Event& event = batch.events[batch.count++];
        event = {};
        event.kind = kind;
        event.allocator = AllocatorId{1};
        event.stamp = added_++;
        return event;
    }
    // For readers that know which block an event concerns: blocks are numbered from 1 on as they are born, and all
    // events but those with a text are told so, of allocator 1. No line is kept: there is nothing to warn of.
    [[gnu::always_inline]] void AddKnown(const log::KnownCall& call) {
        if (filling_->calls == nullptr) [[unlikely]] MakeRoomForCalls();
        if (filling_->count == mostPending_) [[unlikely]] Flush();
        filling_->calls[filling_->count++] = call;
        ++added_;
    }
    void AddWithText(const events::Event& event, std::string_view text, std::uint64_t line);
    // The allocator whose blocks are told of.
    void CreateAllocator(AllocatorId id, std::string_view name, std::uint64_t line);

    // Events wait until there are that many, or until Flush(). Before the first one.
    void SetMostPending(std::size_t count);
    // visit(stamp) for each, in order.
    template <class Visit>
    void VisitPendingStamps(Visit visit) {
        const Batch& batch = *filling_;
        for (std::size_t i = 0; i < batch.count; ++i) visit(batch.calls ? batch.calls[i].stamp : batch.events[i].stamp);
    }
    std::size_t Pending() const { return filling_->count; }
    void Flush();

    // `text()` is called only when there is room. Line 0: about the file as a whole.
    template <class MakeText>
    void Warn(std::uint64_t line, MakeText&& text) {
        ofReader_.Add(line, std::forward<MakeText>(text));
    }
    // A line that is none of the format's; the first ones are told, the rest is counted.
    void WarnOfLine(std::uint64_t line, std::string_view text, const char* expected);
    // At the end, once. Where there were more than 1,000 warnings the last one counts the rest.
    RecordingSummary Finish();

private:
    struct Batch {
        std::unique_ptr<events::Event[]> events;
        std::unique_ptr<std::uint64_t[]> lines;
        std::unique_ptr<log::KnownCall[]> calls;  // instead of events, once there is room for them
        std::size_t count = 0;
    };
    struct LineWarning {
        std::uint64_t line;
        std::string text;
    };
    // The first ones, and how many more there were.
    struct LineWarnings {
        static constexpr std::size_t kMost = 1000;
        std::vector<LineWarning> all;
        std::uint64_t more = 0;

        template <class MakeText>
        void Add(std::uint64_t line, MakeText&& text) {
            if (all.size() == kMost) {
                ++more;
            } else {
                all.push_back({line, text()});
            }
        }
    };
    struct Trouble {
        std::uint64_t events = 0;  // that the appender warned of
        std::uint64_t frees = 0;   // of blocks that are not there
    };
    static constexpr std::size_t kBatches = 3;

    void MakeRoomForCalls();
    void Append(const Batch& batch);
    Trouble Counted() const;
    void TellTrouble(std::uint64_t firstRecord, std::span<const std::uint64_t> lines, Row firstRow);
    void StartThread();
    void StopThread();
    void Drain();
    void AppendBatches() noexcept;
    std::vector<Warning> AllWarnings();

    std::string name_;
    log::EventLog& log_;
    log::SourceInfo source_;
    RecordingSummary summary_;
    std::size_t mostPending_ = 0;
    Batch* filling_ = nullptr;
    std::uint64_t added_ = 0;     // by Add
    std::uint64_t oddLines_ = 0;
    LineWarnings ofReader_;

    // Of whoever appends; looked at by others only while nothing is waiting.
    log::Appender appender_;
    LineWarnings ofAppender_;
    std::uint64_t appended_ = 0;      // records
    std::size_t told_ = 0;            // of the appender's warnings
    std::uint64_t firstBadFree_ = 0;  // its line
    Trouble seen_;

    std::array<Batch, kBatches> batches_;  // batch i is at i % kBatches
    std::mutex mutex_;                     // guards what follows
    std::condition_variable changed_;
    std::size_t given_ = 0;                // batches handed over; the one after them is filled
    std::size_t done_ = 0;                 // of these
    bool stop_ = false;
    std::exception_ptr failed_;            // memory ran out
    std::thread thread_;                   // none: batches are appended when they are full
};

}  // namespace residue::import
