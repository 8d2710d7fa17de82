// Address space whose pages come, zeroed, when they are first touched. OS part.
#pragma once

#include <cstddef>

namespace residue::events::os {

void* ReservePages(std::size_t bytes) noexcept;  // null when it cannot be had
void ReleasePages(void* pages, std::size_t bytes) noexcept;

}  // namespace residue::events::os
