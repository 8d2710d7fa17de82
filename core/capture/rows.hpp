// Makes the rows of a log from the records of a program: malloc's blocks, and the pools that the program tells of
// (events/residue.h), each an allocator of its own, inside the block that its memory came from.
//
// Believes nothing, as the channel: whatever records come, in whatever order, the log stays legal. Pools that are told
// of and were never created are taken as created unseen; blocks outside of their pool become failed accesses; both are
// told in the warnings. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "capture/channel.hpp"
#include "capture/mappings.hpp"
#include "capture/pool_book.hpp"
#include "log/appender.hpp"
#include "log/event_log.hpp"

namespace residue::capture {

inline constexpr AllocatorId kMalloc{1};  // pool n is allocator n + 1

class Rows {
public:
    // `channel` knows the traces; it and the log, which is empty, outlive this.
    Rows(const Channel& channel, std::uint32_t traceNodes, log::EventLog& log);

    // Whole groups: a record and what continues it are in one batch.
    void Add(const Batch& batch);
    // What was mapped at a moment (in order of their stamps): becomes rows where the records come to it. As malloc's
    // count what brk has, and of other mappings the stretches of 1 MiB (of huge ones: a 4,096th) that have a live block
    // or counted before: the kernel joins mappings of different owners where they touch.
    void See(Sighting sighting) { sightings_.push_back(std::move(sighting)); }
    void SeeRest();  // when no more records come
    std::vector<Warning> Warnings() const;
    std::uint64_t Inherited() const { return inheritedTimes_; }  // frees and resizes of what was there before

private:
    // Something that a program does wrong again and again: told once, with the first.
    struct Complaint {
        std::uint64_t times = 0;
        std::string first;
    };
    struct Pending {
        events::Event event;
        std::string text;
    };

    bool IsPlain(const Record& record) const;
    void AddPlain(const Told& told);
    void FlushCalls();
    TraceId TraceOf(const Record& record);
    void AddOne(const Told& told);
    void Continue(const Told& told);
    void Flush();
    events::Event EventOf(const Told& told);
    void CopyTraces(std::uint32_t upTo);
    void TellFullTraces(std::uint64_t stamp);
    void Begins(std::uint64_t stamp, std::uint64_t inherited = kFromTheStart);
    bool IsInherited(const events::Event& event);
    void OfMalloc(events::Event event, RecordKind kind);

    void Take(const Sighting& sighting);
    bool IsOurs(std::uint64_t begin, std::uint64_t end) const;
    void TellRegions(const std::vector<Mapping>& mappings, events::EventKind kind, std::uint64_t stamp);

    void OfPool(events::Event event, std::string_view text);
    void Created(events::Event event, std::string_view text);
    void Born(PoolBook::Pool& pool, const events::Event& event, std::string_view text);
    void Outside(const PoolBook::Pool& pool, events::Event event);
    void Borrow(PoolBook::Pool& pool, const events::Event& event);
    void GiveBack(PoolBook::Pool& pool, const events::Event& event, std::uint64_t address);
    void GiveBackIn(PoolBook::Pool& pool, const events::Event& event);
    void Misused(const Record& record, const events::Event& event);
    PoolBook::Pool& PoolOf(const events::Event& event);

    const Channel& channel_;
    std::uint32_t traceNodes_;
    log::EventLog& log_;
    log::Appender appender_;
    std::uint32_t traces_ = 0;
    bool begun_ = false, toldFullTraces_ = false;
    std::vector<log::PlainCall> calls_ = std::vector<log::PlainCall>(512);
    std::size_t plain_ = 0;  // so many of these, malloc's, are not in the log yet
    std::optional<Pending> pending_;
    PoolBook pools_;
    std::deque<Sighting> sightings_;  // not taken yet
    std::vector<Mapping> regions_;    // malloc's, as they were seen last
    // A child of fork has its parent's heap, which was never told of: blocks that were not born here and die once are
    // of that. The addresses that are ours, or have died so. A program that was attached to (midLife_) also goes round
    // the hooks where it kept pointers to malloc from before: there no free of an unknown block is a mistake for sure.
    bool inherits_ = false, midLife_ = false;
    std::unordered_set<std::uint64_t> ours_;
    std::uint64_t inheritedTimes_ = 0;
    Complaint misused_, outside_, unseen_, odd_, unborrowed_;
};

}  // namespace residue::capture
