// What the unwinding tables say of the places in the code that were met so far, one word each, for all threads.
//
// A word holds the place (the part that its set does not tell) and the rule, so it is whole or not there: nobody waits,
// and whatever order threads write in, no rule is ever believed of another place. A set has two words; the newcomer
// takes the first that is free, else the one that its place says. Freestanding.
#pragma once

#include <atomic>
#include <cstdint>

#include "capture/detail/unwind_row.hpp"

namespace residue::capture::detail {

// A row in 32 bits:  frame word (12) | CFA offset (20, of which the lower 3 are 0 and hold the kind).
// CFA = register + offset; the caller's frame pointer lies at CFA - 8 * frame word, unless that is where the return
// address lies: then it is unchanged. (So there is always a word to load, and no branch to be predicted.)
class PackedRule {
public:
    enum class Kind : std::uint32_t {
        None,       // an empty place in the cache
        ByStack,
        ByFrame,
        End,
        Cannot,
        NoTable,    // by frame pointer, if it looks like one
        Special,    // offset 0: a signal's frame; else CFA = the word at frame pointer - offset
        Unpacked,   // does not fit in here: ask the tables each time
    };

    PackedRule() = default;
    explicit constexpr PackedRule(std::uint32_t bits) noexcept : bits_(bits) {}
    static PackedRule Of(const UnwindRow& row) noexcept;

    std::uint32_t Bits() const noexcept { return bits_; }
    Kind WhichKind() const noexcept { return static_cast<Kind>(bits_ & 7); }
    std::uintptr_t CfaOffset() const noexcept { return bits_ & 0xFFFF8; }
    std::uintptr_t FrameBelowCfa() const noexcept { return std::uintptr_t{bits_ >> 20} * 8; }

    static constexpr std::uintptr_t kUnchanged = 8;  // FrameBelowCfa() where the frame pointer is

private:
    static constexpr PackedRule Make(Kind kind, std::int64_t cfaOffset, std::int64_t frameBelow) noexcept {
        if (cfaOffset < 0 || cfaOffset > 0xFFFF8 || frameBelow < 0 || frameBelow > 0xFFF * 8) {
            return PackedRule(static_cast<std::uint32_t>(Kind::Unpacked));
        }
        return PackedRule(static_cast<std::uint32_t>(kind) | static_cast<std::uint32_t>(cfaOffset) |
                          static_cast<std::uint32_t>(frameBelow / 8) << 20);
    }

    std::uint32_t bits_ = 0;
};

inline PackedRule PackedRule::Of(const UnwindRow& row) noexcept {
    switch (row.kind) {
        case UnwindRow::Kind::Nothing: return Make(Kind::NoTable, 0, 0);
        case UnwindRow::Kind::Cannot: return Make(Kind::Cannot, 0, 0);
        case UnwindRow::Kind::End: return Make(Kind::End, 0, 0);
        case UnwindRow::Kind::Signal: return Make(Kind::Special, 0, 0);
        case UnwindRow::Kind::ThroughFrame: return Make(Kind::Special, -row.cfaOffset, 0);
        default: break;
    }
    if (row.losesFrame) return Make(Kind::Unpacked, 0, 0);
    // A frame pointer in place of the return address: nobody writes that.
    if (row.frameAt == -8) return Make(Kind::Cannot, 0, 0);
    const std::int64_t frameBelow = row.frameAt == 0 ? std::int64_t{kUnchanged} : -row.frameAt;
    return Make(row.kind == UnwindRow::Kind::ByStack ? Kind::ByStack : Kind::ByFrame, row.cfaOffset, frameBelow);
}

class RuleCache {
public:
    // Places above have no room in a word; there is none in any program that does not ask for five-level page tables.
    static constexpr std::uintptr_t kPlaces = std::uintptr_t{1} << 47;

    // Kind::None: not here. `place` < kPlaces.
    PackedRule Find(std::uintptr_t place) const noexcept {
        const Set& set = sets_[place % kSets];
        const std::uint64_t key = Key(place);
        // Which of the two it is cannot be predicted: chosen without a branch.
        const std::uint64_t first = set.words[0].load(std::memory_order_relaxed);
        const std::uint64_t second = set.words[1].load(std::memory_order_relaxed);
        const std::uint64_t word = first >> 32 == key ? first : second;
        return word >> 32 == key ? PackedRule(static_cast<std::uint32_t>(word)) : PackedRule();
    }

    // Ask for it before the tables are read, and give it to Put.
    std::uint64_t Generation() const noexcept { return generation_.load(std::memory_order_seq_cst); }

    void Put(std::uintptr_t place, PackedRule rule, std::uint64_t generation) noexcept {
        Set& set = sets_[place % kSets];
        std::uint64_t word = Key(place) << 32 | rule.Bits();
        std::atomic<std::uint64_t>& to = set.words[WordFor(set, Key(place))];
        to.store(word, std::memory_order_seq_cst);
        // Either we see here that all was forgotten meanwhile, or our word was there to be forgotten.
        if (Generation() != generation) to.compare_exchange_strong(word, 0, std::memory_order_seq_cst);
    }

    void Forget() noexcept {
        generation_.fetch_add(1, std::memory_order_seq_cst);
        for (Set& set : sets_) {
            for (std::atomic<std::uint64_t>& word : set.words) {
                // Reading leaves untouched pages untouched.
                if (word.load(std::memory_order_seq_cst) != 0) word.store(0, std::memory_order_seq_cst);
            }
        }
    }

private:
    static constexpr std::uintptr_t kSets = 1 << 15;

    struct alignas(16) Set {
        std::atomic<std::uint64_t> words[2];
    };

    static std::uint64_t Key(std::uintptr_t place) noexcept { return place / kSets; }
    static unsigned WordFor(const Set& set, std::uint64_t key) noexcept {
        for (unsigned i = 0; i < 2; ++i) {
            if (set.words[i].load(std::memory_order_relaxed) == 0) return i;
        }
        return key % 2;
    }
    static_assert(kPlaces / kSets == std::uint64_t{1} << 32, "a key fits in the upper half of a word");
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

    std::atomic<std::uint64_t> generation_{0};
    Set sets_[kSets] = {};
};

}  // namespace residue::capture::detail
