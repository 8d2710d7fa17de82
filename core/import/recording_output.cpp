#include "import/recording_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <system_error>

#include "import/text_scanner.hpp"

namespace residue::import {
namespace {

using events::Event;
using events::EventFlag;
using events::EventKind;

constexpr std::uint64_t kOddLinesTold = 20;
constexpr std::size_t kBatch = 1024;  // 64 KiB: they are read again while they are in the cache
constexpr std::uint64_t kWorthAThread = 100'000;

}  // namespace

RecordingOutput::RecordingOutput(const std::string& name, log::EventLog& log)
    : name_(name), log_(log), appender_(log) {
    SetMostPending(kBatch);
    source_.name = name.substr(name.rfind('/') + 1);
    source_.provenance = "recorded";
    TellSource();
}

RecordingOutput::~RecordingOutput() { StopThread(); }

void RecordingOutput::SetMostPending(std::size_t count) {
    for (Batch& batch : batches_) batch = {};
    mostPending_ = count;
    filling_ = batches_.data();
    filling_->events = std::make_unique_for_overwrite<Event[]>(count);
    filling_->lines = std::make_unique_for_overwrite<std::uint64_t[]>(count);
}

// What was added as events goes to the log first: a batch holds one or the other.
void RecordingOutput::MakeRoomForCalls() {
    Flush();
    Drain();
    for (Batch& batch : batches_) batch.calls = std::make_unique_for_overwrite<log::KnownCall[]>(mostPending_);
}

RecordingOutput::Trouble RecordingOutput::Counted() const {
    const log::Appender::Totals& totals = appender_.Counted();
    return {totals.inferredFrees + totals.leftOut + totals.dropped, totals.rewrittenFrees};
}

void RecordingOutput::Append(const Batch& batch) {
    if (batch.calls != nullptr) {
        log_.AppendKnown(AllocatorId{1}, {batch.calls.get(), batch.count});
        appended_ += batch.count;
        return;
    }
    const Row firstRow = seen_.frees == 0 ? log_.View().Rows() : Row{};
    appender_.Append(batch.events.get(), batch.count);
    TellTrouble(appended_ + 1, {batch.lines.get(), batch.count}, firstRow);
    appended_ += batch.count;
}

void RecordingOutput::Flush() {
    if (filling_->count == 0) return;
    summary_.events += filling_->count;
    if (!thread_.joinable()) {
        Append(*filling_);
        filling_->count = 0;
        if (added_ >= kWorthAThread) StartThread();
        return;
    }
    std::unique_lock lock(mutex_);
    ++given_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return given_ - done_ < kBatches; });
    if (failed_) std::rethrow_exception(failed_);
    filling_ = &batches_[given_ % kBatches];
    filling_->count = 0;
}

void RecordingOutput::StartThread() {
    for (Batch& batch : batches_) {
        if (batch.events) continue;
        batch.events = std::make_unique_for_overwrite<Event[]>(mostPending_);
        batch.lines = std::make_unique_for_overwrite<std::uint64_t[]>(mostPending_);
    }
    try {
        thread_ = std::thread([this] { AppendBatches(); });
    } catch (const std::system_error&) {  // then without
    }
}

void RecordingOutput::AppendBatches() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return given_ != done_ || stop_; });
        if (given_ == done_) return;
        const Batch& batch = batches_[done_ % kBatches];
        lock.unlock();
        std::exception_ptr failed;
        try {
            Append(batch);
        } catch (...) {
            failed = std::current_exception();
        }
        lock.lock();
        if (failed) failed_ = failed;
        ++done_;
        changed_.notify_all();
        if (failed_) {
            done_ = given_;
            return;
        }
    }
}

// Waits until all that was handed over is in the log.
void RecordingOutput::Drain() {
    if (!thread_.joinable()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return given_ == done_; });
    if (failed_) std::rethrow_exception(failed_);
}

void RecordingOutput::StopThread() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void RecordingOutput::AddWithText(const Event& event, std::string_view text, std::uint64_t line) {
    Flush();
    Drain();
    const Row firstRow = seen_.frees == 0 ? log_.View().Rows() : Row{};
    appender_.Append(event, text);
    TellTrouble(appended_ + 1, {&line, 1}, firstRow);
    ++appended_;
    ++summary_.events;
}

void RecordingOutput::CreateAllocator(AllocatorId id, std::string_view name, std::uint64_t line) {
    Event event = Add(EventKind::AllocatorCreated, line);
    --filling_->count;
    event.allocator = id;
    AddWithText(event, name, line);
}

// The appender names events by their number; here that becomes a line.
void RecordingOutput::TellTrouble(std::uint64_t firstRecord, std::span<const std::uint64_t> lines, Row firstRow) {
    const Trouble now = Counted();
    if (now.events != seen_.events && told_ < LineWarnings::kMost) {
        const std::vector<Warning> all = appender_.Warnings();
        for (; told_ < all.size() && told_ < LineWarnings::kMost; ++told_) {
            const Warning& warning = all[told_];
            const std::uint64_t record = std::strtoull(warning.where.c_str() + sizeof("event ") - 1, nullptr, 10);
            const bool known = record >= firstRecord && record - firstRecord < lines.size();
            ofAppender_.Add(known ? lines[record - firstRecord] : 0, [&] { return warning.text; });
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

// By line, those about the whole file last. Where there are too many, the appender's are left out: lines that could not
// be read weigh more.
std::vector<Warning> RecordingOutput::AllWarnings() {
    std::vector<LineWarning> all = std::move(ofReader_.all);
    const std::size_t room = std::min(LineWarnings::kMost - all.size(), ofAppender_.all.size());
    const std::uint64_t more = ofReader_.more + ofAppender_.more + (ofAppender_.all.size() - room);
    const auto first = ofAppender_.all.begin();
    all.insert(all.end(), std::make_move_iterator(first),
               std::make_move_iterator(first + static_cast<std::ptrdiff_t>(room)));
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.line - 1 < b.line - 1; });
    std::vector<Warning> warnings;
    for (LineWarning& warning : all) {
        const std::string where = warning.line == 0 ? name_ : fmt::format("{}:{}", name_, warning.line);
        warnings.push_back({where, std::move(warning.text)});
    }
    if (more != 0) warnings.push_back({name_, fmt::format("{} more {}", more, more == 1 ? "warning" : "warnings")});
    return warnings;
}

RecordingSummary RecordingOutput::Finish() {
    Flush();
    Drain();
    StopThread();
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
    if (totals.inferredFrees + totals.leftOut > LineWarnings::kMost) {
        Warn(0, [&] {
            return fmt::format("in all {} blocks were allocated over live ones, {} events were left out",
                               totals.inferredFrees, totals.leftOut);
        });
    }
    summary_.warnings = AllWarnings();
    TellSource();
    log_.Close();
    return std::move(summary_);
}

}  // namespace residue::import
