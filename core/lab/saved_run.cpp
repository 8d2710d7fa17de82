#include "lab/saved_run.hpp"

#include <algorithm>
#include <vector>

#include "log/appender.hpp"

namespace residue::lab {
namespace {

using events::Event;
using events::EventFlag;
using events::EventKind;

constexpr AllocatorId kAllocator{1};

class LogWriter {
public:
    // `heapBase`: 0 where nothing is known of the heap; then what was not placed is a failed request.
    LogWriter(std::uint64_t slots, std::uint64_t heapBase, log::EventLog& log)
        : appender_(log), heapBase_(heapBase), blocks_(slots), end_(heapBase) {}

    void Begin(const std::string& allocator) {
        Event event = Make(EventKind::AllocatorCreated);
        event.address = heapBase_;
        appender_.Append(event, allocator);
    }

    void Add(const Op& op, const Record& record) {
        Grow(record.heapEnd);
        Block& block = blocks_[op.slot];
        switch (op.kind) {
            case OpKind::Malloc:
            case OpKind::ReallocNull: return Place(op, record, block);
            case OpKind::Free:
            case OpKind::ReallocFree: return Take(block);
            case OpKind::Realloc: return Resize(op, record, block);
            case OpKind::FreeNull:
            case OpKind::Touch:
            case OpKind::Nothing: return Idle();
        }
    }

    // A call that came to no good.
    void Fail() { Idle(); }

    void End(const std::string& problem) {
        if (!problem.empty()) appender_.Append(Make(EventKind::Marker), problem);
        appender_.Flush();
    }

private:
    struct Block {
        std::uint64_t address = 0;  // 0: none
    };

    Event Make(EventKind kind) {
        Event event;
        event.kind = kind;
        event.allocator = kAllocator;
        event.stamp = stamp_++;
        return event;
    }
    void Tell(const Event& event) { appender_.Append(&event, 1); }

    void Grow(std::uint64_t end) {
        if (heapBase_ == 0 || end <= end_) return;
        Event event = Make(EventKind::RegionGrown);
        event.address = end_;
        event.size = end - end_;
        Tell(event);
        end_ = end;
    }
    void Idle() {
        Event event = Make(EventKind::Step);
        event.flags = events::Bit(EventFlag::IsCall);
        Tell(event);
    }
    void Place(const Op& op, const Record& record, Block& block) {
        block.address = record.address;
        if (record.address == 0) return Refuse(op);
        Event event = Make(EventKind::Allocated);
        event.address = record.address;
        event.size = op.size;
        Tell(event);
    }
    void Refuse(const Op& op) {
        if (heapBase_ != 0 || op.size == 0) return Idle();
        Event event = Make(EventKind::AllocateFailed);
        event.size = op.size;
        event.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
        Tell(event);
    }
    void Take(Block& block) {
        if (block.address == 0) return Idle();
        Event event = Make(EventKind::Freed);
        event.address = block.address;
        Tell(event);
        block.address = 0;
    }
    void Resize(const Op& op, const Record& record, Block& block) {
        if (block.address == 0) return Place(op, record, block);
        Event begins = Make(EventKind::ResizeBegins);
        begins.address = block.address;
        begins.size = op.size;
        Tell(begins);
        Event ends = Make(EventKind::ResizeEnds);
        ends.address = record.address;
        ends.size = op.size;
        ends.argument = block.address;
        const bool isRefused = heapBase_ == 0 && record.address == 0;
        if (isRefused) ends.address = 0, ends.argument = 0;
        if (isRefused) ends.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
        Tell(ends);
        if (!isRefused) block.address = record.address;
    }

    log::Appender appender_;
    const std::uint64_t heapBase_;
    std::vector<Block> blocks_;
    std::uint64_t stamp_ = 0;
    std::uint64_t end_;
};

}  // namespace

void WriteLog(const LabTrace& trace, std::span<const Record> records, const std::string& allocator,
              const std::string& problem, log::EventLog& log, std::optional<std::uint64_t> failedOp) {
    log::SourceInfo source;
    source.name = trace.name;
    source.provenance = "run by residue lab through " + allocator;
    source.payloadsOnly = kAllocator;
    log.SetSource(source);
    LogWriter writer(trace.slots, kHeapBase, log);
    writer.Begin(allocator);
    const std::size_t count = std::min(records.size(), trace.ops.size());
    for (std::size_t i = 0; i < count; ++i) writer.Add(trace.ops[i], records[i]);
    if (failedOp == count && count < trace.ops.size()) writer.Fail();
    writer.End(problem);
}

void WriteSystemLog(const LabTrace& trace, std::span<const Record> records, const std::string& allocator,
                    log::EventLog& log) {
    log::SourceInfo source;
    source.name = trace.name;
    source.provenance = "run through " + allocator;
    log.SetSource(source);
    LogWriter writer(trace.slots, 0, log);
    writer.Begin(allocator);
    const std::size_t count = std::min(records.size(), trace.ops.size());
    for (std::size_t i = 0; i < count; ++i) writer.Add(trace.ops[i], records[i]);
    writer.End({});
}

}  // namespace residue::lab
