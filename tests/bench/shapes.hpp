// Request traces to measure allocators with: operations on ids, as the malloc labs' traces have them. The fourteen of
// PERFORMANCE.md's goal 12 (eight of them are what programs in scenarios/ record, the others are made here from fixed
// seeds) and any folder of .rep files.
//
//     std::vector<bench::Shape> shapes = bench::GoalShapes(20'000);
//     bench::Replay(shapes[0], memory, blocks, [](std::size_t operation) { ... });
//
// Memory is anything with Allocate(bytes), Resize(block, bytesBefore, bytes) and Free(block). No thread safety.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "import/trace.hpp"

namespace residue::bench {

struct ShapeOperation {
    char kind;  // 'a', 'f', 'r'
    std::uint32_t id;
    std::uint32_t bytes;   // 0 for a free
    std::uint32_t before;  // what the block had until now; 0 for an allocation
};

struct Shape {
    std::string name;
    bool ofGoal = true;  // one of the fourteen
    std::vector<ShapeOperation> operations;
    std::vector<std::uint32_t> sizes;  // by id, while the shape is made

    std::size_t Ids() const { return sizes.size(); }

    std::uint32_t Allocate(std::size_t bytes) {
        const auto id = static_cast<std::uint32_t>(sizes.size());
        sizes.push_back(0);
        Add('a', id, static_cast<std::uint32_t>(bytes));
        return id;
    }
    void Free(std::uint32_t id) { Add('f', id, 0); }
    void Resize(std::uint32_t id, std::size_t bytes) { Add('r', id, static_cast<std::uint32_t>(bytes)); }

    // The largest sum of live requests, and the operation after which it is reached first.
    struct Peak {
        std::uint64_t bytes = 0;
        std::size_t operation = 0;
    };
    Peak PeakPayload() const {
        Peak peak;
        std::uint64_t payload = 0;
        for (std::size_t i = 0; i < operations.size(); ++i) {
            payload += operations[i].bytes;
            payload -= operations[i].before;
            if (payload > peak.bytes) peak = {payload, i};
        }
        return peak;
    }

private:
    void Add(char kind, std::uint32_t id, std::uint32_t bytes) {
        operations.push_back({kind, id, bytes, sizes[id]});
        sizes[id] = bytes;
    }
};

// `blocks`: shape.Ids() null pointers; afterwards the blocks that are still live, by id. after(i) follows operation i.
// False, at once, where a request is refused.
template <class Memory, class After>
bool Replay(const Shape& shape, Memory& memory, std::vector<void*>& blocks, After after) {
    for (std::size_t i = 0; i < shape.operations.size(); ++i) {
        const ShapeOperation& operation = shape.operations[i];
        void*& block = blocks[operation.id];
        if (operation.kind == 'f') {
            if (!memory.Free(block)) return false;
            block = nullptr;
        } else {
            void* const got = operation.kind == 'a' ? memory.Allocate(operation.bytes)
                                                    : memory.Resize(block, operation.before, operation.bytes);
            if (got == nullptr) return false;
            block = got;
        }
        after(i);
    }
    return true;
}

// A trace file as a shape; nothing where it asks for more than a benchmark should, is too short to be timed, or cannot
// be read.
inline std::optional<Shape> LoadShape(const std::filesystem::path& path) {
    constexpr std::uint64_t kMost = std::uint64_t{256} << 20;
    constexpr std::size_t kFewest = 700;
    auto reader = import::OpenTrace(path.string());
    if (!reader) return std::nullopt;
    import::IdTable ids((*reader)->Header().unknownIdIsNull);
    import::TraceFigures figures;
    std::unordered_map<std::int64_t, std::uint32_t> blocks;  // an id's present block
    Shape shape{path.stem().string(), false, {}, {}};
    import::Operation operation;
    for (;;) {
        const auto more = (*reader)->Next(operation);
        if (!more) return std::nullopt;
        if (!*more) break;
        std::uint64_t oldSize = 0;
        const import::Meaning meaning = ids.Apply(operation, oldSize);
        import::Count(operation, meaning, oldSize, figures);
        if (figures.overflowed || figures.peakLiveBytes > kMost) return std::nullopt;
        const std::uint64_t bytes = std::max<std::uint64_t>(operation.size, 1);  // realloc(p, 0) would free
        switch (meaning) {
            case import::Meaning::Allocate:
            case import::Meaning::ResizeAllocate: blocks[operation.id] = shape.Allocate(bytes); break;
            case import::Meaning::Free:
            case import::Meaning::ResizeFree: shape.Free(blocks[operation.id]); break;
            case import::Meaning::Resize: shape.Resize(blocks[operation.id], bytes); break;
            default: break;  // asks nothing of an allocator
        }
    }
    if (shape.operations.size() < kFewest) return std::nullopt;
    return shape;
}

// The .rep files of a folder by name; none where there is no folder.
inline std::vector<Shape> LoadShapes(const std::filesystem::path& folder, const char* prefix) {
    std::vector<std::filesystem::path> files;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        if (entry.path().extension() == ".rep") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<Shape> shapes;
    for (const auto& file : files) {
        auto shape = LoadShape(file);
        if (!shape) continue;
        shape->name = prefix + shape->name;
        shapes.push_back(std::move(*shape));
    }
    return shapes;
}

// ---- made here -----------------------------------------------------------------------------------------------------

// Replaces random ones of `live` blocks, whose sizes size(random) says; at the end all go.
template <class Size>
Shape Churn(std::string name, std::size_t live, std::size_t operations, Size size) {
    Shape shape{std::move(name), true, {}, {}};
    std::minstd_rand random(7);
    std::vector<std::uint32_t> blocks;
    const auto freeOne = [&] {
        std::swap(blocks[random() % blocks.size()], blocks.back());
        shape.Free(blocks.back());
        blocks.pop_back();
    };
    while (shape.operations.size() + blocks.size() < operations) {
        if (blocks.size() < live) blocks.push_back(shape.Allocate(size(random)));
        else freeOne();
    }
    while (!blocks.empty()) freeOne();
    return shape;
}

// Small and large in turn; the large ones are freed, and what comes then is a little larger than they were (CS:APP's
// "binary" traces).
inline Shape Binary(std::string name, std::size_t pairs, std::size_t small, std::size_t large, std::size_t then) {
    Shape shape{std::move(name), true, {}, {}};
    std::vector<std::uint32_t> smalls, larges;
    for (std::size_t i = 0; i < pairs; ++i) {
        smalls.push_back(shape.Allocate(small));
        larges.push_back(shape.Allocate(large));
    }
    for (const std::uint32_t id : larges) shape.Free(id);
    larges.clear();
    for (std::size_t i = 0; i < pairs; ++i) larges.push_back(shape.Allocate(then));
    for (std::size_t i = 0; i < pairs; ++i) shape.Free(smalls[i]), shape.Free(larges[i]);
    return shape;
}

// One buffer grows by little steps while small ones come and go above it (CS:APP's "realloc").
inline Shape OneGrows(std::string name, std::size_t operations) {
    Shape shape{std::move(name), true, {}, {}};
    const std::uint32_t growing = shape.Allocate(512);
    std::uint32_t small = shape.Allocate(128);
    for (std::size_t i = 1; i < operations / 3; ++i) {
        shape.Resize(growing, 512 + i * 64);
        const std::uint32_t next = shape.Allocate(128);
        shape.Free(small);
        small = next;
    }
    shape.Free(growing), shape.Free(small);
    return shape;
}

// Batches of objects die together; one in twenty stays to the end.
inline Shape MixedLifetimes(std::string name, std::size_t operations) {
    Shape shape{std::move(name), true, {}, {}};
    std::minstd_rand random(3);
    std::vector<std::uint32_t> young, old;
    for (std::size_t i = 0; shape.operations.size() + young.size() + old.size() < operations; ++i) {
        (i % 20 == 0 ? old : young).push_back(shape.Allocate(16 + random() % 500));
        if (young.size() < 200) continue;
        for (const std::uint32_t id : young) shape.Free(id);
        young.clear();
    }
    for (const std::uint32_t id : young) shape.Free(id);
    for (const std::uint32_t id : old) shape.Free(id);
    return shape;
}

// Goal 12's fourteen, in its order. `count`: about how many operations those that are made here have. Ends the program
// where a shipped trace is not there.
inline std::vector<Shape> GoalShapes(std::size_t count) {
    std::vector<Shape> shapes;
    const auto shipped = [&](const char* name) {
        auto shape = LoadShape(RESIDUE_SOURCE_DIR "/scenarios/traces/" + std::string(name) + ".rep");
        if (!shape) {
            std::fprintf(stderr, "the shipped trace %s cannot be read\n", name);
            std::exit(1);
        }
        shape->ofGoal = true;
        shapes.push_back(std::move(*shape));
    };
    // Four program-like size mixes.
    shipped("word-counter");
    shipped("tree-builder");
    shipped("text-editor");
    shapes.push_back(Churn("program mix", 1000, count, [](auto& random) -> std::size_t {
        const auto dice = random() % 100;
        if (dice < 60) return 8 + random() % 56;
        if (dice < 95) return 64 + random() % 448;
        return 512 + random() % 8000;
    }));
    shipped("coalescing-pairs");
    shapes.push_back(Churn("random to 4 KB", 1000, count,
                           [](auto& random) -> std::size_t { return 1 + random() % 4096; }));
    shapes.push_back(Churn("random to 32 KB", 500, count,
                           [](auto& random) -> std::size_t { return 1 + random() % 32'768; }));
    shapes.push_back(Binary("binary 64/448", count / 6, 64, 448, 512));
    shapes.push_back(Binary("binary 16/112", count / 6, 16, 112, 128));
    shipped("realloc-growth");
    shapes.push_back(OneGrows("realloc, one grows", count / 2));
    shipped("small-object-churn");
    shapes.push_back(MixedLifetimes("mixed lifetimes", count));
    shipped("powers-of-two");
    return shapes;
}

}  // namespace residue::bench
