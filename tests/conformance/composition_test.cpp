// Any allocator on any other: every one that takes its memory from a parent, on every registered one, and three deep.
// The books of each level balance, the model of the merged events shows the nesting, nested bytes count once, and the
// end of the outer one gives everything back.
#include <algorithm>
#include <cstring>

#include "alloc/support/on_parent.hpp"
#include "analysis/call_tree.hpp"
#include "analysis/series.hpp"
#include "conformance/subject.hpp"

using namespace residue;
using namespace residue::conformance;

namespace {

constexpr AllocatorId kParent{1};
constexpr AllocatorId kChild{2};

model::HeapModel ModelOf(const LogSink& sink) {
    model::HeapModel heap;
    const log::LogView view = sink.View();
    while (heap.Applied() < view.Rows()) heap.Apply(view);
    return heap;
}

std::uint64_t PeakOf(const LogSink& sink) {
    analysis::Series series;
    while (!series.Extend(sink.View(), 1 << 16)) {
    }
    return series.Run().peakLiveBytes;
}

// What a program does with the allocator at the top, and what it holds there.
class Workload {
public:
    explicit Workload(alloc::Allocator* allocator) : allocator_(allocator) {}

    void Step(std::size_t i) {
        const std::size_t bytes = 1 + i * 7 % 60;  // a slot of a pool has 64
        const auto block = allocator_->Allocate(allocator_, bytes, 8);
        if (block) Hold(*block, bytes);
        else ++failed_;
        if (i % 3 == 2 && !held_.empty()) Give(i / 2 % held_.size());
        if (i % 5 == 4 && !held_.empty() && allocator_->options->Resize != nullptr) {
            Held& some = held_[i % held_.size()];
            CheckFill(some);
            const auto moved = allocator_->options->Resize(allocator_, some.at, 40, 8);
            if (moved) {
                CheckFill({static_cast<std::byte*>(*moved), std::min<std::size_t>(some.bytes, 40), some.fill});
                payload_ = payload_ - some.bytes + 40;
                some = {static_cast<std::byte*>(*moved), 40, some.fill};
                std::memset(some.at, static_cast<int>(some.fill), 40);
                peak_ = std::max(peak_, payload_);
            }
        }
    }
    void GiveAll() {
        while (!held_.empty()) Give(held_.size() - 1);
    }

    std::uint64_t Payload() const { return payload_; }
    std::uint64_t Peak() const { return peak_; }
    std::size_t Blocks() const { return held_.size(); }
    std::size_t Failed() const { return failed_; }

private:
    struct Held {
        std::byte* at;
        std::size_t bytes;
        std::byte fill;
    };
    void Hold(void* block, std::size_t bytes) {
        const auto fill = static_cast<std::byte>(++serial_);
        std::memset(block, static_cast<int>(fill), bytes);
        held_.push_back({static_cast<std::byte*>(block), bytes, fill});
        payload_ += bytes;
        peak_ = std::max(peak_, payload_);
    }
    void Give(std::size_t at) {
        CheckFill(held_[at]);
        REQUIRE(allocator_->Free(allocator_, held_[at].at));
        payload_ -= held_[at].bytes;
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    static void CheckFill(const Held& held) {
        if (std::any_of(held.at, held.at + held.bytes, [&](std::byte b) { return b != held.fill; })) FAIL("written to");
    }

    alloc::Allocator* allocator_;
    std::vector<Held> held_;
    std::uint64_t payload_ = 0;
    std::uint64_t peak_ = 0;
    std::size_t failed_ = 0;
    std::size_t serial_ = 0;
};

// The allocator's walk is the model's heap; the sums of its parts are its regions.
void RequireBalanced(const alloc::Allocator& allocator, const model::HeapModel& heap, AllocatorId id) {
    const model::AllocatorState* const state = heap.Find(id);
    REQUIRE(state != nullptr);
    if (allocator.options == nullptr || allocator.options->Inspect == nullptr) return;
    const alloc::Walk walk = alloc::WalkOf(allocator);
    for (const std::string& broken : walk.broken) FAIL("invariant: " << broken);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> theirs, ours;
    for (const alloc::LiveBlock& b : walk.blocks) theirs.emplace_back(b.address, b.size);
    heap.VisitBlocks(id, 0, ~std::uint64_t{0}, [&](const model::Block& b) {
        ours.emplace_back(b.address, b.size);
        return true;
    });
    std::sort(theirs.begin(), theirs.end());
    std::sort(ours.begin(), ours.end());
    REQUIRE(theirs == ours);
    if (walk.regions.empty()) return;
    REQUIRE(state->totals.heap == walk.HeapBytes());
    const model::Totals& totals = state->totals;
    REQUIRE(totals.heap == totals.SetAside() + totals.free + totals.dead + totals.bookkeeping);
}

// Each region of the child is inside a block of the parent's that is marked as one.
void RequireNested(const model::HeapModel& heap, AllocatorId child, AllocatorId parent) {
    for (const model::Region& region : heap.Regions(child)) {
        const auto block = heap.BlockAt(parent, region.begin);
        REQUIRE(block);
        REQUIRE(block->region);
        REQUIRE(block->begin <= region.begin);
        REQUIRE(region.end + region.bookkeeping <= block->end);
    }
}

}  // namespace

TEST_CASE("any allocator on any other: books balance, regions are the parent's blocks, bytes count once") {
    const bool freesAll = GENERATE(false, true);
    for (const alloc::LayerKind& kind : alloc::OnParent()) {
        if (!kind.regions) continue;
        for (const alloc::Registration& entry : alloc::Registry()) {
            INFO(kind.name << " on " << entry.name << (freesAll ? ", all freed" : ", nothing freed at the end"));
            const support::QuietErrors quiet;  // the duck's
            Instance parent(entry, Instance::kReserved);
            const auto child = kind.Make(parent.allocator);
            child->Attach(&parent.sink, kind.name, kParent);
            Workload workload(child->Get());
            model::HeapModel heap;
            for (std::size_t i = 0; i < 150; ++i) {
                workload.Step(i);
                const log::LogView view = parent.sink.View();
                while (heap.Applied() < view.Rows()) heap.Apply(view);
                REQUIRE(parent.sink.WasLegal());
                RequireBalanced(*child->Get(), heap, kChild);
                RequireBalanced(*parent.allocator, heap, kParent);
                RequireNested(heap, kChild, kParent);
                REQUIRE(heap.Sum().payload == workload.Payload());
                REQUIRE(heap.Sum().blocks == workload.Blocks());
            }
            // A pool's slot is too small for a region: then every request fails, and that is all.
            const bool fits = entry.name != std::string_view("pool");
            CHECK(workload.Failed() == (fits ? 0 : 150));
            if (fits) CHECK(heap.Regions(kChild).size() >= (kind.atLeast == alloc::kLayerBufferBytes ? 1u : 3u));
            if (fits && entry.inBuffer) CHECK(heap.Sum().heap == heap.Find(kParent)->totals.heap);
            CHECK(heap.Find(kParent)->totals.regionPayload == heap.Find(kParent)->totals.payload);

            if (freesAll) workload.GiveAll();
            child->Destroy();  // the rest goes with it
            const model::HeapModel after = ModelOf(parent.sink);
            CHECK(parent.sink.WasLegal());
            CHECK(after.Find(kParent)->totals.blocks == 0);
            CHECK(after.Sum().payload == 0);
            RequireBalanced(*parent.allocator, after, kParent);
            CHECK(analysis::FindLeaks(parent.sink.View(), after).empty());
            if (kind.atLeast == alloc::kLayerRegionBytes) CHECK(PeakOf(parent.sink) == workload.Peak());
        }
    }
}

TEST_CASE("allocators that pass blocks on work on any other, and give back what was not freed") {
    for (const alloc::LayerKind& kind : alloc::OnParent()) {
        if (kind.regions) continue;
        for (const alloc::Registration& entry : alloc::Registry()) {
            INFO(kind.name << " on " << entry.name);
            const support::QuietErrors quiet;
            Instance parent(entry, Instance::kReserved);
            const auto outer = kind.Make(parent.allocator);
            Workload workload(outer->Get());
            for (std::size_t i = 0; i < 150; ++i) {
                workload.Step(i);
                const model::HeapModel heap = ModelOf(parent.sink);
                REQUIRE(parent.sink.WasLegal());
                RequireBalanced(*parent.allocator, heap, kParent);
                REQUIRE(heap.Sum().payload >= workload.Payload());  // and the books of the outer one
            }
            if (kind.name == std::string_view("default, distribution")) workload.GiveAll();  // it keeps no books
            outer->Destroy();
            const model::HeapModel after = ModelOf(parent.sink);
            CHECK(after.Find(kParent)->totals.blocks == 0);
            RequireBalanced(*parent.allocator, after, kParent);
        }
    }
}

TEST_CASE("a fixed buffer in an arena in a default allocator: three levels, and only real leaks are named") {
    LogSink sink;
    std::string report;
    alloc::DefaultAllocatorSettings settings;
    settings.books = alloc::InternalAllocator();
    settings.writerContext = &report;
    settings.writer = [](void* context, const char* text, std::size_t length) {
        static_cast<std::string*>(context)->append(text, length);
    };
    alloc::DefaultAllocator<alloc::Profile::Debug> bottom(settings);
    bottom.AttachSink(&sink, "default");
    alloc::ArenaAllocator middle = alloc::CreateArenaAllocator(alloc::HeapMemory::From(&bottom, 16 * 1024));
    middle.AttachSink(&sink, "arena", AllocatorId{1});
    auto buffer = alloc::Allocate<std::byte>(&middle, 4096);
    REQUIRE(buffer);
    alloc::FixedBufferAllocator top = alloc::CreateFixedBufferAllocator(*buffer, 4096);
    top.AttachSink(&sink, "fixed buffer", AllocatorId{2});

    const auto inTop = alloc::Allocate<char>(&top, 100);
    const auto inMiddle = alloc::Allocate<char>(&middle, 30);
    const auto inBottom = alloc::Allocate<char>(&bottom, 7);
    REQUIRE((inTop && inMiddle && inBottom));
    const model::HeapModel heap = ModelOf(sink);
    REQUIRE(sink.WasLegal());
    RequireNested(heap, AllocatorId{3}, AllocatorId{2});
    RequireNested(heap, AllocatorId{2}, AllocatorId{1});
    REQUIRE(heap.Regions(AllocatorId{2}).size() == 1);
    REQUIRE(heap.Regions(AllocatorId{3}).size() == 1);
    CHECK(heap.Find(AllocatorId{3})->parent == AllocatorId{2});
    CHECK(heap.Find(AllocatorId{1})->totals.payload == 16 * 1024 + 7);
    CHECK(heap.Find(AllocatorId{2})->totals.payload == 4096 + 30);
    CHECK(heap.Find(AllocatorId{3})->totals.payload == 100);
    CHECK(heap.Sum().payload == 137);
    CHECK(heap.Sum().blocks == 3);

    // Leaks so far, in every level, and no region among them.
    std::vector<std::pair<std::uint16_t, std::uint64_t>> leaks;
    for (const analysis::Leak& leak : analysis::FindLeaks(sink.View(), heap)) {
        leaks.emplace_back(leak.allocator.value, leak.bytes);
    }
    std::sort(leaks.begin(), leaks.end());
    CHECK(leaks == std::vector<std::pair<std::uint16_t, std::uint64_t>>{{1, 7}, {2, 30}, {3, 100}});

    alloc::DestroyFixedBufferAllocator(&top);
    CHECK(alloc::Free(&middle, *buffer));
    alloc::DestroyArenaAllocator(&middle);
    CHECK(bottom.LiveCount() == 1);
    CHECK(alloc::DestroyDefaultAllocator(&bottom) == 1);  // its own block: the regions came back
    CAPTURE(report);
    CHECK(report.find("Unfreed buffer @ ") == report.rfind("Unfreed buffer @ "));
    const model::HeapModel after = ModelOf(sink);
    CHECK(sink.WasLegal());
    CHECK(after.Sum().blocks == 0);
    // At the buffer's end it was a plain block of the arena's for a moment, until it was freed.
    CHECK(PeakOf(sink) == 4096 + 30 + 7);
}
