#include "lab/payload_pages.hpp"

#include <algorithm>
#include <iterator>

namespace residue::lab {

void PayloadPages::Add(std::uint64_t address, std::uint64_t size) {
    if (size == 0) return;
    std::uint64_t begin = address / kPageBytes, end = (address + size - 1) / kPageBytes + 1;
    if (end <= begin) return;  // it wraps around: no payload does
    auto run = runs_.upper_bound(begin);
    if (run != runs_.begin() && std::prev(run)->second >= begin) --run;
    while (run != runs_.end() && run->first <= end) {
        begin = std::min(begin, run->first);
        end = std::max(end, run->second);
        pages_ -= run->second - run->first;
        run = runs_.erase(run);
    }
    runs_.emplace(begin, end);
    pages_ += end - begin;
}

}  // namespace residue::lab
