// The channel's reader over memory in which a hostile program writes what it likes, while it is read.
#include <cstring>
#include <memory>

#include "capture/rows.hpp"
#include "fuzz/fuzz.hpp"
#include "log/events.hpp"

using namespace residue;
using namespace residue::capture;

namespace residue::fuzz {

constexpr Plan kPlan{.largeLanes = 2, .largeRecords = 64, .smallLanes = 2, .smallRecords = 16, .traceNodes = 50};

// Each step is an address (of a word) and a value; an odd first byte takes a round instead.
std::vector<std::string> Seeds() {
    std::string seed;
    const auto write = [&](std::uint64_t at, std::uint64_t value) {
        seed.push_back(0);
        seed.append(reinterpret_cast<const char*>(&at), 4);
        seed.append(reinterpret_cast<const char*>(&value), 8);
    };
    write(offsetof(Header, lanesUsed) / 8, 0x400000004);
    const std::uint64_t records = kPlan.LaneAt(0) + Plan::RecordsAt(0);
    for (std::uint64_t i = 0; i < 4; ++i) {
        write((records + 32 * i) / 8, i + 1);
        write((records + 32 * i + 16) / 8, Record::Pack(RecordKind::Allocated, 64, 3));
    }
    // A pool with a name, and a block in it.
    const auto told = [&](std::uint64_t i, RecordKind kind, std::uint64_t address, std::uint64_t bytes) {
        write((records + 32 * i) / 8, i + 1);
        write((records + 32 * i + 8) / 8, address);
        write((records + 32 * i + 16) / 8, Record::Pack(kind, bytes, 0));
    };
    constexpr std::uint64_t kPool = std::uint64_t{1} << 48;
    told(4, ToldKind(events::EventKind::AllocatorCreated), kPool | 0x1000, 4096);
    told(5, RecordKind::Text, 0x616161, 3);
    told(6, ToldKind(events::EventKind::Allocated), kPool | 0x1100, 64);
    told(7, RecordKind::Detail, 1, 16);
    told(8, ToldKind(events::EventKind::BulkFreed), kPool | 0x1000, 4096);
    write((kPlan.LaneAt(0) + offsetof(LaneHeader, mark)) / 8, kIdle);
    write((kPlan.LaneAt(0) + offsetof(LaneHeader, written)) / 8, 9);
    return {seed + "\1", seed + "\1" + seed + "\1\1"};
}

}  // namespace residue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // One memory for all inputs, each of which leaves it as it was: zeroing 2 MiB would take most of the time.
    static const auto bytes = std::make_unique<std::byte[]>(fuzz::kPlan.Bytes() + 4096);
    static auto* const memory =
        reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(bytes.get()) + 4095) / 4096 * 4096);
    std::vector<std::uint64_t> touched;
    std::memset(memory, 0, Plan::kHeaderBytes);
    for (std::uint32_t lane = 0; lane < fuzz::kPlan.Lanes(); ++lane) {
        std::memset(memory + fuzz::kPlan.LaneAt(lane), 0, sizeof(LaneHeader));
    }
    Channel channel({.plan = fuzz::kPlan}, memory);
    log::EventLog log;
    Rows rows(channel, fuzz::kPlan.traceNodes, log);
    Batch told;
    std::uint64_t last = 0;
    const auto round = [&](bool all) {
        told.Clear();
        const std::size_t count = channel.Take(told, 200, all);
        fuzz::Require(count == told.Size() && count < 1000);
        for (const Told& each : told) {
            fuzz::Require(each.record.stamp >= last);
            last = each.record.stamp;
            const auto node = channel.TraceAt(each.record.trace);
            fuzz::Require(node.parent < each.record.trace || node.frame == 0);
        }
        for (const auto& module : channel.NewModules()) fuzz::Require(module.path.size() < Module::kPath);
        fuzz::Require(channel.Fill() <= 1.0);
        rows.Add(told);
    };
    for (std::size_t at = 0; at < size;) {
        const std::uint8_t step = data[at++];
        if ((step & 1) != 0) {
            round((step & 2) != 0);
            continue;
        }
        if (size - at < 12) break;
        std::uint32_t where = 0;
        std::uint64_t value = 0;
        std::memcpy(&where, data + at, 4);
        std::memcpy(&value, data + at + 4, 8);
        at += 12;
        touched.push_back(where % (fuzz::kPlan.Bytes() / 8) * 8);
        std::memcpy(memory + touched.back(), &value, 8);
    }
    round(true);
    fuzz::Require(log::testing::Illegal(log.View()).empty());
    (void)rows.Warnings();
    for (const std::uint64_t word : touched) std::memset(memory + word, 0, 8);
    return 0;
}
