// Who allocates: every block of a stretch of a log, summed by call trace, by size and by lifetime. Of a whole log, of
// the moments up to one, or of what happened between two: what was allocated in it, what was freed, what is alive at
// its end and was not before.
//
//     auto profile = MakeProfile(log, {.to = position, .peak = series.Run().peakPosition});
//     for (const SiteFigures& site : profile->sites) Use(site.trace, Value(site, SiteMeasure::LiveBytes));
//
// One pass over the table of blocks, without a heap: some 60 ns a block, 24 bytes a call trace that allocates. For a
// thread of its own; any number of them at once. A block that is the region of a child allocator (as the log tells it)
// is left out: its bytes are counted where they are given out in the end.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/site_check.hpp"
#include "log/event_log.hpp"

namespace residue::analysis {

// Which blocks count. All conditions hold at once.
struct BlockFilter {
    static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t leastSize = 0, mostSize = kNoLimit;  // payload bytes, inclusive
    std::uint64_t leastLife = 0, mostLife = kNoLimit;  // positions from birth to death, inclusive; a block that is
                                                       // never freed has lived until the end of the log
    std::optional<AllocatorId> allocator{};
    std::optional<ThreadId> thread{};
    std::string site{};                                // in a function's name or file name of its call trace
    Position bornFrom{}, bornTo{kNoLimit};             // born at a position in [bornFrom, bornTo]

    bool Any() const { return !(*this == BlockFilter{}); }
    friend bool operator==(const BlockFilter&, const BlockFilter&) = default;
};
// "1 KiB to 4 KiB · thread 2 · in parse"; empty when all count.
std::string Describe(const BlockFilter& filter);

// Tells of single blocks what a filter says; finds out which call traces have its site as it is asked.
class FilterCheck {
public:
    FilterCheck(const log::LogView& log, BlockFilter filter);
    // Of all but the site, which is then the caller's to know (TracesWith). Never looks for a name.
    static FilterCheck WithoutSite(const log::LogView& log, BlockFilter filter);
    bool Passes(const log::LoggedEvent& birth, log::BlockLife life) const;
    bool Passes(BlockId block) const { return Passes(log_.Birth(block), log_.Life(block)); }

private:
    log::LogView log_;
    BlockFilter filter_;
    mutable SiteCheck sites_;
};

struct ProfileRange {
    Position from{};                                  // what was before does not count as allocated or freed
    Position to{BlockFilter::kNoLimit};
    Position peak{BlockFilter::kNoLimit};             // where the peak figures are taken; none: at `to`
};

// Bytes are payload, as requested. Blocks that a resize moved or grew count as new ones, as everywhere.
struct SiteFigures {
    TraceId trace{};
    std::uint64_t allocations = 0, allocatedBytes = 0;  // born after `from`, up to `to`
    std::uint64_t frees = 0, freedBytes = 0;            // ended there
    std::uint64_t temporary = 0;                        // of `allocations`: freed before their thread's next request
    std::uint64_t liveBlocks = 0, liveBytes = 0;        // at `to`
    std::uint64_t earlierBlocks = 0, earlierBytes = 0;  // alive at `from`
    std::uint64_t peakBlocks = 0, peakBytes = 0;        // alive at `peak`
    std::uint64_t leakedBlocks = 0, leakedBytes = 0;    // alive at `to` and never freed
    void Add(const SiteFigures& other);
    friend bool operator==(const SiteFigures&, const SiteFigures&) = default;
};

enum class SiteMeasure : std::uint8_t {
    LiveBytes,
    PeakBytes,
    AllocatedBytes,
    Allocations,
    Temporary,
    LeakedBytes,
    GrownBytes
};
struct MeasureInfo {
    SiteMeasure measure;
    const char* key;    // "live", as --by takes it
    const char* label;  // "live bytes"
    const char* help;
    bool bytes;         // else a count
};
const std::array<MeasureInfo, 7>& MeasureTable();
const MeasureInfo& InfoOf(SiteMeasure measure);
const MeasureInfo* FindMeasure(std::string_view key);  // null: no such measure
std::int64_t Value(const SiteFigures& figures, SiteMeasure measure);  // negative: GrownBytes of what shrank

// How many blocks, and their bytes, from 2^(i-1) to 2^i - 1 (bin 0: exactly 0).
struct Bins {
    struct Bin {
        std::uint64_t blocks = 0, bytes = 0;
        friend bool operator==(const Bin&, const Bin&) = default;
    };
    std::array<Bin, 65> bins{};
    void Add(std::uint64_t key, std::uint64_t bytes);
    static std::uint64_t Least(std::size_t bin) { return bin == 0 ? 0 : std::uint64_t{1} << (bin - 1); }
    static std::uint64_t Most(std::size_t bin) { return bin == 0 ? 0 : Least(bin) - 1 + Least(bin); }
    friend bool operator==(const Bins&, const Bins&) = default;
};

struct Profile {
    Position from{}, to{}, peak{};        // as they were clamped
    std::vector<SiteFigures> sites;       // by trace, ascending; trace 0: without a call trace
    SiteFigures total;                    // trace 0
    Bins allocatedSizes, liveSizes;       // of blocks allocated in the range; alive at its end
    Bins lifetimes;                       // of blocks allocated in the range and freed in the log, in positions
    std::uint64_t hiddenBlocks = 0, hiddenBytes = 0;  // what the filter left out of those allocated in the range or
                                                      // alive at its end
};

// Null when cancelled. `progress`: 0..1.
std::optional<Profile> MakeProfile(const log::LogView& log, const ProfileRange& range, const BlockFilter& filter = {},
                                   const std::atomic<bool>* cancelled = nullptr,
                                   std::atomic<double>* progress = nullptr);

// The sites by one measure, the largest first (of equal ones the lower trace); those of 0 are left out.
std::vector<SiteFigures> TopSites(const Profile& profile, SiteMeasure measure, std::size_t most);

}  // namespace residue::analysis
