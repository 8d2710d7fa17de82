// Seeded weakenings: tests/meta/weakening compiles this code with RESIDUE_WEAKENABLE and breaks one rule at a time, to
// show that a test sees it. In every other build Weakened() is a constant false and nothing of this is left.
#pragma once

namespace residue::events::detail {

// X(Name, what is broken)
#define RESIDUE_WEAKENINGS(X)                                                                             \
    X(None, "nothing")                                                                                    \
    X(WrittenStoreRelaxed, "ring: the written index is stored relaxed")                                   \
    X(WrittenLoadRelaxed, "ring: the written index is loaded relaxed")                                    \
    X(PublishedStoreRelaxed, "ring: the published index is stored relaxed")                               \
    X(PublishedLoadRelaxed, "ring: the published index is loaded relaxed")                                \
    X(ConsumedStoreRelaxed, "ring: the consumed index is stored relaxed")                                 \
    X(ConsumedLoadRelaxed, "ring: the consumed index is loaded relaxed")                                  \
    X(WrittenBeforeStore, "ring: the written index is moved before the records")                          \
    X(PublishedBeforeStore, "ring: the published index is moved before the records")                      \
    X(ConsumedBeforeCopy, "ring: the slots are given back before they are copied")                        \
    X(RoomOffByOne, "ring: the writer takes one slot too many")                                           \
    X(ReadableOffByOne, "ring: the reader takes one record too many")                                     \
    X(MarkStoreRelaxed, "lane: the busy mark is cleared relaxed")                                         \
    X(MarkLoadRelaxed, "lane: the busy mark is loaded relaxed")                                           \
    X(MarkAfterStamp, "lane: the writer is marked busy after it took its stamp")                          \
    X(MarkClearedEarly, "lane: the busy mark is cleared before the records are published")                \
    X(DroppedStoreRelaxed, "lane: the count of dropped events is stored relaxed")                         \
    X(DroppedLoadRelaxed, "lane: the count of dropped events is loaded relaxed")                          \
    X(NoFence, "merge: no asymmetric fence between now and the look at the marks")                        \
    X(WrittenBeforeMark, "merge: the reader looks at the ring before it looks at the mark")               \
    X(IgnoreMarks, "merge: busy marks do not hold anything back")                                         \
    X(NoTieRule, "merge: equal stamps in the order of the lanes")                                         \
    X(PlainStamp, "stamp: plain rdtsc, without the fence")                                                \
    X(TraceAppendRelaxed, "trace table: a node is stored relaxed")                                        \
    X(TraceSlotRelaxed, "trace table: a slot of the hash is stored and loaded relaxed")                   \
    X(TraceCountRelaxed, "trace table: the count is stored relaxed")                                      \
    X(TraceCountEarly, "trace table: the count is moved before the node")

enum class Weakening : int {
#define RESIDUE_WEAKENING_ENUMERATOR(name, text) name,
    RESIDUE_WEAKENINGS(RESIDUE_WEAKENING_ENUMERATOR)
#undef RESIDUE_WEAKENING_ENUMERATOR
};

#ifdef RESIDUE_WEAKENABLE
inline Weakening weakening = Weakening::None;  // set before any thread starts
inline bool Weakened(Weakening which) noexcept { return weakening == which; }
#else
constexpr bool Weakened(Weakening) noexcept { return false; }
#endif

}  // namespace residue::events::detail
