#include <algorithm>
#include <utility>

#include "import/byte_source.hpp"
#include "import/read_ahead.hpp"
#include "import/recording.hpp"
#include "import/recording_format.hpp"

namespace residue::import {
namespace {

// Those that are told by their first line come first; ltrace, which lets nearly anything stand before a call, last.
const RecordingFormat* const kFormats[] = {
    &kJsonLinesFormat,
    &kHeaptrackFormat,
    &kMtraceFormat,
    &kValgrindFormat,
    &kLogallocFormat,
    &kMemoryReplayFormat,
    &kLtraceFormat,
};

constexpr std::size_t kLookAt = std::size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// A copy, because readers of numbers look at the byte behind them.
const RecordingFormat* FormatOf(std::string_view bytes) {
    const std::string copy(bytes.substr(0, kLookAt));
    std::string_view start = copy;
    if (start.starts_with(kByteOrderMark)) start.remove_prefix(kByteOrderMark.size());
    const auto* const found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                           [&](const RecordingFormat* format) { return format->Recognise(start); });
    return found == std::end(kFormats) ? nullptr : *found;
}

// What was read ahead, then the rest.
class Rejoined final : public ByteSource {
public:
    Rejoined(std::string start, std::unique_ptr<ByteSource> rest) : start_(std::move(start)), rest_(std::move(rest)) {}

    Outcome<std::size_t> Read(char* to, std::size_t capacity) override {
        if (given_ == start_.size()) return rest_->Read(to, capacity);
        const std::size_t count = std::min(capacity, start_.size() - given_);
        std::memcpy(to, start_.data() + given_, count);
        given_ += count;
        return count;
    }
    double Progress() const override { return rest_->Progress(); }
    bool CutOff() const override { return rest_->CutOff(); }

private:
    std::string start_;
    std::size_t given_ = 0;
    std::unique_ptr<ByteSource> rest_;
};

Outcome<std::string> ReadStart(ByteSource& source) {
    std::string start(kLookAt, '\0');
    std::size_t count = 0;
    while (count < start.size()) {
        const auto read = source.Read(start.data() + count, start.size() - count);
        if (!read) return Fail(read.error());
        if (*read == 0) break;
        count += *read;
    }
    start.resize(count);
    return start;
}

Outcome<RecordingSummary> ReadFrom(const std::string& name, std::unique_ptr<ByteSource> source, log::EventLog& into,
                                   const std::atomic<bool>* cancelled, std::atomic<double>* progress) {
    Outcome<std::string> start = ReadStart(*source);
    if (!start) return Fail(start.error());
    const RecordingFormat* const format = FormatOf(*start);
    if (format == nullptr) {
        return Fail(Failure{name, "is no recording of a format that is known",
                            "heaptrack, mtrace, ltrace, valgrind --trace-malloc, logalloc, memory_replay or JSON "
                            "Lines"});
    }
    // What is longer than its start is worth a thread.
    if (start->size() == kLookAt) source = ReadAhead(std::move(source));
    LineBlocks lines(name, std::make_unique<Rejoined>(std::move(*start), std::move(source)), cancelled, progress);
    RecordingOutput output(name, into);
    const Outcome<void> read = format->Read(lines, output);
    if (!read) {
        output.Finish();  // what was read stays; closes the log
        return Fail(read.error());
    }
    if (lines.CutOff()) output.Warn(0, [] { return "the compressed data are cut off: what came before is shown"; });
    return output.Finish();
}

}  // namespace

bool LooksLikeRecording(std::string_view start) { return FormatOf(start) != nullptr; }

bool IsRecording(const std::string& path) {
    auto source = OpenFileSource(path);
    if (!source) return false;
    const auto start = ReadStart(**source);
    return start && LooksLikeRecording(*start);
}

Outcome<RecordingSummary> ReadRecording(const std::string& path, log::EventLog& into,
                                        const std::atomic<bool>* cancelled, std::atomic<double>* progress) {
    auto source = OpenFileSource(path);
    if (!source) return Fail(source.error());
    return ReadFrom(path, std::move(*source), into, cancelled, progress);
}

Outcome<RecordingSummary> ReadRecordingBytes(const std::string& name, std::string_view bytes, log::EventLog& into) {
    auto source = OpenMemorySource(name, bytes);
    if (!source) return Fail(source.error());
    return ReadFrom(name, std::move(*source), into, nullptr, nullptr);
}

}  // namespace residue::import
