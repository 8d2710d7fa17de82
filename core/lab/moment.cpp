#include "lab/moment.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <unordered_map>
#include <utility>

#include "lab/host_run.hpp"
#include "lab/live_payloads.hpp"

namespace residue::lab {
namespace {

using Places = std::vector<std::uint32_t>;  // indices of Moment::places

constexpr std::uint64_t kLongestInstruction = 15;
constexpr std::size_t kMostCalls = 256;  // of a trace; deeper calls are counted as the last one

// From instructions to lines, with the calls that led to each.
class Follower {
public:
    Follower(symbols::Symbolizer& names, std::uint64_t base, Moment& moment)
        : names_(names), base_(base), moment_(moment) {}

    void Take(const Step& step) {
        FollowCalls(step);
        before_ = step;
        const Places& here = PlacesAt(step.instruction);
        if (here.empty()) return;  // a jump to another library: no line of the student's
        Places trace = here;
        for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
            const Places& from = PlacesAt(call->from);
            trace.insert(trace.end(), from.begin(), from.end());
        }
        const auto [known, fresh] = traces_.try_emplace(std::move(trace), moment_.traces.size());
        if (fresh) moment_.traces.push_back(known->first);
        // The same line, and nothing called in between: still there.
        if (!moment_.steps.empty() && moment_.steps.back() == known->second) return;
        moment_.steps.push_back(static_cast<std::uint32_t>(known->second));
        const CodePlace& place = moment_.places[known->first.front()];
        ++hits_[{place.file, place.line}];
    }

    void End() {
        for (const auto& [place, hits] : hits_) moment_.lines.push_back({place.first, place.second, hits});
    }

private:
    struct Call {
        std::uint64_t from = 0;   // the instruction that called
        std::uint64_t stack = 0;  // its return address lies there
    };

    // A call lays its return address below what was the top, and goes elsewhere; a return takes it away.
    void FollowCalls(const Step& step) {
        while (!calls_.empty() && step.stack > calls_.back().stack) calls_.pop_back();
        const bool isNext = step.instruction - before_.instruction <= kLongestInstruction;
        const bool isCall = before_.instruction != 0 && step.stack == before_.stack - 8 && !isNext;
        if (isCall && calls_.size() < kMostCalls) calls_.push_back({before_.instruction, step.stack});
    }

    std::uint32_t PlaceIndex(const std::string& function, const std::string& file, std::uint32_t line) {
        CodePlace place{function, std::filesystem::path(file).filename().string(), line};
        const auto at = std::find(moment_.places.begin(), moment_.places.end(), place);
        if (at != moment_.places.end()) return static_cast<std::uint32_t>(at - moment_.places.begin());
        moment_.places.push_back(std::move(place));
        return static_cast<std::uint32_t>(moment_.places.size() - 1);
    }

    // The line of an instruction, and of the calls that were inlined around it; empty: it has none.
    const Places& PlacesAt(std::uint64_t instruction) {
        const auto [known, fresh] = known_.try_emplace(instruction);
        if (!fresh) return known->second;
        const symbols::Frame frame = names_.Resolve(instruction - base_ + 1);  // it is no return address
        Places places;
        for (const symbols::InlinedCall& call : frame.inlined) {
            if (call.line != 0) places.push_back(PlaceIndex(call.function, call.file, call.line));
        }
        if (frame.line != 0) places.push_back(PlaceIndex(frame.function, frame.file, frame.line));
        return known->second = std::move(places);
    }

    symbols::Symbolizer& names_;
    const std::uint64_t base_;
    Moment& moment_;
    std::vector<Call> calls_;
    Step before_{};
    std::unordered_map<std::uint64_t, Places> known_;
    std::map<Places, std::size_t> traces_;
    std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> hits_;
};

// Which of the bytes are live payload, by what the run up to there gave out.
void TellKinds(const LabTrace& trace, const std::vector<Record>& records, Moment& moment) {
    LivePayloads live(trace.slots);
    std::map<std::uint64_t, std::uint64_t> sizes;
    for (std::size_t i = 0; i < std::min<std::size_t>(records.size(), moment.after); ++i) {
        live.Do(
            trace.ops[i], records[i], [&](const Payload& born) { sizes[born.address] = born.size; },
            [&](const Payload& died) { sizes.erase(died.address); });
    }
    moment.kinds.assign(moment.bytes.size(), ByteKind::Gap);
    const std::uint64_t end = moment.from + moment.bytes.size();
    for (const auto& [address, size] : sizes) {
        const std::uint64_t from = std::max(address, moment.from), to = std::min(address + size, end);
        for (std::uint64_t at = from; at < to; ++at) {
            moment.kinds[at - moment.from] = at == address ? ByteKind::PayloadBegin : ByteKind::Payload;
        }
    }
}

}  // namespace

std::shared_ptr<symbols::Symbolizer> NamesOf(const Built& built) {
    return symbols::OfImage(built.library);
}

Outcome<Moment> LookAt(const Built& built, const LabTrace& trace, const MomentQuestion& question,
                       const RunOptions& options, symbols::Symbolizer* names) {
    RunOptions once = options;
    once.timedRuns = 0;
    Look look;
    look.at = std::min<std::uint64_t>(question.after, trace.ops.size());
    look.from = question.from;
    look.bytes = std::min(question.bytes, kMostLookedAt);
    auto run = RunHost(built, trace, once, {}, look);
    if (!run) return Fail(run.error());
    Moment moment;
    moment.after = look.at;
    moment.from = look.from;
    moment.bytes = std::move(run->bytes);
    TellKinds(trace, run->records[0], moment);
    moment.instructions = std::min(run->report.followed, kMostFollowed);
    moment.whole = moment.instructions < kMostFollowed && run->steps.size() < kMostSteps;
    moment.followed = !run->steps.empty() && names != nullptr;
    if (!moment.followed) return moment;
    Follower follower(*names, run->report.moduleBase, moment);
    for (const Step& step : run->steps) follower.Take(step);
    follower.End();
    return moment;
}

}  // namespace residue::lab
