// The bytes of an address range at several moments, of which only the pages that changed are kept: what re-execution
// goes back to.
//
//     PageHistory history(range);
//     history.Keep();                 // moment 0
//     ... the range is written to ...
//     history.Keep();                 // moment 1
//     history.Restore(0);             // the range is as it was then
//
// Cost of Keep: a comparison of every page that was ever written (the system tells which those are; where it does not,
// of every page of the range), and 4 KiB for each page that changed since the moment before. Restore: a copy of every
// page that was ever written. Thread safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "replay/address_range.hpp"

namespace residue::replay {

class PageHistory {
public:
    static constexpr std::size_t kPage = 4096;

    explicit PageHistory(const AddressRange& range) : range_(&range) {}

    // Moments are numbered 0, 1, ... in the order of Keep, whatever was restored in between.
    void Keep();
    void Restore(std::size_t moment);
    std::size_t Moments() const { return moments_; }
    void DropOdd();                                  // moments 1, 3, 5, ... go; the others are numbered anew
    std::uint64_t Bytes() const { return bytes_; }   // kept
    std::size_t PagesSeen() const { return seen_; }  // compared by the last Keep

private:
    using Content = std::array<std::byte, kPage>;
    struct Version {
        std::size_t moment;
        std::unique_ptr<Content> content;  // null: zeros
    };

    struct Page {
        std::vector<Version> versions;  // by moment, ascending
        std::size_t kept = 0;           // the last Keep that saw it, counted from 1
    };

    template <class Visit>
    void VisitWritten(Visit visit) const;  // visit(page, bytes): the pages that may differ from zeros
    static const Version* At(const std::vector<Version>& versions, std::size_t moment);

    const AddressRange* range_;
    std::unordered_map<std::uint64_t, Page> pages_;
    std::size_t moments_ = 0;
    std::uint64_t bytes_ = 0;
    std::size_t seen_ = 0;
    std::size_t keeps_ = 0;
};

}  // namespace residue::replay
