// A log to measure with.
#pragma once

#include <cstdint>
#include <random>

#include "log/appender.hpp"

namespace residue::bench {

// A heap with `live` blocks, then `churn` rows that free a random block and allocate one in its place.
struct Churned {
    log::EventLog log;
    std::uint64_t filled = 0;  // rows until the heap is full
    log::LogView view;

    // `known`: the heap's region is known, and so are its holes.
    Churned(std::uint64_t live, std::uint64_t churn, bool known) {
        constexpr std::uint64_t kBase = 0x100000, kSpacing = 128;
        log::Appender appender(log);
        const auto append = [&](events::EventKind kind, std::uint64_t address, std::uint64_t size,
                                std::uint16_t header) {
            events::Event event;
            event.kind = kind;
            event.allocator = AllocatorId{1};
            event.thread = ThreadId{1};
            event.address = address;
            event.size = size;
            event.header = header;
            appender.Append(&event, 1);
        };
        if (known) append(events::EventKind::AllocatorCreated, kBase, live * kSpacing + kSpacing, 0);
        std::mt19937_64 random(1);
        const auto allocate = [&](std::uint64_t slot) {
            append(events::EventKind::Allocated, kBase + slot * kSpacing + 16, 16 + random() % 12 * 8, 8);
        };
        for (std::uint64_t slot = 0; slot < live; ++slot) allocate(slot);
        filled = log.View().Rows().value;
        for (std::uint64_t i = 0; i < churn / 2; ++i) {
            const std::uint64_t slot = random() % live;
            append(events::EventKind::Freed, kBase + slot * kSpacing + 16, 0, 0);
            allocate(slot);
        }
        view = log.View();
    }
};

}  // namespace residue::bench
