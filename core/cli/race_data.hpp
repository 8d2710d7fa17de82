// What `residue race` has found out, and its two forms: text and JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/race.hpp"

namespace residue::cli {

enum class RaceOrder { Given, Name, Utilisation, Heap, Fragmentation, Search, Failures, Throughput };

// "utilisation"; none: there is no such column.
std::optional<RaceOrder> RaceOrderOf(const std::string& name);
inline constexpr const char* kRaceOrders =
    "given, name, utilisation, heap, fragmentation, search, failures or throughput";

// Over the traces that the lane ran.
struct RaceMean {
    std::string name;
    std::size_t traces = 0;
    std::optional<double> utilisation, externalFragmentation, searchLength;  // means of those that are known
    bool isOfPages = false;                                                  // the utilisations are by pages
    std::uint64_t failures = 0;
    std::optional<double> throughput;  // all operations by all seconds
};

std::vector<RaceMean> MeansOf(const std::vector<lab::RaceResult>& races);  // of one set of lanes; not empty

// Operations a second.
std::optional<double> ThroughputOf(const lab::RaceResult& race, const lab::RaceLane& lane);
// Indexes of lanes, the best first; those without that figure behind, and those whose heap or utilisation is not of all
// that was asked for; the bound last.
std::vector<std::size_t> RankLanes(const lab::RaceResult& race, RaceOrder order);

std::string RaceText(const std::vector<lab::RaceResult>& races, RaceOrder order);
std::string RaceJson(const std::vector<lab::RaceResult>& races, RaceOrder order);

}  // namespace residue::cli
