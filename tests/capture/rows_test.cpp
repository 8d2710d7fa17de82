// Records of a program as rows of a log: pools, and whatever else may come.
#include "capture/rows.hpp"

#include <memory>
#include <random>

#include "log/events.hpp"
#include "model/heap_model.hpp"
#include "support/catch.hpp"

using namespace residue;
using capture::Detail;
using capture::Record;
using capture::RecordKind;
using capture::Batch;
using capture::Told;
using events::EventFlag;
using events::EventKind;

namespace {

constexpr capture::Plan kSmall{
    .largeLanes = 1, .largeRecords = 16, .smallLanes = 1, .smallRecords = 16, .traceNodes = 50};

// A log that is made from records.
struct Made {
    std::unique_ptr<std::byte[]> bytes = std::make_unique<std::byte[]>(kSmall.Bytes() + 4096);
    char* begin = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(bytes.get()) + 4095) / 4096 * 4096);
    capture::Channel channel{{.plan = kSmall}, begin};
    log::EventLog log;
    capture::Rows rows{channel, kSmall.traceNodes, log};
    Batch batch;
    std::uint64_t stamp = 0;

    Made& Malloc(RecordKind kind, std::uint64_t address = 0, std::uint64_t size = 0) {
        batch.Add({++stamp, address, Record::Pack(kind, size, 0), 0, 0}, 1);
        return *this;
    }
    Made& Pool(std::uint16_t pool, EventKind kind, std::uint64_t address = 0, std::uint64_t size = 0,
               std::uint32_t rounding = 0) {
        const std::uint64_t packed = Record::Pack(capture::ToldKind(kind), size, 0);
        batch.Add({++stamp, address | std::uint64_t{pool} << 48, packed, 0, rounding}, 1);
        return *this;
    }
    Made& With(const Detail& detail) {
        Record record = detail.Pack();
        record.stamp = stamp;
        batch.Add(record, 1);
        return *this;
    }
    Made& Says(const std::string& text) {
        for (std::size_t at = 0; at < text.size(); at += 16) {
            const std::string part = text.substr(at, 16);
            char sixteen[16] = {};
            part.copy(sixteen, 16);
            Record record;
            record.stamp = stamp;
            __builtin_memcpy(&record.address, sixteen, 8);
            __builtin_memcpy(&record.trace, sixteen + 8, 4);
            __builtin_memcpy(&record.rounding, sixteen + 12, 4);
            record.size = Record::Pack(RecordKind::Text, part.size(), 0);
            batch.Add(record, 1);
        }
        return *this;
    }
    log::LogView View() {
        rows.Add(batch);
        batch.Clear();
        return log.View();
    }
};

std::string Kinds(const log::LogView& view) {
    std::string text;
    for (Row row{}; row < view.Rows(); ++row) {
        const events::Event event = view.At(row).event;
        text += std::string(events::Info(event.kind).identifier) + " " + std::to_string(event.allocator.value) + "\n";
    }
    return text;
}

std::string AllText(const std::vector<Warning>& warnings) {
    std::string text;
    for (const Warning& warning : warnings) text += warning.where + ": " + warning.text + "\n";
    return text;
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a pool in a block of malloc's is an allocator that lies in it, with its name and figures") {
    Made made;
    made.Malloc(RecordKind::Attached).Malloc(RecordKind::Allocated, 0x10000, 4096);
    made.Pool(1, EventKind::AllocatorCreated, 0x10000, 4096).Says("textures of the first level");
    made.Pool(1, EventKind::Allocated, 0x10040, 100, 20).With({.argument = 3, .padding = 4, .slack = 5, .header = 16});
    made.Pool(1, EventKind::Allocated, 0x10200, 50);
    const log::LogView view = made.View();
    CHECK(Kinds(view) == "AllocatorCreated 1\nAllocated 1\nAllocatorCreated 2\nAllocated 2\nAllocated 2\n");
    CHECK(view.Text(Row{2}) == "textures of the first level");
    const events::Event created = view.At(Row{2}).event;
    CHECK(created.Has(EventFlag::Region));
    CHECK(created.Parent() == capture::kMalloc);
    const events::Event block = view.At(Row{3}).event;
    CHECK(block.address == 0x10040);
    CHECK(block.rounding == 20);
    CHECK(block.Probes() == 3);
    CHECK(block.padding == 4);
    CHECK(block.slack == 5);
    CHECK(block.header == 16);
    model::HeapModel heap;
    heap.Advance(view, view.Rows(), 1000);
    CHECK(heap.Sum().payload == 150);  // malloc's block is the pool's memory
    CHECK(AllText(made.rows.Warnings()).empty());
    CHECK(log::testing::Illegal(view) == "");
}

TEST_CASE("a pool's parent is the pool that it names, malloc where its memory is malloc's, else none") {
    Made made;
    made.Malloc(RecordKind::Allocated, 0x10000, 4096);
    made.Pool(1, EventKind::AllocatorCreated, 0x10000, 4096);
    made.Pool(1, EventKind::Allocated, 0x10000, 1024);
    made.Pool(2, EventKind::AllocatorCreated, 0x10000, 1024).With({.header = 1});
    made.Pool(3, EventKind::AllocatorCreated, 0x90000, 1024);                      // static, or mmap's
    made.Pool(4, EventKind::AllocatorCreated, 0x90000, 1024).With({.header = 77});  // of one that is not there
    made.Pool(5, EventKind::AllocatorCreated, 0x90000, 1024).With({.header = 5});   // of itself
    made.Pool(6, EventKind::AllocatorCreated);                                     // nothing is known
    const log::LogView view = made.View();
    std::vector<std::uint16_t> parents;
    for (Row row{}; row < view.Rows(); ++row) {
        if (view.KindAt(row) == EventKind::AllocatorCreated) parents.push_back(view.At(row).event.Parent().value);
    }
    CHECK(parents == std::vector<std::uint16_t>{0, 1, 2, 0, 0, 0, 1});
    CHECK(log::testing::Illegal(view) == "");
}

TEST_CASE("blocks of a pool of unknown memory that are malloc's count once") {
    Made made;
    made.Pool(1, EventKind::AllocatorCreated).Says("daily");
    for (std::uint64_t i = 1; i <= 3; ++i) {
        made.Malloc(RecordKind::Allocated, 0x1000 * i, 100);
        made.Pool(1, EventKind::Allocated, 0x1000 * i, 100);
    }
    model::HeapModel heap;
    {
        const log::LogView view = made.View();
        heap.Advance(view, view.Rows(), 1000);
        CHECK(heap.Sum().payload == 300);
    }
    made.Pool(1, EventKind::Freed, 0x1000).Malloc(RecordKind::Freed, 0x1000);
    made.Malloc(RecordKind::Allocated, 0x5000, 200);
    made.Pool(1, EventKind::ResizeEnds, 0x5000, 200).With({.argument = 0x2000});
    made.Malloc(RecordKind::Freed, 0x2000);
    const log::LogView view = made.View();
    heap.Advance(view, view.Rows(), 1000);
    CHECK(heap.Sum().payload == 300);
    made.Pool(1, EventKind::BulkFreed, 0, 0x10000);
    const log::LogView after = made.View();
    heap.Advance(after, after.Rows(), 1000);
    CHECK(heap.Find(AllocatorId{2})->totals.payload == 0);
    CHECK(heap.Regions(AllocatorId{2}).empty());
    CHECK(AllText(made.rows.Warnings()).empty());
    CHECK(log::testing::Illegal(after) == "");
}

TEST_CASE("what makes no sense becomes a failed event or a warning") {
    Made made;
    made.Pool(1, EventKind::AllocatorCreated, 0x10000, 4096).Says("small");
    made.Pool(1, EventKind::Allocated, 0x20000, 64);            // outside
    made.Pool(1, EventKind::Allocated, 0x10FF0, 64);            // over its end
    made.Pool(1, EventKind::Freed, 0x10100);                    // never given out
    made.Pool(1, EventKind::Allocated, 0x10000, 64).Pool(1, EventKind::Freed, 0x10000);
    made.Pool(1, EventKind::Freed, 0x10000);                    // twice
    made.Pool(7, EventKind::Allocated, 0x50000, 64);            // created unseen
    made.Pool(0, EventKind::Allocated, 0x50000, 64);            // nobody's
    made.Pool(0, EventKind::AllocatorCreated, 0x50000, 64);
    made.Pool(1, EventKind::Gap, 0, 64).Pool(1, EventKind::Step).Pool(65'535, EventKind::Freed, 1);
    made.Says("of nothing");
    Record misused;
    misused.address = 0xABC;
    misused.size = Record::Pack(RecordKind::Misused, static_cast<std::uint8_t>(EventKind::Freed), 0);
    misused.rounding = 0x30002;
    made.batch.Add(misused, 1);
    const log::LogView view = made.View();
    INFO(Kinds(view));
    std::vector<std::uint8_t> errors;
    std::size_t outside = 0;
    for (Row row{}; row < view.Rows(); ++row) {
        const events::Event event = view.At(row).event;
        if (event.kind == EventKind::FreeFailed) errors.push_back(event.error);
        if (event.kind == EventKind::AccessFailed) ++outside;
    }
    CHECK(errors == std::vector<std::uint8_t>{static_cast<std::uint8_t>(MemoryError::InvalidPointer),
                                              static_cast<std::uint8_t>(MemoryError::DoubleFree)});
    CHECK(outside == 2);
    const std::string warnings = AllText(made.rows.Warnings());
    INFO(warnings);
    CHECK(Contains(warnings, "2 blocks do not lie in what their pool said it has"));
    CHECK(Contains(warnings, "0x20000, 64 bytes, in 'small'"));
    CHECK(Contains(warnings, "1 pools are told of whose creation was not seen: the first is pool 7"));
    CHECK(Contains(warnings, "1 calls name a pool that is not there: the first is 'freed' (0xabc) on handle 0x30002"));
    CHECK(Contains(warnings, "6 records of pools could not be"));
    CHECK(view.Text(view.Rows() - 1 == Row{} ? Row{} : Row{view.Rows().value - 1}).find("0x30002") !=
          std::string_view::npos);
    CHECK(log::testing::Illegal(view) == "");
}

TEST_CASE("a pool that grew and shrank holds what it has at that time") {
    Made made;
    made.Pool(1, EventKind::AllocatorCreated, 0x10000, 0x1000);
    made.Pool(1, EventKind::RegionGrown, 0x11000, 0x1000);
    made.Pool(1, EventKind::Allocated, 0x10F00, 0x200);  // over both
    made.Pool(1, EventKind::Freed, 0x10F00);
    made.Pool(1, EventKind::RegionShrunk, 0x10800, 0x1000);
    made.Pool(1, EventKind::Allocated, 0x10F00, 0x10);   // gone
    made.Pool(1, EventKind::Allocated, 0x10700, 0x100).Pool(1, EventKind::Allocated, 0x11800, 0x100);
    const log::LogView view = made.View();
    std::size_t outside = 0;
    for (Row row{}; row < view.Rows(); ++row) outside += view.KindAt(row) == EventKind::AccessFailed ? 1 : 0;
    CHECK(outside == 1);
    CHECK(view.Blocks() == 3);
}

TEST_CASE("with another program in its place, the pools are gone with the memory") {
    Made made;
    made.Malloc(RecordKind::Attached).Malloc(RecordKind::Allocated, 0x10000, 4096);
    made.Pool(1, EventKind::AllocatorCreated, 0x10000, 4096).Pool(1, EventKind::Allocated, 0x10000, 16);
    made.Malloc(RecordKind::Attached).Malloc(RecordKind::Allocated, 0x10000, 8);
    const log::LogView view = made.View();
    model::HeapModel heap;
    heap.Advance(view, view.Rows(), 1000);
    CHECK(heap.Sum().payload == 8);
    CHECK(view.Positions().value == 3);  // nobody called for their end
}

TEST_CASE("a child of fork may free what it inherited, once") {
    Made made;
    made.Malloc(RecordKind::Attached, 0, capture::kForked);
    made.Malloc(RecordKind::Freed, 0x1000);                                             // inherited
    made.Malloc(RecordKind::Allocated, 0x1000, 8).Malloc(RecordKind::Freed, 0x1000);  // its own, in its place
    made.Malloc(RecordKind::ResizeBegins, 0x2000, 99).Malloc(RecordKind::ResizeEnds, 0x3000, 99);
    made.Pool(4, EventKind::Freed, 0x5000).Pool(4, EventKind::Allocated, 0x5000, 4);  // a pool that it inherited
    CHECK(made.View().ErrorCount() == 0);
    CHECK(AllText(made.rows.Warnings()).empty());
    made.Malloc(RecordKind::Freed, 0x1000).Malloc(RecordKind::Freed, 0x3000).Malloc(RecordKind::Freed, 0x3000);
    const log::LogView view = made.View();
    CHECK(view.ErrorCount() == 2);
    CHECK(log::testing::Illegal(view) == "");
    made.Malloc(RecordKind::Attached).Malloc(RecordKind::Freed, 0x9000);  // another program: it inherits nothing
    CHECK(made.View().ErrorCount() == 3);
}

TEST_CASE("of a program that was attached to, frees and resizes of what was not seen to be born are no mistakes") {
    Made made;
    made.Malloc(RecordKind::Attached, 0, capture::kInMidLife);
    made.Malloc(RecordKind::Freed, 0x1000).Malloc(RecordKind::Freed, 0x1000);
    made.Malloc(RecordKind::Allocated, 0x1000, 8).Malloc(RecordKind::Freed, 0x1000).Malloc(RecordKind::Freed, 0x1000);
    made.Malloc(RecordKind::ResizeBegins, 0x2000, 99).Malloc(RecordKind::ResizeEnds, 0x3000, 99);
    const log::LogView view = made.View();
    CHECK(view.ErrorCount() == 0);
    CHECK(log::testing::Illegal(view) == "");
    CHECK(made.rows.Inherited() == 4);
    model::HeapModel heap;
    heap.Advance(view, view.Rows(), 1000);
    CHECK(heap.Sum().payload == 99);  // the one that was resized is known from there on
}

TEST_CASE("whatever records come, the log is legal", "[property]") {
    std::mt19937_64 random(11);
    for (int round = 0; round < 200; ++round) {
        Made made;
        for (int i = 0; i < 400; ++i) {
            Record record;
            record.stamp = ++made.stamp;
            record.address = (random() % 64 * 16 + (random() % 4 == 0 ? random() % 3 : 0)) | random() % 4 << 48;
            if (random() % 20 == 0) record.address = random();
            record.size = Record::Pack(RecordKind::None, random() % 20 == 0 ? random() : random() % 90,
                                       static_cast<unsigned>(random() % 70)) |
                          std::uint64_t{random() % 3 == 0 ? random() % 256 : 0x20 + random() % 18} << 48;
            record.trace = static_cast<std::uint32_t>(random() % 5 == 0 ? random() : 0);
            record.rounding = static_cast<std::uint32_t>(random() % 9 == 0 ? random() : random() % 40);
            if (random() % 4 == 0) record.size = (record.size & capture::kLow48) | std::uint64_t{0x60} << 48;
            made.batch.Add(record, static_cast<std::uint32_t>(1 + random() % 2));
        }
        const log::LogView view = made.View();
        REQUIRE(log::testing::Illegal(view) == "");
        model::HeapModel heap;
        heap.Advance(view, view.Rows(), 100'000);
        while (heap.Applied().value > 0) heap.Unapply(view);
        (void)made.rows.Warnings();
    }
}

TEST_CASE("of what is mapped, what has blocks of malloc's becomes its regions, in the order of the stamps") {
    Made made;
    const auto regions = [](const log::LogView& view) {
        std::string text;
        for (std::uint64_t i = 0; i < view.SampledRegions(); ++i) {
            const Row row = view.SampledRegion(i);
            const events::Event event = view.At(row).event;
            text += std::to_string(row.value) + (event.kind == EventKind::RegionGrown ? " + " : " - ") +
                    std::to_string(event.address) + " " + std::to_string(event.size) + "\n";
        }
        return text;
    };
    made.Malloc(RecordKind::Attached).Malloc(RecordKind::Allocated, 0x1010, 16);  // stamps 1, 2
    made.rows.See({2, {{0x1000, 0x2000}, {0x8000, 0x9000}}});                     // before the block is there
    made.Malloc(RecordKind::Allocated, 0x1040, 16);                               // 3
    made.rows.See({3, {{0x1000, 0x2000}, {0x8000, 0x9000}}});
    made.Malloc(RecordKind::Allocated, 0x8010, 16);                               // 4
    std::string expected = "2 + 4096 4096\n";
    CHECK(regions(made.View()) == expected);
    // It grows and moves; what counted once is malloc's though nothing lives in it.
    made.Malloc(RecordKind::Freed, 0x1010).Malloc(RecordKind::Freed, 0x1040);     // 5, 6
    CHECK(regions(made.View()) == expected);
    made.rows.See({6, {{0x0800, 0x1800}, {0x8000, 0xa000}}});
    made.rows.SeeRest();
    expected += "7 - 6144 2048\n8 + 2048 2048\n9 + 32768 8192\n";
    CHECK(regions(made.View()) == expected);
    made.Malloc(RecordKind::Freed, 0x8010);                                       // 7
    made.rows.See({9, {{0x0800, 0x1800}}});
    CHECK(regions(made.View()) == expected);                                      // not yet
    made.rows.SeeRest();
    expected += "11 - 32768 8192\n";
    CHECK(regions(made.View()) == expected);
    // Another program in its place has none of it.
    made.Malloc(RecordKind::Attached);
    expected += "12 - 2048 4096\n";
    CHECK(regions(made.View()) == expected);
}

TEST_CASE("of a mapping that has other owners too, what lies near malloc's blocks counts; what brk has, whole") {
    constexpr std::uint64_t kMiB = 1 << 20;
    Made made;
    made.Malloc(RecordKind::Attached).Malloc(RecordKind::Allocated, 10 * kMiB + 64, 16);
    (void)made.View();
    made.rows.See({2, {{kMiB / 2, 4 * kMiB, true}, {8 * kMiB, 64 * kMiB + 4096}}});
    made.rows.SeeRest();
    made.Malloc(RecordKind::Allocated, kMiB, 16).Malloc(RecordKind::Allocated, 64 * kMiB, 16);
    (void)made.View();
    made.rows.See({4, {{kMiB / 2, 4 * kMiB, true}, {8 * kMiB, 64 * kMiB + 4096}}});
    made.rows.SeeRest();
    std::vector<capture::Mapping> told;
    const log::LogView view = made.log.View();
    for (std::uint64_t i = 0; i < view.SampledRegions(); ++i) {
        const events::Event event = view.At(view.SampledRegion(i)).event;
        CHECK(event.kind == EventKind::RegionGrown);
        told.push_back({event.address, event.address + event.size});
    }
    CHECK(told == std::vector<capture::Mapping>{
                      {10 * kMiB, 11 * kMiB}, {kMiB / 2, 4 * kMiB}, {64 * kMiB, 64 * kMiB + 4096}});
}
