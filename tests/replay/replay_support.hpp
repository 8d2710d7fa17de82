// Replaying traces written as text in tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "events/sinks.hpp"
#include "import/trace.hpp"
#include "replay/replay.hpp"
#include "support/catch.hpp"

namespace residue::replay {

struct Replayed {
    import::TraceFigures figures;
    std::vector<events::Event> events;
    std::string failure;
    std::string remark;  // the text of the last marker

    std::uint64_t Calls() const {
        std::uint64_t calls = 0;
        for (const events::Event& event : events) calls += event.EndsCall() ? 1 : 0;
        return calls;
    }
    // Without AllocatorCreated and RegionGrown.
    std::vector<events::Event> Requests() const {
        std::vector<events::Event> requests;
        for (const events::Event& event : events) {
            const bool isRequest = event.kind != events::EventKind::AllocatorCreated &&
                                   event.kind != events::EventKind::RegionGrown;
            if (isRequest) requests.push_back(event);
        }
        return requests;
    }
    std::uint64_t HeapBytes() const {
        std::uint64_t bytes = 0;
        for (const events::Event& event : events) {
            const bool grows = event.kind == events::EventKind::AllocatorCreated ||
                               event.kind == events::EventKind::RegionGrown;
            bytes += grows ? event.size : 0;
        }
        return bytes;
    }
};

inline Replayed ReplayText(std::string_view text, const ReplayOptions& options = {},
                           const std::string& name = "t.rep") {
    Replayed replayed;
    auto first = import::OpenTraceBytes(name, text);
    REQUIRE(first);
    const auto figures = import::ReadFigures(**first, nullptr);
    REQUIRE(figures);
    replayed.figures = *figures;
    auto replay = Replay::Create(*figures, options);
    if (!replay) {
        replayed.failure = replay.error().Text();
        return replayed;
    }
    auto second = import::OpenTraceBytes(name, text);
    REQUIRE(second);
    events::VectorSink sink;
    const std::atomic<bool> cancelled = false;
    std::atomic<double> progress = 0;
    const auto done = (*replay)->Run(**second, sink, cancelled, &progress);
    if (!done) replayed.failure = done.error().Text();
    if (done) CHECK(progress.load() == 1.0);
    replay->reset();  // what the allocator says at its end would come here
    replayed.events = sink.Events();
    for (std::size_t i = 0; i < replayed.events.size(); ++i) {
        if (replayed.events[i].kind == events::EventKind::Marker) replayed.remark = sink.Text(i);
    }
    return replayed;
}

inline std::string Kinds(const std::vector<events::Event>& events) {
    std::string kinds;
    for (const events::Event& event : events)
        kinds += (kinds.empty() ? "" : " ") + std::string(Info(event.kind).identifier);
    return kinds;
}

}  // namespace residue::replay
