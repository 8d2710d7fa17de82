// The kernel's workload as an ordinary program: counts for itself what the report of the kernel must say, line by line
// as `residue report --json` prints it.
#include <cstdio>
#include <map>
#include <utility>

#include "workload.hpp"

namespace {

using namespace residue;
using events::EventKind;

// Knows nothing of the log and the model. The workload resizes nothing.
class Counter final : public events::EventSink {
public:
    std::uint64_t Begin() noexcept override { return ++steps_; }
    void Emit(const events::Event* records, std::size_t count, std::uint64_t) noexcept override {
        for (std::size_t i = 0; i < count; ++i) Take(records[i]);
    }
    TraceId Capture(unsigned) noexcept override { return {}; }
    AllocatorId NextAllocatorId() noexcept override { return AllocatorId{++allocators_}; }

    void Print() const {
        std::uint64_t liveBlocks = 0;
        for (const auto& [id, blocks] : live_) liveBlocks += blocks.size();
        const std::pair<const char*, std::uint64_t> lines[] = {
            {"events", calls_},           {"allocations", allocations_}, {"frees", frees_},
            {"resizes", 0},               {"failed", failed_},           {"bad_frees", badFrees_},
            {"live_bytes", liveBytes_},   {"live_blocks", liveBlocks},   {"peak_live_bytes", peak_},
            {"peak_event", peakCall_},    {"total_bytes", total_},
        };
        for (const auto& [name, value] : lines) {
            std::printf("  \"%s\": %llu,\n", name, static_cast<unsigned long long>(value));
        }
    }

private:
    void Take(const events::Event& event) {
        if (event.EndsCall()) ++calls_;
        auto& blocks = live_[event.allocator.value];
        switch (event.kind) {
            case EventKind::Allocated:
                ++allocations_;
                total_ += event.size;
                blocks[event.address] = event.size;
                liveBytes_ += event.size;
                if (liveBytes_ > peak_) peak_ = liveBytes_, peakCall_ = calls_;
                break;
            case EventKind::Freed:
                ++frees_;
                liveBytes_ -= blocks.at(event.address);
                blocks.erase(event.address);
                break;
            case EventKind::AllocatorDestroyed:
                frees_ += blocks.size();
                for (const auto& [address, size] : blocks) liveBytes_ -= size;
                blocks.clear();
                break;
            case EventKind::AllocateFailed: ++failed_, total_ += event.size; break;
            case EventKind::FreeFailed: ++badFrees_; break;
            default: break;
        }
    }

    std::map<std::uint16_t, std::map<std::uint64_t, std::uint64_t>> live_;
    std::uint64_t steps_ = 0, calls_ = 0, allocations_ = 0, frees_ = 0, failed_ = 0, badFrees_ = 0;
    std::uint64_t liveBytes_ = 0, peak_ = 0, peakCall_ = 0, total_ = 0;
    std::uint16_t allocators_ = 0;
};

alignas(16) std::byte heap[bare_metal::kHeapBytes];
alignas(16) std::byte table[bare_metal::kTableBytes];

}  // namespace

int main() {
    Counter counter;
    if (!bare_metal::RunWorkload(counter, heap, table)) return 1;
    counter.Print();
    return 0;
}
