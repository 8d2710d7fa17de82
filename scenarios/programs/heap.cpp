#include <cstdlib>

#include "program.hpp"

namespace residue::scenarios {

void* Heap::Take(std::size_t bytes) {
    const Result<void*> block = allocator_->Allocate(allocator_, bytes, alignof(std::max_align_t));
    if (!block) std::abort();
    return *block;
}

void Heap::Give(void* block) {
    if (!allocator_->Free(allocator_, block)) std::abort();
}

void* Heap::Grow(void* block, std::size_t bytes) {
    const Result<void*> grown = allocator_->options->Resize(allocator_, block, bytes, alignof(std::max_align_t));
    if (!grown) std::abort();
    return *grown;
}

}  // namespace residue::scenarios
