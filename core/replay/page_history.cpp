#include "replay/page_history.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace residue::replay {
namespace {

constexpr std::size_t kBatch = 8192;                      // pages asked about at once
constexpr std::uint64_t kThere = std::uint64_t{3} << 62;  // present, or swapped out (proc_pid_pagemap(5))

bool IsZero(const std::byte* bytes) {
    // Each byte equals the one before it, and the first is zero.
    return bytes[0] == std::byte{} && std::memcmp(bytes, bytes + 1, PageHistory::kPage - 1) == 0;
}

}  // namespace

template <class Visit>
void PageHistory::VisitWritten(Visit visit) const {
    auto* const base = static_cast<std::byte*>(range_->Base());
    const std::uint64_t pages = range_->Bytes() / kPage;
    const int map = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    std::vector<std::uint64_t> entries(kBatch);
    for (std::uint64_t first = 0; first < pages; first += kBatch) {
        const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(kBatch, pages - first));
        const auto offset = static_cast<off_t>((range_->Address() / kPage + first) * sizeof entries[0]);
        const auto wanted = static_cast<ssize_t>(count * sizeof entries[0]);
        const bool told = map >= 0 && ::pread(map, entries.data(), static_cast<std::size_t>(wanted), offset) == wanted;
        for (std::size_t i = 0; i < count; ++i) {
            if (!told || (entries[i] & kThere) != 0) visit(first + i, base + (first + i) * kPage);
        }
    }
    if (map >= 0) ::close(map);
}

auto PageHistory::At(const std::vector<Version>& versions, std::size_t moment) -> const Version* {
    const auto after = std::upper_bound(versions.begin(), versions.end(), moment,
                                        [](std::size_t m, const Version& version) { return m < version.moment; });
    return after == versions.begin() ? nullptr : &*std::prev(after);
}

void PageHistory::Keep() {
    seen_ = 0;
    ++keeps_;
    VisitWritten([&](std::uint64_t page, const std::byte* bytes) {
        ++seen_;
        const auto known = pages_.find(page);
        if (known != pages_.end()) known->second.kept = keeps_;
        const Content* last = known == pages_.end() ? nullptr : known->second.versions.back().content.get();
        if (last != nullptr ? std::memcmp(last->data(), bytes, kPage) == 0 : IsZero(bytes)) return;
        std::unique_ptr<Content> content;
        if (!IsZero(bytes)) {
            content = std::make_unique<Content>();
            std::memcpy(content->data(), bytes, kPage);
            bytes_ += kPage;
        }
        Page& kept = pages_[page];
        kept.kept = keeps_;
        kept.versions.push_back({moments_, std::move(content)});
    });
    // Pages that were given back since are not told any more, and read as zero.
    for (auto& [page, kept] : pages_) {
        if (kept.kept != keeps_ && kept.versions.back().content) kept.versions.push_back({moments_, nullptr});
    }
    ++moments_;
}

void PageHistory::Restore(std::size_t moment) {
    VisitWritten([&](std::uint64_t page, std::byte* bytes) {
        const auto known = pages_.find(page);
        const Version* version = known == pages_.end() ? nullptr : At(known->second.versions, moment);
        if (version != nullptr && version->content != nullptr) {
            std::memcpy(bytes, version->content->data(), kPage);
        } else if (!IsZero(bytes)) {
            std::memset(bytes, 0, kPage);
        }
    });
    // And those that are not told now, but had something then.
    for (const auto& [page, kept] : pages_) {
        const Version* version = At(kept.versions, moment);
        if (version == nullptr || version->content == nullptr) continue;
        auto* const bytes = static_cast<std::byte*>(range_->Base()) + page * kPage;
        if (std::memcmp(bytes, version->content->data(), kPage) != 0) {
            std::memcpy(bytes, version->content->data(), kPage);
        }
    }
}

void PageHistory::DropOdd() {
    moments_ = (moments_ + 1) / 2;
    for (auto page = pages_.begin(); page != pages_.end();) {
        std::vector<Version> kept;
        for (Version& version : page->second.versions) {
            // What changed at an odd moment is first seen at the even one after it.
            version.moment = (version.moment + 1) / 2;
            if (version.moment >= moments_) {
                if (version.content) bytes_ -= kPage;
                continue;
            }
            if (!kept.empty() && kept.back().moment == version.moment) {
                if (kept.back().content) bytes_ -= kPage;
                kept.back() = std::move(version);
            } else {
                kept.push_back(std::move(version));
            }
        }
        page->second.versions = std::move(kept);
        page = page->second.versions.empty() ? pages_.erase(page) : std::next(page);
    }
}

}  // namespace residue::replay
