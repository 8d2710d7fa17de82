#include "analysis/why.hpp"

#include <algorithm>
#include <vector>

#include "analysis/format.hpp"

namespace residue::analysis {
namespace {

using alloc::Decision;
using alloc::DecisionKind;
using alloc::ProbeVerdict;
using events::Event;
using events::EventKind;

constexpr std::size_t kSizesTold = 4;

std::string Counted(std::size_t count, const char* one, const char* many) {
    return FormatCount(count) + " " + (count == 1 ? one : many);
}

// "72 B, 64 B and 3 more"
std::string Sizes(const std::vector<std::uint64_t>& sizes) {
    std::string text;
    const std::size_t told = sizes.size() <= kSizesTold ? sizes.size() : kSizesTold - 1;
    for (std::size_t i = 0; i < told; ++i) {
        if (i > 0) text += i + 1 == sizes.size() ? " and " : ", ";
        text += FormatBytes(sizes[i]);
    }
    if (told < sizes.size()) text += " and " + FormatCount(sizes.size() - told) + " more";
    return text;
}

struct Search {
    std::size_t probes = 0;
    std::vector<std::uint64_t> tooSmall, misaligned, worse;
    const Decision* taken = nullptr;  // the last one that was: best and worst fit change their mind
    const Decision* split = nullptr;
    std::vector<const Decision*> joined;
};

Search Read(std::span<const Decision> decisions) {
    Search search;
    for (const Decision& each : decisions) {
        if (each.kind == DecisionKind::Split) search.split = &each;
        if (each.kind == DecisionKind::Coalesce) search.joined.push_back(&each);
        if (each.kind != DecisionKind::Probe) continue;
        ++search.probes;
        switch (each.verdict) {
            case ProbeVerdict::TooSmall: search.tooSmall.push_back(each.bytes); break;
            case ProbeVerdict::TooSmallAligned: search.misaligned.push_back(each.bytes); break;
            case ProbeVerdict::AnotherIsBetter: search.worse.push_back(each.bytes); break;
            case ProbeVerdict::Taken:
                if (search.taken != nullptr) search.worse.push_back(search.taken->bytes);
                search.taken = &each;
                break;
        }
    }
    return search;
}

// What it refused, and why: a sentence each.
std::string Refusals(const Search& search) {
    std::string text;
    if (!search.tooSmall.empty()) {
        text += " " + Counted(search.tooSmall.size(), "was", "were") + " too small (" + Sizes(search.tooSmall) + ").";
    }
    if (!search.misaligned.empty()) {
        text += " " + Counted(search.misaligned.size(), "was", "were") +
                " large enough, but not from an aligned address on (" + Sizes(search.misaligned) + ").";
    }
    if (!search.worse.empty()) {
        text += " " + Counted(search.worse.size(), "fits", "fit") + " too, but another suits its rule better (" +
                Sizes(search.worse) + ").";
    }
    return text;
}

std::string Placed(const Event& event, const Search& search) {
    std::string text;
    if (search.probes > 0) text = "It looked at " + Counted(search.probes, "hole", "holes") + "." + Refusals(search);
    if (search.taken != nullptr) {
        text +=
            " It took the one of " + FormatBytes(search.taken->bytes) + " at " + FormatAddress(search.taken->address);
        if (search.split == nullptr) {
            text += event.slack != 0 ? ", all of it: what is left over is too small to be a hole." : ", all of it.";
        } else {
            const bool lower = search.split->address <= event.address &&
                               event.address < search.split->address + search.split->bytes;
            const std::uint64_t rest = lower ? search.split->otherBytes : search.split->bytes;
            text += " and split it: " + FormatBytes(rest) + " stay a hole.";
        }
    } else if (search.probes > 0) {
        text += " None of them would do.";
    }
    return text;
}

std::string GivenBack(const Search& search) {
    if (search.joined.empty()) return "Neither neighbour is a hole, so it is one of its own.";
    const Decision& last = *search.joined.back();
    const std::uint64_t whole = last.bytes + last.otherBytes;
    return search.joined.size() == 1
               ? "A neighbour was a hole already: joined, they are one of " + FormatBytes(whole) + "."
               : "It was joined with " + FormatCount(search.joined.size()) + " other holes to one of " +
                     FormatBytes(whole) + ".";
}

}  // namespace

std::string ExplainDecisions(const Event& event, std::span<const Decision> decisions, std::string_view rule) {
    const Search search = Read(decisions);
    std::string text;
    switch (event.kind) {
        case EventKind::Allocated:
        case EventKind::AllocateFailed:
        case EventKind::ResizeEnds:
            text = Placed(event, search);
            break;
        case EventKind::Freed:
            if (event.Has(events::EventFlag::StaysDead) || decisions.empty()) return {};
            return GivenBack(search);
        default: return {};
    }
    if (text.empty()) return {};
    if (text.front() == ' ') text.erase(0, 1);
    return rule.empty() ? text : "Its rule: " + std::string(rule) + " " + text;
}

}  // namespace residue::analysis
