#include "alloc/tlsf_allocator.hpp"

#include "alloc/detail/tagged_allocator_calls.hpp"
#include "alloc/detail/tagged_allocator_walk.hpp"

namespace residue::alloc {

static_assert(TlsfClasses::BinOf(120) == 15 && TlsfClasses::BinOf(128) == 16 && TlsfClasses::BinOf(256) == 32);
static_assert(TlsfClasses::LeastOf(25 * 16 + 15) == (std::uint64_t{4} << 30) - (std::uint64_t{128} << 20));

template struct BasicTaggedAllocator<NoObserver, TlsfClasses>;
template struct BasicTaggedAllocator<DecisionObserver, TlsfClasses>;

}  // namespace residue::alloc
