// Which call traces have a text in a function's or a file's name, whatever its case: for filters and for run-until. And
// the comparison itself.
#pragma once

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "log/event_log.hpp"

namespace residue::analysis {

inline bool HoldsText(std::string_view text, std::string_view part) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

// Remembers what it found out: each frame is named once. One thread.
class SiteCheck {
public:
    SiteCheck(log::LogView log, std::string text) : log_(std::move(log)), text_(std::move(text)) {}

    bool Has(TraceId trace) {
        if (answers_.size() <= log_.Traces()) answers_.resize(std::size_t{log_.Traces()} + 1);
        if (trace.value >= answers_.size()) return false;
        // Outwards up to the first frame that has it, or that is known. A trace may be of any length: no recursion.
        path_.clear();
        Answer answer = Answer::No;
        for (TraceId at = trace; at; at = log_.ParentTrace(at)) {
            if (answers_[at.value] != Answer::Unknown) {
                answer = answers_[at.value];
                break;
            }
            path_.push_back(at.value);
            const log::Frame frame = log_.TopFrame(at);
            if (!HoldsText(frame.function, text_) && !HoldsText(frame.file, text_)) continue;
            answer = Answer::Yes;
            break;
        }
        for (const std::uint32_t at : path_) answers_[at] = answer;
        return answer == Answer::Yes;
    }

private:
    enum class Answer : std::uint8_t { Unknown, No, Yes };
    log::LogView log_;
    std::string text_;
    std::vector<Answer> answers_;  // by trace
    std::vector<std::uint32_t> path_;
};

// The same of every call trace at once, by trace id (0: no). For a thread of its own: a name for each different frame.
// Where it is cancelled, the later ones are missing.
inline std::vector<bool> TracesWith(const log::LogView& log, std::string_view text,
                                    const std::atomic<bool>* cancelled = nullptr) {
    constexpr std::uint32_t kLookEvery = 1 << 12;  // traces between two looks at the cancel flag
    std::vector<bool> has(std::size_t{log.Traces()} + 1);
    std::unordered_map<std::uint64_t, bool> named;  // by frame address
    for (std::uint32_t id = 1; id < has.size(); ++id) {
        if (id % kLookEvery == 0 && cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) break;
        // A parent's id is below its child's.
        if (has[log.ParentTrace(TraceId{id}).value]) {
            has[id] = true;
            continue;
        }
        const auto [at, fresh] = named.try_emplace(log.FrameAddress(TraceId{id}), false);
        if (fresh) {
            const log::Frame frame = log.TopFrame(TraceId{id});
            at->second = HoldsText(frame.function, text) || HoldsText(frame.file, text);
        }
        has[id] = at->second;
    }
    return has;
}

}  // namespace residue::analysis
