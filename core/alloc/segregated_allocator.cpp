#include "alloc/segregated_allocator.hpp"

#include "alloc/detail/tagged_allocator_calls.hpp"
#include "alloc/detail/tagged_allocator_walk.hpp"

namespace residue::alloc {

static_assert(SegregatedClasses::BinOf(248) == 31 && SegregatedClasses::BinOf(256) == 32);
static_assert(SegregatedClasses::LeastOf(63) == std::uint64_t{12} << 20);

template struct BasicTaggedAllocator<NoObserver, SegregatedClasses>;
template struct BasicTaggedAllocator<DecisionObserver, SegregatedClasses>;

}  // namespace residue::alloc
