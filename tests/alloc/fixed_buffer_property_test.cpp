// Random operations on every policy, fixed and growing, against a shadow: after every call the walk, the shadow and
// the heap reconstructed from the events are equal, contents are kept, and errors are exactly what the state demands.
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "alloc/fixed_buffer_allocator.hpp"
#include "support/catch.hpp"
#include "alloc/support/walk.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

class Run {
public:
    Run(Placement placement, Growth growth, std::uint32_t seed)
        : memory_(kBytes / 8), heap_(FixedBufferAllocator::Make(memory_.data(), kBytes, placement, growth)),
          random_(seed) {
        heap_.AttachSink(&sink_, "heap");
    }

    void Step() {
        const unsigned dice = Below(100);
        if (dice < 45) TryAllocate();
        else if (dice < 75) TryFree();
        else if (dice < 90) TryResize();
        else if (dice < 99) TryBadFree();
        else if (Below(10) == 0) TryReset();
        Check();
    }

private:
    static constexpr std::size_t kBytes = 32 * 1024;
    struct Shadow {
        std::size_t bytes;
        unsigned char fill;
    };

    unsigned Below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    std::size_t Size() {
        const unsigned dice = Below(20);
        if (dice < 14) return Below(64);
        if (dice < 19) return Below(1024);
        return Below(16 * 1024);
    }
    std::size_t Alignment() { return Below(4) != 0 ? 8 : std::size_t{1} << Below(13); }

    void Fill(std::uintptr_t at, std::size_t bytes, unsigned char fill) {
        std::memset(reinterpret_cast<void*>(at), fill, bytes);
    }
    void RequireContents(std::uintptr_t at, std::size_t bytes, unsigned char fill) {
        const auto* const contents = reinterpret_cast<const unsigned char*>(at);
        for (std::size_t i = 0; i < bytes; ++i) {
            if (contents[i] != fill) FAIL("contents lost at byte " << i << " of " << bytes);
        }
    }

    void RequireErrorFits(MemoryError error, std::size_t bytes, std::size_t alignment) {
        const Walk walk = WalkOf(heap_);
        const std::size_t need = (std::max<std::size_t>(bytes, 1) + 8 + 7) / 8 * 8;
        if (error == MemoryError::InsufficientMemory) REQUIRE(walk.FreeBytes() < need);
        else if (error == MemoryError::Fragmentation) REQUIRE(walk.FreeBytes() >= need);
        else REQUIRE((error == MemoryError::BufferTooLarge && need + 2 * alignment + 16 > 31 * 1024));
        if (alignment > 8) return;
        REQUIRE(walk.LargestHole() < need);
    }

    void Accept(std::uintptr_t at, std::size_t bytes, std::size_t alignment) {
        bytes = std::max<std::size_t>(bytes, 1);
        REQUIRE(at % std::max<std::size_t>(alignment, 8) == 0);
        const auto base = reinterpret_cast<std::uintptr_t>(memory_.data());
        REQUIRE(at >= base + 8);
        REQUIRE(at + bytes <= base + kBytes);
        const auto above = live_.lower_bound(at);
        if (above != live_.end()) REQUIRE(at + bytes <= above->first - 8);
        if (above != live_.begin()) REQUIRE(std::prev(above)->first + std::prev(above)->second.bytes <= at - 8);
        const auto fill = static_cast<unsigned char>(Below(256));
        Fill(at, bytes, fill);
        live_[at] = {bytes, fill};
        givenBack_.erase(at);
    }

    void TryAllocate() {
        const std::size_t bytes = Size();
        const std::size_t alignment = Alignment();
        const auto block = heap_.Allocate(&heap_, bytes, alignment);
        if (block) Accept(reinterpret_cast<std::uintptr_t>(*block), bytes, alignment);
        else RequireErrorFits(block.error(), bytes, alignment);
    }
    std::map<std::uintptr_t, Shadow>::iterator Any() {
        return std::next(live_.begin(), static_cast<std::ptrdiff_t>(Below(static_cast<unsigned>(live_.size()))));
    }
    void TryFree() {
        if (live_.empty()) return;
        const auto victim = Any();
        RequireContents(victim->first, victim->second.bytes, victim->second.fill);
        REQUIRE(heap_.Free(&heap_, reinterpret_cast<void*>(victim->first)));
        givenBack_.insert(victim->first);
        live_.erase(victim);
    }
    void TryResize() {
        if (live_.empty()) return;
        const auto victim = Any();
        const auto [at, shadow] = *victim;
        const std::size_t bytes = Size();
        const std::size_t alignment = Alignment();
        const auto block = heap_.options->Resize(&heap_, reinterpret_cast<void*>(at), bytes, alignment);
        if (!block) {
            RequireErrorFits(block.error(), bytes, alignment);
            RequireContents(at, shadow.bytes, shadow.fill);
            return;
        }
        const auto now = reinterpret_cast<std::uintptr_t>(*block);
        RequireContents(now, std::min(std::max<std::size_t>(bytes, 1), shadow.bytes), shadow.fill);
        live_.erase(victim);
        givenBack_.insert(at);
        Accept(now, bytes, alignment);
    }
    void TryBadFree() {
        const auto base = reinterpret_cast<std::uintptr_t>(memory_.data());
        std::uintptr_t at = base - 64 + Below(kBytes + 128);
        if (!givenBack_.empty() && Below(2) == 0) {
            at = *std::next(givenBack_.begin(),
                            static_cast<std::ptrdiff_t>(Below(static_cast<unsigned>(givenBack_.size()))));
        }
        if (live_.count(at) != 0) return;
        const auto freed = heap_.Free(&heap_, reinterpret_cast<void*>(at));
        REQUIRE_FALSE(freed);
        const auto expected = givenBack_.count(at) != 0 ? MemoryError::DoubleFree : MemoryError::InvalidPointer;
        REQUIRE(freed.error() == expected);
        const events::Event& event = sink_.Events().back();
        REQUIRE(event.kind == events::EventKind::FreeFailed);
        auto nearest = live_.upper_bound(at);
        if (nearest != live_.begin()) --nearest;
        REQUIRE(event.NearestBlock() == (live_.empty() ? 0 : nearest->first));
    }
    void TryReset() {
        REQUIRE(heap_.options->Reset(&heap_));
        for (const auto& [at, shadow] : live_) givenBack_.insert(at);
        live_.clear();
    }

    void Check() {
        const Walk walk = WalkOf(heap_);
        if (!walk.broken.empty()) FAIL(walk.broken.front());
        REQUIRE(walk.blocks.size() == live_.size());
        auto shadow = live_.begin();
        for (const LiveBlock& block : walk.blocks) {
            REQUIRE(block.address == shadow->first);
            REQUIRE(block.size == shadow->second.bytes);
            REQUIRE(block.slack <= 8);
            REQUIRE(block.rounding < 8);
            ++shadow;
        }
        REQUIRE(walk.HeapBytes() - walk.Bookkeeping() == walk.LiveBytes() + walk.FreeBytes());
        REQUIRE(walk.FreeBytes() == heap_.FreeBytes());
        REQUIRE(walk.nodes.size() == walk.holes.size());
        for (std::size_t i = 0; i < walk.nodes.size(); ++i) {
            REQUIRE(walk.nodes[i].address == walk.holes[i].address);
            REQUIRE(walk.nodes[i].bytes == walk.holes[i].bytes);
        }
        fromEvents_.Apply(sink_.Events());
        if (!fromEvents_.illegal.empty()) FAIL(fromEvents_.illegal.front());
        REQUIRE(fromEvents_.Equals(walk));
    }

    std::vector<std::uint64_t> memory_;
    FixedBufferAllocator heap_;
    std::mt19937 random_;
    events::VectorSink sink_;
    FromEvents fromEvents_;
    std::map<std::uintptr_t, Shadow> live_;
    std::set<std::uintptr_t> givenBack_;
};

}  // namespace

TEST_CASE("Random operations on every policy leave walk, shadow and events equal after every call", "[alloc]") {
    for (const Placement placement :
         {Placement::FirstFit, Placement::NextFit, Placement::BestFit, Placement::WorstFit}) {
        for (const Growth growth : {Growth::Fixed, Growth::Growing}) {
            for (std::uint32_t seed = 1; seed <= 2; ++seed) {
                INFO("policy " << static_cast<int>(placement) << ", growth " << static_cast<int>(growth) << ", seed "
                               << seed);
                Run run(placement, growth, seed);
                for (int i = 0; i < 600; ++i) run.Step();
            }
        }
    }
}
