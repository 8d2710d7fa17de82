// The four placement policies on a growing heap: millions of operations a second, and utilisation (peak payload over
// heap size), on shapes generated here: a program's size mix, pairs that coalesce, a random mix, small and large in
// turn with the large ones freed (CS:APP's "binary"), a buffer that grows by resizing, mixed lifetimes, powers of two.
#include <sys/mman.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "alloc/fixed_buffer_allocator.hpp"
#include "bench/harness.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

struct Operation {
    char kind;  // 'a', 'f', 'r'
    std::uint32_t id;
    std::uint32_t bytes;
};

struct Shape {
    std::string name;
    std::vector<Operation> operations;
    std::uint32_t ids = 0;

    std::uint32_t Allocate(std::size_t bytes) {
        operations.push_back({'a', ids, static_cast<std::uint32_t>(bytes)});
        return ids++;
    }
    void Free(std::uint32_t id) { operations.push_back({'f', id, 0}); }
    void Resize(std::uint32_t id, std::size_t bytes) {
        operations.push_back({'r', id, static_cast<std::uint32_t>(bytes)});
    }
};

// Replaces random ones of `live` blocks, whose sizes `size()` says.
template <class Size>
Shape Churn(std::string name, std::size_t live, std::size_t operations, Size size) {
    Shape shape{std::move(name), {}, 0};
    std::minstd_rand random(7);
    std::vector<std::uint32_t> blocks;
    while (shape.operations.size() < operations) {
        if (blocks.size() < live) {
            blocks.push_back(shape.Allocate(size(random)));
        } else {
            std::swap(blocks[random() % blocks.size()], blocks.back());
            shape.Free(blocks.back());
            blocks.pop_back();
        }
    }
    return shape;
}

std::vector<Shape> Shapes(std::size_t count) {
    std::vector<Shape> shapes;
    shapes.push_back(Churn("program mix", 1000, count, [](auto& random) -> std::size_t {
        const auto dice = random() % 100;
        if (dice < 60) return 8 + random() % 56;
        if (dice < 95) return 64 + random() % 448;
        return 512 + random() % 8000;
    }));
    shapes.push_back(Churn("random", 500, count, [](auto& random) -> std::size_t { return 1 + random() % 32'000; }));
    shapes.push_back(Churn("powers of two", 800, count,
                           [](auto& random) -> std::size_t { return std::size_t{16} << random() % 8; }));
    shapes.push_back(Churn("small churn", 4000, count, [](auto& random) -> std::size_t { return 8 + random() % 40; }));

    Shape pairs{"coalescing", {}, 0};
    for (std::size_t i = 0; i < count / 5; ++i) {
        const auto a = pairs.Allocate(4095), b = pairs.Allocate(4095);
        pairs.Free(a), pairs.Free(b);
        pairs.Free(pairs.Allocate(8190));
    }
    shapes.push_back(std::move(pairs));

    Shape binary{"binary", {}, 0};
    std::vector<std::uint32_t> large;
    for (std::size_t i = 0; i < count / 6; ++i) binary.Allocate(64), large.push_back(binary.Allocate(448));
    for (const std::uint32_t id : large) binary.Free(id);
    for (std::size_t i = 0; i < count / 6; ++i) binary.Allocate(512);
    shapes.push_back(std::move(binary));

    Shape growth{"resize growth", {}, 0};
    const std::uint32_t growing = growth.Allocate(512);
    for (std::size_t i = 1; i < count / 3; ++i) {
        growth.Resize(growing, 512 + i * 16);
        growth.Free(growth.Allocate(128));
    }
    shapes.push_back(std::move(growth));

    Shape mixed{"mixed lifetimes", {}, 0};
    std::minstd_rand random(3);
    std::vector<std::uint32_t> young;
    for (std::size_t i = 0; mixed.operations.size() < count; ++i) {
        const std::uint32_t id = mixed.Allocate(16 + random() % 500);
        if (i % 20 != 0) young.push_back(id);  // one in twenty stays
        if (young.size() < 200) continue;
        for (const std::uint32_t each : young) mixed.Free(each);
        young.clear();
    }
    shapes.push_back(std::move(mixed));
    return shapes;
}

struct Figures {
    double nanosecondsEach;
    double utilisation;
};

Figures Run(const Shape& shape, Placement placement, void* range, std::size_t reserved) {
    // The bits lie at the far end of the reservation and have to read as zero again.
    madvise(range, reserved, MADV_DONTNEED);
    FixedBufferAllocator heap = CreateGrowingAllocator(range, reserved, placement);
    struct Live {
        void* pointer = nullptr;
        std::uint64_t bytes = 0;
    };
    std::vector<Live> blocks(shape.ids);
    std::uint64_t payload = 0, peak = 0;
    const double each = bench::NanosecondsEach(shape.operations.size(), [&] {
        for (const Operation& operation : shape.operations) {
            Live& block = blocks[operation.id];
            if (operation.kind == 'f') {
                (void)heap.Free(&heap, block.pointer);
                payload -= block.bytes;
                continue;
            }
            const auto got = operation.kind == 'a' ? heap.Allocate(&heap, operation.bytes, 8)
                                                   : heap.options->Resize(&heap, block.pointer, operation.bytes, 8);
            if (!got) std::abort();
            payload += operation.bytes - block.bytes;
            block = {*got, operation.bytes};
            peak = std::max(peak, payload);
        }
    });
    return {each, static_cast<double>(peak) / static_cast<double>(heap.HeapBytes())};
}

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "alloc_policies");
    constexpr std::size_t kReserved = std::size_t{1} << 30;
    void* const range =
        mmap(nullptr, kReserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) return 2;
    const std::vector<Shape> shapes = Shapes(suite.Smoke() ? 500 : 20'000);
    const std::pair<const char*, Placement> policies[] = {{"first fit", Placement::FirstFit},
                                                          {"next fit", Placement::NextFit},
                                                          {"best fit", Placement::BestFit},
                                                          {"worst fit", Placement::WorstFit}};
    for (const Shape& shape : shapes) {
        for (const auto& [name, placement] : policies) {
            const std::string row = shape.name + ", " + name;
            suite.Add(row, "Mops/s", [&shape, range, placement = placement](std::uint64_t) {
                return 1000 / Run(shape, placement, range, kReserved).nanosecondsEach;
            }, 1);
            suite.Add(row + ", utilisation", "of 1", [&shape, range, placement = placement](std::uint64_t) {
                return Run(shape, placement, range, kReserved).utilisation;
            }, 1);
        }
    }
    return suite.Run();
}
