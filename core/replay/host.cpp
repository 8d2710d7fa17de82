#include "replay/host.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/checked.hpp"
#include "replay/replay.hpp"

namespace residue::replay {
namespace {

constexpr std::uint64_t kUsualRange = std::uint64_t{32} << 30;
constexpr std::uint64_t kSmallestRange = std::uint64_t{4} << 20;
constexpr std::uint64_t kPage = 4096;

std::string KnownNames() {
    std::string names;
    for (const alloc::Registration& entry : alloc::Registry())
        names += (names.empty() ? "" : ", ") + std::string(entry.name);
    return names;
}

std::uint64_t PhysicalMemory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long bytes = ::sysconf(_SC_PAGE_SIZE);
    if (pages <= 0 || bytes <= 0) return std::uint64_t{1} << 40;
    return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(bytes);
}

// A bound of the memory that is touched: all of it, or the two pages around each block's ends.
std::uint64_t TouchedBytes(const import::TraceFigures& figures) {
    const auto ends = CheckedMultiply(figures.allocations, 2 * kPage);
    return std::min(figures.peakLiveBytes, ends.value_or(figures.peakLiveBytes));
}

// Reserves as much as is usual, or where the system does not give that, half and half again down to twice the peak.
Outcome<AddressRange> ReserveGrowing(std::uint64_t peak) {
    const std::uint64_t least = std::max(2 * peak + kSmallestRange, kSmallestRange);
    for (std::uint64_t bytes = std::max(kUsualRange, least);; bytes = std::max(bytes / 2, least)) {
        Outcome<AddressRange> range = AddressRange::Reserve(bytes);
        if (range || bytes == least) return range;
    }
}

}  // namespace

Host::Host(const alloc::Registration& of, AddressRange in, std::optional<std::uint64_t> bytes)
    : entry(of), range(std::move(in)), capacity(bytes) {
    allocator = entry.Create(storage_, {range.Base(), static_cast<std::size_t>(range.Bytes()), capacity});
}

CallSink& Host::Attach(events::EventSink& sink) {
    rebased_.emplace(sink, range.Address(), range.Bytes(), kFixedBase);
    calls_.emplace(entry.inBuffer ? static_cast<events::EventSink&>(*rebased_) : sink);
    entry.Attach(allocator, &*calls_, entry.name);
    return *calls_;
}

void Host::Detach() {
    if (!calls_) return;
    calls_->Close();
    entry.Attach(allocator, nullptr, entry.name);
    calls_.reset();
}

void Host::Destroy() {
    if (allocator != nullptr) entry.Destroy(std::exchange(allocator, nullptr));
}

Outcome<std::unique_ptr<Host>> Host::Make(const import::TraceFigures& figures, const std::string& name,
                                          std::optional<std::uint64_t> capacity) {
    const alloc::Registration* entry = alloc::FindRegistration(name);
    if (entry == nullptr) {
        return Fail(Failure{"allocator", fmt::format("there is none named '{}'", name), KnownNames()});
    }
    if (capacity && !entry->inBuffer) {
        return Fail(Failure{"capacity", fmt::format("'{}' has none: it takes memory from the system", entry->name),
                            "no capacity, or another allocator"});
    }
    if (capacity && *capacity == 0) {
        return Fail(Failure{"capacity", "0 bytes hold no heap", "at least 1 byte"});
    }
    const auto needs = [&](std::uint64_t most, const char* what) {
        return Fail(Failure{"", fmt::format("needs {}{} bytes of heap", figures.overflowed ? "more than " : "",
                                            figures.peakLiveBytes),
                            fmt::format("at most {} bytes, {}", most, what)});
    };
    // With a capacity of the user's choice a request that does not fit fails, and that is what is to be seen.
    if (entry->inBuffer && !capacity && figures.peakLiveBytes > kLargestHeap) {
        return needs(kLargestHeap, "the largest heap");
    }
    const std::uint64_t memory = PhysicalMemory();
    const std::uint64_t most = std::min(capacity.value_or(memory), TouchedBytes(figures));
    if (most > memory || (!entry->inBuffer && figures.overflowed)) return needs(memory, "the machine's memory");

    Outcome<AddressRange> range = AddressRange();
    if (entry->inBuffer) {
        range = capacity ? AddressRange::Reserve(*capacity) : ReserveGrowing(figures.peakLiveBytes);
        if (!range) return Fail(range.error());
    }
    return std::make_unique<Host>(*entry, std::move(*range), capacity);
}

}  // namespace residue::replay
