#include "export/scenario_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <vector>

#include "alloc/emitter.hpp"
#include "analysis/format.hpp"
#include "base/memory_error.hpp"
#include "export/atomic_file.hpp"

namespace residue::exports {
namespace {

using events::Event;
using events::EventFlag;
using events::EventKind;
using log::LoggedEvent;

// How a script makes the allocator whose options have this name; {} is its buffer.
struct Maker {
    const char* kind;
    const char* create;
};

constexpr Maker kMakers[] = {
    {"fixed buffer, first fit", "CreateFixedBufferAllocator(&{}, .FirstFit)"},
    {"fixed buffer, next fit", "CreateFixedBufferAllocator(&{}, .NextFit)"},
    {"fixed buffer, best fit", "CreateFixedBufferAllocator(&{}, .BestFit)"},
    {"fixed buffer, worst fit", "CreateFixedBufferAllocator(&{}, .WorstFit)"},
    {"arena", "CreateArenaAllocator(&{})"},
    {"stack", "CreateStackAllocator(&{})"},
    {"pool", "CreatePoolAllocator(&{})"},
    {"buddy", "CreateBuddyAllocator(&{})"},
    {"segregated fit", "CreateSegregatedAllocator(&{})"},
    {"two-level segregated fit (TLSF)", "CreateTlsfAllocator(&{})"},
    {"headerless good fit", "CreateHeaderlessAllocator(&{})"},
};
constexpr const char* kDefault = "CreateDefaultAllocator()";
constexpr std::uint64_t kSmallestBuffer = 64;
constexpr std::uint8_t kMostAlignmentLog2 = 12;                    // what a script may ask for
constexpr std::uint64_t kLargestBuffer = std::uint64_t{16} << 20;  // within what a script may have

class ScenarioText {
public:
    ScenarioText(const log::LogView& log, WriteSummary& counted) : log_(log), counted_(counted) {}

    void Measure(Row row) {
        const Event event = log_.At(row).event;
        if (event.kind == EventKind::AllocatorCreated) bytes_[event.allocator] = event.size;
        if (event.kind == EventKind::RegionGrown && !event.IsSampledRegion()) bytes_[event.allocator] += event.size;
        if (event.kind == EventKind::FreeFailed && event.Error() == MemoryError::DoubleFree) {
            // Its first free must leave the pointer as it is.
            for (const auto& [block, address] : freedAt_) {
                if (address == event.address) unsafe_[block] = true;
            }
        }
        const LoggedEvent logged = log_.At(row);
        if (event.kind == EventKind::Freed && logged.block) freedAt_[logged.block] = event.address;
    }

    void Take(Row row) {
        const LoggedEvent logged = log_.At(row);
        const Event& event = logged.event;
        if (event.Has(EventFlag::Region) ||
            (event.Has(EventFlag::NotACall) && event.kind != EventKind::AllocatorCreated)) {
            return;
        }
        switch (event.kind) {
            case EventKind::AllocatorCreated: return Created(row, event);
            case EventKind::AllocatorDestroyed: return Destroyed(event);
            case EventKind::Allocated:
                Line("{} := Allocate<u8>(&{}, {}{})", Named(logged.block), Heap(event), Bytes(event), Aligned(event));
                return Said(event.alignmentLog2 <= kMostAlignmentLog2);
            case EventKind::AllocateFailed: return Failed(event);
            case EventKind::ResizeEnds: return Resized(logged);
            case EventKind::Freed: return Freed(logged);
            case EventKind::FreeFailed: return FreeFailed(event);
            case EventKind::BulkFreed: return BulkFreed(event);
            case EventKind::Marker:
                if (!event.Has(EventFlag::IsCall) || event.argument == 0) return;
                marks_[event.allocator].resize(event.argument, 0);
                marks_[event.allocator].back() = ++markNumber_;
                Line("mark{} := Mark(&{})", markNumber_, Heap(event));
                return Said(true);
            default:
                if (event.EndsCall()) Said(false);
        }
    }

    std::string Body() && { return std::move(body_); }

private:
    template <class... Values>
    void Line(fmt::format_string<Values...> format, Values&&... values) {
        body_ += "    ";
        fmt::format_to(std::back_inserter(body_), format, std::forward<Values>(values)...);
        body_ += '\n';
    }
    void Said(bool whole) {
        ++counted_.operations;
        if (!whole) ++counted_.leftOut;
    }
    static std::uint64_t Bytes(const Event& event) { return std::min<std::uint64_t>(event.size, 0xFFFF'FFFF); }
    std::string Heap(const Event& event) { return heaps_.contains(event.allocator) ? heaps_[event.allocator] : "heap"; }

    std::string Named(BlockId block) {
        names_[block] = fmt::format("b{}", ++counted_.ids);
        return names_[block];
    }

    void Created(Row row, const Event& event) {
        const std::string heap = heaps_.empty() ? "heap" : fmt::format("heap{}", heaps_.size() + 1);
        heaps_[event.allocator] = heap;
        if (!body_.empty()) body_ += '\n';
        if (const auto name = log_.Text(row); !name.empty()) body_ += fmt::format("    /// {}\n", OneLine(name));
        for (const Maker& maker : kMakers) {
            if (event.argument == 0 || alloc::KindId(maker.kind) != event.argument) continue;
            const std::string buffer = heap + "Bytes";
            std::uint64_t bytes = bytes_[event.allocator];
            if (event.size == 0) bytes += bytes / 16 + kSmallestBuffer;  // its books lay beyond its end
            bytes = std::clamp(bytes, kSmallestBuffer, kLargestBuffer) / 8 * 8;
            Line("{} : [{}; u8]", buffer, bytes);
            Line("{} := {}", heap, fmt::format(fmt::runtime(maker.create), buffer));
            return;
        }
        Line("{} := {}", heap, kDefault);
    }

    void Destroyed(const Event& event) {
        // Their common name: any Destroy...Allocator takes any of them.
        Line("DestroyFixedBufferAllocator(&{})", Heap(event));
        Said(true);
    }

    // The third argument, where more than the usual 8 was asked for.
    static std::string Aligned(const Event& event) {
        if (event.alignmentLog2 <= 3) return "";
        return fmt::format(", {}", 1u << std::min(event.alignmentLog2, kMostAlignmentLog2));
    }

    void Failed(const Event& event) {
        Line("#[expect(error = .{})]", Name(event.Error()));
        Line("none{} := Allocate<u8>(&{}, {}{})?", ++failures_, Heap(event), Bytes(event), Aligned(event));
        Said(event.alignmentLog2 <= kMostAlignmentLog2);
    }

    void Resized(const LoggedEvent& logged) {
        const Event& event = logged.event;
        const BlockId old = event.Failed() ? logged.block : logged.oldBlock;
        if (!names_.contains(old)) return Said(false);
        const std::string name = names_[old];
        if (event.Failed()) {
            Line("#[expect(error = .{})]", Name(event.Error()));
            Line("none{} := Resize(&{}, {}, {})?", ++failures_, Heap(event), name, Bytes(event));
            return Said(true);
        }
        Line("{} = Resize(&{}, {}, {})", name, Heap(event), name, Bytes(event));
        names_[logged.block] = name;
        Said(true);
    }

    void Freed(const LoggedEvent& logged) {
        if (!names_.contains(logged.block)) return Said(false);
        const bool again = unsafe_.contains(logged.block);
        Line("{}(&{}, {})", again ? "UnsafeFree" : "Free", Heap(logged.event), names_[logged.block]);
        if (again) stale_[logged.event.address] = names_[logged.block];
        Said(true);
    }

    void FreeFailed(const Event& event) {
        const auto stale = stale_.find(event.address);
        if (event.Error() != MemoryError::DoubleFree || stale == stale_.end()) return Said(false);
        Line("#[expect(error = .DoubleFree)]");
        Line("UnsafeFree(&{}, {})", Heap(event), stale->second);
        Said(true);
    }

    void BulkFreed(const Event& event) {
        auto& marks = marks_[event.allocator];
        if (event.argument != 0 && event.argument <= marks.size()) {
            Line("Release(&{}, mark{})", Heap(event), marks[event.argument - 1]);
            marks.resize(event.argument - 1);
        } else {
            Line("Reset(&{})", Heap(event));
            marks.clear();
        }
        Said(true);
    }

    static std::string OneLine(std::string_view text) {
        std::string line(text.substr(0, 200));
        std::replace_if(
            line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
        return line;
    }

    const log::LogView& log_;
    WriteSummary& counted_;
    std::string body_;
    std::map<AllocatorId, std::uint64_t> bytes_;
    std::map<AllocatorId, std::string> heaps_;
    std::map<AllocatorId, std::vector<std::uint64_t>> marks_;  // numbers of those that are valid, oldest first
    std::map<BlockId, std::string> names_;
    std::map<BlockId, std::uint64_t> freedAt_;
    std::map<BlockId, bool> unsafe_;
    std::map<std::uint64_t, std::string> stale_;  // address to the variable that still has it
    std::uint64_t markNumber_ = 0, failures_ = 0;
};

}  // namespace

Outcome<void> WriteScenario(const log::LogView& log, const std::string& path, const std::string& title,
                            const WriteExtras& extras) {
    if (log.Positions().value > kMostScenarioCalls) {
        return Fail(Failure{path, "this run has " + analysis::FormatCount(log.Positions().value) + " calls",
                            "at most " + analysis::FormatCount(kMostScenarioCalls) + " for a scenario"});
    }
    WriteSummary counted;
    ScenarioText text(log, counted);
    const auto each = [&](auto take) {
        for (Row row{}; row < log.Rows(); ++row) {
            if (extras.cancelled != nullptr && extras.cancelled->load(std::memory_order_relaxed)) return false;
            take(row);
        }
        return true;
    };
    if (!each([&](Row row) { text.Measure(row); }) || !each([&](Row row) { text.Take(row); })) {
        return Fail(Failure{"", "cancelled", ""});
    }
    std::string heading = title.substr(0, 200);
    std::replace_if(
        heading.begin(), heading.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    file->Write(fmt::format("/// {}\n/// What was done, call by call: {} calls.\n\nmain :: proc()\n{{\n", heading,
                            analysis::FormatCount(log.Positions().value)));
    file->Write(std::move(text).Body());
    file->Write("}\n");
    const Outcome<void> done = file->Commit();
    if (done && extras.summary != nullptr) *extras.summary = counted;
    return done;
}

}  // namespace residue::exports
