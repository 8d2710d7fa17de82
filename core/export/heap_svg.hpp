// Writes the heap of one allocator at one moment as SVG: rows of addresses, with blocks, what is set aside beside them,
// holes and bookkeeping, and a legend. Up to kMostShapes blocks and holes each is a shape of its own with its address
// and size in its title; of more, cells show how much of them is in use.
//
//     auto done = exports::WriteHeapSvg(session.Heap(), session.View(), {.allocator = id, .title = "..."}, "heap.svg");
//
// Rows in which nothing lies are left out, and said. Cost: a look at each live block. Failures: the writing's,
// cancelled. Thread safety: none needed.
#pragma once

#include <cstddef>
#include <string>

#include "export/trace_writer.hpp"
#include "log/event_log.hpp"
#include "model/heap_model.hpp"

namespace residue::exports {

inline constexpr std::size_t kMostShapes = 6000;

struct HeapSvgOptions {
    AllocatorId allocator{};
    std::string title;     // shown, and read out: what file, which moment
    std::string subtitle;  // figures
};

// `extras.summary`: `operations` shapes or cells drawn.
Outcome<void> WriteHeapSvg(const model::HeapModel& heap, const log::LogView& log, const HeapSvgOptions& options,
                           const std::string& path, const WriteExtras& extras = {});

}  // namespace residue::exports
