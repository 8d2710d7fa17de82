#include "analysis/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "analysis/format.hpp"

namespace residue::analysis {
namespace {

using events::EventFlag;
using events::EventKind;

constexpr std::uint32_t kLookEvery = 1 << 15;  // blocks between two looks at the cancel flag

// Blocks that are or were the region of a child: the rows that say so name them.
std::vector<std::uint32_t> RegionBlocks(const log::LogView& log) {
    std::vector<std::uint32_t> blocks;
    for (std::uint64_t i = 0; i < log.RareRows(); ++i) {
        const log::LoggedEvent logged = log.At(log.RareRow(i));
        const EventKind kind = logged.event.kind;
        if (kind != EventKind::AllocatorCreated && kind != EventKind::RegionGrown) continue;
        if (logged.block) blocks.push_back(logged.block.value);
    }
    std::sort(blocks.begin(), blocks.end());
    blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
    return blocks;
}

// The figures of each call trace that allocates, found by its id.
class SiteTable {
public:
    SiteFigures& Of(TraceId trace) {
        if (trace.value >= index_.size()) index_.resize(std::size_t{trace.value} + 1, kNone);
        std::uint32_t& at = index_[trace.value];
        if (at == kNone) {
            at = static_cast<std::uint32_t>(sites_.size());
            sites_.push_back({});
            sites_.back().trace = trace;
        }
        return sites_[at];
    }
    std::vector<SiteFigures> Take() {
        std::sort(sites_.begin(), sites_.end(),
                  [](const SiteFigures& a, const SiteFigures& b) { return a.trace < b.trace; });
        return std::move(sites_);
    }

private:
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> index_;  // by trace
    std::vector<SiteFigures> sites_;
};

// The pass itself.
class Pass {
public:
    Pass(const log::LogView& log, const ProfileRange& range, const BlockFilter& filter)
        : log_(log), check_(log, filter), filtered_(filter.Any()), regions_(RegionBlocks(log)) {
        profile_.to = std::min(range.to, log.Positions());
        profile_.from = std::min(range.from, profile_.to);
        profile_.peak = range.peak.value == BlockFilter::kNoLimit ? profile_.to : std::min(range.peak, log.Positions());
        from_ = profile_.from.value == 0 ? Row{} : log.RowsAt(profile_.from);
        to_ = log.RowsAt(profile_.to);
        peak_ = log.RowsAt(profile_.peak);
    }

    bool Run(const std::atomic<bool>* cancelled, std::atomic<double>* progress) {
        const std::uint32_t blocks = log_.Blocks();
        for (std::uint32_t id = 1; id != 0 && id <= blocks; ++id) {
            if (id % kLookEvery == 0) {
                if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) return false;
                if (progress != nullptr) progress->store(double(id) / blocks, std::memory_order_relaxed);
            }
            Take(BlockId{id});
        }
        for (const auto& [thread, newest] : newest_) SettleNewest(newest, log_.Rows());
        return true;
    }

    Profile Result() {
        profile_.sites = sites_.Take();
        for (const SiteFigures& site : profile_.sites) profile_.total.Add(site);
        profile_.total.trace = {};
        return std::move(profile_);
    }

private:
    // A thread's last block so far: whether it was temporary shows at the next one.
    struct Newest {
        Row died{log::kNever};
        TraceId trace{};
        bool counts = false;
    };

    void Take(BlockId block) {
        const log::BlockLife life = log_.Life(block);
        const log::LoggedEvent birth = log_.Birth(block);
        const bool counts = !IsRegion(block, birth.event) && (!filtered_ || check_.Passes(birth, life));
        const bool bornIn = life.born >= from_ && life.born < to_;
        const bool liveAtEnd = life.born < to_ && life.died >= to_;
        // In order of birth, a thread's newest block stays it until the next row that bears one.
        Newest& newest = newest_[birth.event.thread.value];
        SettleNewest(newest, life.born);
        newest = {life.died, birth.event.trace, counts && bornIn};
        const std::uint64_t size = birth.event.size;
        if (!counts) {
            if (!IsRegion(block, birth.event) && (bornIn || liveAtEnd)) {
                ++profile_.hiddenBlocks;
                profile_.hiddenBytes += size;
            }
            return;
        }
        const bool diedIn = life.died >= from_ && life.died < to_;
        const bool liveEarlier = life.born < from_ && life.died >= from_;
        const bool liveAtPeak = life.born < peak_ && life.died >= peak_;
        if (!bornIn && !diedIn && !liveAtEnd && !liveEarlier && !liveAtPeak) return;
        SiteFigures& site = sites_.Of(birth.event.trace);
        if (bornIn) {
            ++site.allocations;
            site.allocatedBytes += size;
            profile_.allocatedSizes.Add(size, size);
            if (life.died.value != log::kNever) {
                profile_.lifetimes.Add(log_.PositionOf(life.died) - log_.PositionOf(life.born), size);
            }
        }
        if (diedIn) {
            ++site.frees;
            site.freedBytes += size;
        }
        if (liveAtEnd) {
            ++site.liveBlocks;
            site.liveBytes += size;
            profile_.liveSizes.Add(size, size);
            if (life.died.value == log::kNever) {
                ++site.leakedBlocks;
                site.leakedBytes += size;
            }
        }
        if (liveEarlier) {
            ++site.earlierBlocks;
            site.earlierBytes += size;
        }
        if (liveAtPeak) {
            ++site.peakBlocks;
            site.peakBytes += size;
        }
    }

    // As RunMetrics::temporaryAllocations: a block that a resize ended is none.
    void SettleNewest(const Newest& newest, Row next) {
        if (!newest.counts || newest.died >= next || newest.died >= to_) return;
        if (log_.KindAt(newest.died) != EventKind::ResizeEnds) ++sites_.Of(newest.trace).temporary;
    }

    bool IsRegion(BlockId block, const events::Event& birth) const {
        return birth.Has(EventFlag::Region) || std::binary_search(regions_.begin(), regions_.end(), block.value);
    }

    const log::LogView& log_;
    FilterCheck check_;
    bool filtered_;
    std::vector<std::uint32_t> regions_;
    Row from_{}, to_{}, peak_{};
    Profile profile_;
    SiteTable sites_;
    std::unordered_map<std::uint32_t, Newest> newest_;  // by thread
};

}  // namespace

std::string Describe(const BlockFilter& filter) {
    std::string text;
    const auto add = [&text](std::string part) {
        if (!text.empty()) text += " · ";
        text += part;
    };
    const auto between = [](std::uint64_t least, std::uint64_t most, auto format) {
        if (most == BlockFilter::kNoLimit) return fmt::format("{} and more", format(least));
        if (least == 0) return fmt::format("up to {}", format(most));
        return least == most ? format(least) : fmt::format("{} to {}", format(least), format(most));
    };
    if (filter.leastSize > 0 || filter.mostSize < BlockFilter::kNoLimit) {
        add(between(filter.leastSize, filter.mostSize, [](std::uint64_t bytes) { return FormatBytes(bytes); }));
    }
    if (filter.leastLife > 0 || filter.mostLife < BlockFilter::kNoLimit) {
        add("lived " + between(filter.leastLife, filter.mostLife,
                               [](std::uint64_t calls) { return FormatCount(calls) + " calls"; }));
    }
    if (filter.allocator) add(fmt::format("allocator {}", filter.allocator->value));
    if (filter.thread) add(fmt::format("thread {}", filter.thread->value));
    if (!filter.site.empty()) add("in " + filter.site);
    if (filter.bornFrom.value > 0 || filter.bornTo.value < BlockFilter::kNoLimit) {
        add("born at " + between(filter.bornFrom.value, filter.bornTo.value,
                                 [](std::uint64_t position) { return FormatCount(position); }));
    }
    return text;
}

FilterCheck::FilterCheck(const log::LogView& log, BlockFilter filter)
    : log_(log), filter_(std::move(filter)), sites_(log, filter_.site) {}

FilterCheck FilterCheck::WithoutSite(const log::LogView& log, BlockFilter filter) {
    filter.site.clear();
    return FilterCheck(log, std::move(filter));
}

bool FilterCheck::Passes(const log::LoggedEvent& birth, log::BlockLife life) const {
    const events::Event& event = birth.event;
    if (event.size < filter_.leastSize || event.size > filter_.mostSize) return false;
    if (filter_.allocator && event.allocator != *filter_.allocator) return false;
    if (filter_.thread && event.thread != *filter_.thread) return false;
    if (filter_.bornFrom.value > 0 || filter_.bornTo.value < BlockFilter::kNoLimit) {
        const Position born = log_.PositionOf(life.born);
        if (born < filter_.bornFrom || born > filter_.bornTo) return false;
    }
    if (filter_.leastLife > 0 || filter_.mostLife < BlockFilter::kNoLimit) {
        const Position died = life.died.value == log::kNever ? log_.Positions() : log_.PositionOf(life.died);
        const std::uint64_t lived = died - std::min(log_.PositionOf(life.born), died);
        if (lived < filter_.leastLife || lived > filter_.mostLife) return false;
    }
    return filter_.site.empty() || sites_.Has(event.trace);
}

void SiteFigures::Add(const SiteFigures& other) {
    allocations += other.allocations;
    allocatedBytes += other.allocatedBytes;
    frees += other.frees;
    freedBytes += other.freedBytes;
    temporary += other.temporary;
    liveBlocks += other.liveBlocks;
    liveBytes += other.liveBytes;
    earlierBlocks += other.earlierBlocks;
    earlierBytes += other.earlierBytes;
    peakBlocks += other.peakBlocks;
    peakBytes += other.peakBytes;
    leakedBlocks += other.leakedBlocks;
    leakedBytes += other.leakedBytes;
}

const std::array<MeasureInfo, 7>& MeasureTable() {
    static constexpr std::array<MeasureInfo, 7> kTable{{
        {SiteMeasure::LiveBytes, "live", "live bytes", "Bytes of blocks that are alive at the end of the range.", true},
        {SiteMeasure::PeakBytes, "peak", "bytes at the peak", "Bytes of blocks that were alive when live bytes peaked.",
         true},
        {SiteMeasure::AllocatedBytes, "allocated", "allocated bytes",
         "Bytes that were asked for in the range, freed or not.", true},
        {SiteMeasure::Allocations, "allocations", "allocations", "Blocks that were allocated in the range.", false},
        {SiteMeasure::Temporary, "temporary", "temporary allocations",
         "Blocks that were freed before their thread's next request.", false},
        {SiteMeasure::LeakedBytes, "leaked", "leaked bytes",
         "Bytes of blocks that are alive at the end of the range and never freed.", true},
        {SiteMeasure::GrownBytes, "grown", "growth", "Live bytes at the end of the range less those at its beginning.",
         true},
    }};
    return kTable;
}

const MeasureInfo& InfoOf(SiteMeasure measure) { return MeasureTable()[static_cast<std::size_t>(measure)]; }

const MeasureInfo* FindMeasure(std::string_view key) {
    for (const MeasureInfo& info : MeasureTable()) {
        if (info.key == key) return &info;
    }
    return nullptr;
}

std::int64_t Value(const SiteFigures& figures, SiteMeasure measure) {
    const auto value = [&]() -> std::uint64_t {
        switch (measure) {
            case SiteMeasure::LiveBytes: return figures.liveBytes;
            case SiteMeasure::PeakBytes: return figures.peakBytes;
            case SiteMeasure::AllocatedBytes: return figures.allocatedBytes;
            case SiteMeasure::Allocations: return figures.allocations;
            case SiteMeasure::Temporary: return figures.temporary;
            case SiteMeasure::LeakedBytes: return figures.leakedBytes;
            case SiteMeasure::GrownBytes: return figures.liveBytes - figures.earlierBytes;  // may wrap: negative
        }
        return 0;
    };
    return static_cast<std::int64_t>(value());
}

void Bins::Add(std::uint64_t key, std::uint64_t bytes) {
    Bin& bin = bins[static_cast<std::size_t>(std::bit_width(key))];
    ++bin.blocks;
    bin.bytes += bytes;
}

std::optional<Profile> MakeProfile(const log::LogView& log, const ProfileRange& range, const BlockFilter& filter,
                                   const std::atomic<bool>* cancelled, std::atomic<double>* progress) {
    Pass pass(log, range, filter);
    if (!pass.Run(cancelled, progress)) return std::nullopt;
    return pass.Result();
}

std::vector<SiteFigures> TopSites(const Profile& profile, SiteMeasure measure, std::size_t most) {
    std::vector<SiteFigures> top;
    for (const SiteFigures& site : profile.sites) {
        if (Value(site, measure) != 0) top.push_back(site);
    }
    const auto larger = [measure](const SiteFigures& a, const SiteFigures& b) {
        const auto x = Value(a, measure), y = Value(b, measure);
        return x != y ? x > y : a.trace < b.trace;
    };
    const std::size_t count = std::min(most, top.size());
    std::partial_sort(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(count), top.end(), larger);
    top.resize(count);
    return top;
}

}  // namespace residue::analysis
