// The four placement policies on a growing heap: millions of operations a second, beside glibc's malloc in the same run,
// and utilisation (peak payload over heap size). On the shipped traces; on those of the malloc lab, where they are there;
// and on shapes generated here: a program's size mix, pairs that coalesce, a random mix, small and large in turn with the
// large ones freed (CS:APP's "binary"), a buffer that grows by resizing, mixed lifetimes, powers of two.
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alloc/fixed_buffer_allocator.hpp"
#include "bench/harness.hpp"
#include "import/trace.hpp"

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

// A trace file as a shape; nothing where it asks for more than a benchmark should, is too short to be timed, or cannot
// be read.
std::optional<Shape> Load(const std::filesystem::path& path) {
    constexpr std::uint64_t kMost = std::uint64_t{256} << 20;
    auto reader = import::OpenTrace(path.string());
    if (!reader) return std::nullopt;
    import::IdTable ids((*reader)->Header().unknownIdIsNull);
    import::TraceFigures figures;
    std::unordered_map<std::int64_t, std::uint32_t> blocks;  // an id's present block
    Shape shape{path.stem().string(), {}, 0};
    import::Operation operation;
    for (;;) {
        const auto more = (*reader)->Next(operation);
        if (!more) return std::nullopt;
        if (!*more) break;
        std::uint64_t oldSize = 0;
        const import::Meaning meaning = ids.Apply(operation, oldSize);
        import::Count(operation, meaning, oldSize, figures);
        if (figures.overflowed || figures.peakLiveBytes > kMost) return std::nullopt;
        switch (meaning) {
            case import::Meaning::Allocate:
            case import::Meaning::ResizeAllocate: blocks[operation.id] = shape.Allocate(operation.size); break;
            case import::Meaning::Free:
            case import::Meaning::ResizeFree: shape.Free(blocks[operation.id]); break;
            case import::Meaning::Resize: shape.Resize(blocks[operation.id], operation.size); break;
            default: break;  // asks nothing of an allocator
        }
    }
    if (shape.operations.size() < 1000) return std::nullopt;
    return shape;
}

std::vector<Shape> LoadAll(const std::filesystem::path& folder, const char* prefix) {
    std::vector<std::filesystem::path> files;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        if (entry.path().extension() == ".rep") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<Shape> shapes;
    for (const auto& file : files) {
        auto shape = Load(file);
        if (!shape) continue;
        shape->name = prefix + shape->name;
        shapes.push_back(std::move(*shape));
    }
    return shapes;
}

struct Growing {
    FixedBufferAllocator heap;
    void* Allocate(std::size_t bytes) { return heap.Allocate(&heap, bytes, 8).value_or(nullptr); }
    void* Resize(void* block, std::size_t bytes) {
        return heap.options->Resize(&heap, block, bytes, 8).value_or(nullptr);
    }
    void Free(void* block) { (void)heap.Free(&heap, block); }
};

struct Glibc {
    void* Allocate(std::size_t bytes) { return std::malloc(bytes); }
    void* Resize(void* block, std::size_t bytes) { return std::realloc(block, bytes); }
    void Free(void* block) { std::free(block); }
};

// Blocks by id, null where none lives.
template <class Memory, class After>
void Replay(const Shape& shape, Memory& memory, std::vector<void*>& blocks, After after) {
    for (const Operation& operation : shape.operations) {
        void*& block = blocks[operation.id];
        if (operation.kind == 'f') {
            memory.Free(block);
            block = nullptr;
        } else {
            block = operation.kind == 'a' ? memory.Allocate(operation.bytes) : memory.Resize(block, operation.bytes);
            if (block == nullptr && operation.bytes != 0) std::abort();
        }
        after(operation);
    }
}

// A range for heaps, zeroed and in memory before each timed use: neither system calls nor page faults are measured.
class Range {
public:
    Range() {
        void* const got =
            mmap(nullptr, kReserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (got == MAP_FAILED) std::abort();
        base_ = got;
    }
    Growing Fresh(Placement placement) {  // of the largest size
        madvise(base_, kReserved, MADV_DONTNEED);
        return {CreateGrowingAllocator(base_, kReserved, placement)};
    }
    Growing Warm(Placement placement, std::uint64_t heapBytes) {  // for a heap that is known to need so much
        const std::size_t bytes = static_cast<std::size_t>(heapBytes + heapBytes / 16 + 65536);  // 2 bits every 8 bytes
        std::memset(base_, 0, bytes);
        return {CreateGrowingAllocator(base_, bytes, placement)};
    }

private:
    static constexpr std::size_t kReserved = std::size_t{4} << 30;
    void* base_ = nullptr;
};

struct Use {
    std::uint64_t heapBytes = 0;
    double utilisation = 0;
};

Use Measure(const Shape& shape, Placement placement, Range& range) {
    Growing memory = range.Fresh(placement);
    std::vector<void*> blocks(shape.ids);
    std::vector<std::uint64_t> sizes(shape.ids);
    std::uint64_t payload = 0, peak = 0;
    Replay(shape, memory, blocks, [&](const Operation& operation) {
        payload += operation.bytes - sizes[operation.id];
        sizes[operation.id] = operation.bytes;
        peak = std::max(peak, payload);
    });
    return {memory.heap.HeapBytes(), static_cast<double>(peak) / static_cast<double>(memory.heap.HeapBytes())};
}

// Millions of operations a second over as many replays as are worth measuring, of which `make` makes the memory.
template <class Make, class End>
double Speed(const Shape& shape, std::uint64_t operations, Make make, End end) {
    double nanoseconds = 0;
    std::uint64_t done = 0;
    std::vector<void*> blocks(shape.ids);
    do {
        auto memory = make();
        std::fill(blocks.begin(), blocks.end(), nullptr);
        const double begin = bench::CpuNanoseconds();
        Replay(shape, memory, blocks, [](const Operation&) {});
        nanoseconds += bench::CpuNanoseconds() - begin;
        end(memory, blocks);
        done += shape.operations.size();
    } while (done < operations);
    return 1000 * static_cast<double>(done) / nanoseconds;
}

constexpr std::pair<const char*, Placement> kPolicies[] = {{"first fit", Placement::FirstFit},
                                                           {"next fit", Placement::NextFit},
                                                           {"best fit", Placement::BestFit},
                                                           {"worst fit", Placement::WorstFit}};

}  // namespace

int main(int argc, char** argv) {
    bench::Suite suite(argc, argv, "alloc_policies");
    // glibc keeps what it got, too.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    Range range;
    std::vector<Shape> shapes = LoadAll(RESIDUE_SOURCE_DIR "/scenarios/traces", "");
    if (shapes.size() < 8) {
        std::fprintf(stderr, "the shipped traces are not all there\n");
        return 1;
    }
    for (auto& more : {LoadAll(RESIDUE_SHARED_TRACES "/rep", "shared: "), Shapes(suite.Smoke() ? 500 : 20'000)}) {
        for (const Shape& shape : more) shapes.push_back(shape);
    }
    constexpr std::uint64_t kOperations = 20'000;  // a figure: traces with fewer are replayed again and again
    for (const Shape& shape : shapes) {
        const std::string glibc = shape.name + ", glibc malloc";
        suite.Add(glibc, "Mops/s", [&shape](std::uint64_t n) {
            return Speed(shape, n, [] { return Glibc{}; }, [](Glibc&, std::vector<void*>& blocks) {
                for (void* const block : blocks) std::free(block);
            });
        }, kOperations);
        for (const auto& [name, placement] : kPolicies) {
            const std::string row = shape.name + ", " + name;
            const Use use = Measure(shape, placement, range);
            suite.Add(row, "Mops/s", [&shape, &range, use, placement = placement](std::uint64_t n) {
                return Speed(shape, n, [&] { return range.Warm(placement, use.heapBytes); },
                             [](Growing&, std::vector<void*>&) {});
            }, kOperations);
            suite.Ratio(row + " / glibc malloc", row, glibc);
            suite.Add(row + ", utilisation", "of 1", [use](std::uint64_t) { return use.utilisation; }, 1);
        }
    }
    suite.PrintWith([&](const auto& of) {
        std::printf("%-28s %-10s %26s %26s %12s\n", "trace", "policy", "Mops/s (least .. most)", "/ glibc malloc",
                    "utilisation");
        for (const Shape& shape : shapes) {
            const auto glibc = of(shape.name + ", glibc malloc");
            std::printf("%-28s %-10s %8.2f (%6.2f .. %6.2f)\n", shape.name.c_str(), "glibc", glibc.median, glibc.least,
                        glibc.most);
            for (const auto& [name, placement] : kPolicies) {
                const std::string row = shape.name + ", " + name;
                const auto speed = of(row), ratio = of(row + " / glibc malloc");
                std::printf("%-28s %-10s %8.2f (%6.2f .. %6.2f) %8.3f (%6.3f .. %6.3f) %12.3f\n", "", name, speed.median,
                            speed.least, speed.most, ratio.median, ratio.least, ratio.most,
                            of(row + ", utilisation").median);
            }
        }
    });
    return suite.Run();
}
