#include <nlohmann/json.hpp>

#include "cli/race_data.hpp"

namespace residue::cli {
namespace {

using Json = nlohmann::ordered_json;
using lab::RaceLane;
using lab::RaceResult;

template <class T>
Json OrNull(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

const char* Word(RaceLane::State state) {
    switch (state) {
        case RaceLane::State::Ran: return "ran";
        case RaceLane::State::Invalid: return "invalid";
        case RaceLane::State::NotRun: return "not run";
    }
    return "";
}

// `reasons` gets why a figure is null, by its name.
template <class T>
void Put(const char* name, const lab::Known<T>& figure, Json& json, Json& reasons) {
    json[name] = OrNull(figure.value);
    if (!figure.value && !figure.reason.empty()) reasons[name] = figure.reason;
}

Json FailureJson(const RaceLane& lane) {
    if (!lane.firstFailure) return nullptr;
    return {{"operation", lane.firstFailure->operation}, {"text", lane.firstFailure->text}};
}

Json LaneJson(const RaceResult& race, const RaceLane& lane) {
    const bool isRan = lane.state == RaceLane::State::Ran;
    Json json, reasons = Json::object();
    json["lane"] = lane.name;
    json["title"] = lane.title;
    json["state"] = Word(lane.state);
    json["reason"] = lane.reason;
    json["is_bound"] = lane.isBound;
    json["peak_live_bytes"] = isRan ? Json(lane.peakLive) : Json(nullptr);
    Put("heap_bytes", lane.heapEnd, json, reasons);
    Put("peak_heap_bytes", lane.heapPeak, json, reasons);
    json["payload_page_bytes"] = OrNull(lane.pageBytes);
    Put("peak_utilisation", lane.utilisation, json, reasons);
    json["utilisation_of"] = lane.pageBytes ? "pages" : "heap";
    Put("external_fragmentation", lane.externalFragmentation, json, reasons);
    Put("search_length", lane.searchLength, json, reasons);
    json["failed"] = lane.isBound || lane.state == RaceLane::State::NotRun ? Json(nullptr) : Json(lane.failures);
    json["first_failure"] = FailureJson(lane);
    json["seconds"] = lane.seconds > 0 ? Json(lane.seconds) : Json(nullptr);
    json["throughput"] = OrNull(ThroughputOf(race, lane));
    json["reasons"] = reasons;
    return json;
}

Json DivergenceJson(const RaceResult& race) {
    if (!race.divergence) return nullptr;
    Json places = Json::array();
    for (std::size_t i = 0; i < race.lanes.size(); ++i) {
        const auto& offset = race.divergence->offsets[i];
        if (!offset) continue;
        // Below the first payload it is negative.
        const Json place = *offset == lab::kNowhere ? Json(nullptr) : Json(static_cast<std::int64_t>(*offset));
        places.push_back({{"lane", race.lanes[i].name}, {"offset", place}});
    }
    return {{"operation", race.divergence->operation}, {"call", race.divergedAt}, {"placements", places}};
}

Json PairsJson(const RaceResult& race) {
    Json pairs = Json::array();
    for (const lab::RacePair& pair : race.pairs) {
        pairs.push_back({{"lanes", {race.lanes[pair.first].name, race.lanes[pair.second].name}},
                         {"operation", pair.operation != 0 ? Json(pair.operation) : Json(nullptr)}});
    }
    return pairs;
}

Json FirstFailureJson(const RaceResult& race) {
    if (!race.failedFirst) return nullptr;
    const RaceLane& lane = race.lanes[*race.failedFirst];
    Json json = {{"lane", lane.name}};
    json.update(FailureJson(lane));
    return json;
}

Json GapJson(const RaceResult& race) {
    if (!race.widestGap) return nullptr;
    const lab::RaceGap& gap = *race.widestGap;
    const auto side = [&](std::size_t index, std::uint64_t heap) -> Json {
        return {{"lane", race.lanes[index].name}, {"heap_bytes", heap}};
    };
    return {{"operation", gap.operation},
            {"call", race.widestGapAt},
            {"smallest", side(gap.smallest, gap.smallestHeap)},
            {"largest", side(gap.largest, gap.largestHeap)},
            {"bytes", gap.largestHeap - gap.smallestHeap}};
}

Json RaceOfTrace(const RaceResult& race, RaceOrder order) {
    Json json;
    json["file"] = race.path;
    json["operations"] = race.operations;
    json["lanes"] = Json::array();
    for (const std::size_t index : RankLanes(race, order)) json["lanes"].push_back(LaneJson(race, race.lanes[index]));
    json["perfect_compaction_aligned_bytes"] = race.alignedBound;
    json["first_divergence"] = DivergenceJson(race);
    json["pairs"] = PairsJson(race);
    json["first_failure"] = FirstFailureJson(race);
    json["widest_gap"] = GapJson(race);
    json["warnings"] = Json::array();
    for (const Warning& warning : race.warnings) {
        json["warnings"].push_back({{"where", warning.where}, {"text", warning.text}});
    }
    return json;
}

Json MeanJson(const RaceMean& mean) {
    return {{"lane", mean.name},
            {"traces", mean.traces},
            {"peak_utilisation", OrNull(mean.utilisation)},
            {"external_fragmentation", OrNull(mean.externalFragmentation)},
            {"search_length", OrNull(mean.searchLength)},
            {"failed", mean.failures},
            {"throughput", OrNull(mean.throughput)}};
}

}  // namespace

std::string RaceJson(const std::vector<RaceResult>& races, RaceOrder order) {
    Json json;
    json["traces"] = Json::array();
    for (const RaceResult& race : races) json["traces"].push_back(RaceOfTrace(race, order));
    json["mean"] = Json::array();
    for (const RaceMean& mean : MeansOf(races)) json["mean"].push_back(MeanJson(mean));
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace residue::cli
