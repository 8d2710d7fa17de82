// A full fence on every running thread of the process, paid for by the one that calls: the others keep their plain
// stores. When it returns, every store that another thread made before the call is visible here. OS part.
#pragma once

namespace residue::events::os {

// By membarrier(2), some microseconds. Where the kernel has none (before 4.14, or forbidden in a sandbox): a wait of
// 20 microseconds, thousands of times longer than a store stays in a store buffer.
void FenceAllThreads() noexcept;

}  // namespace residue::events::os
