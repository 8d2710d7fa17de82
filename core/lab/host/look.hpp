// Looks at a moment of the run: follows one call instruction by instruction, and copies bytes of the heap for the lab.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include "lab/host/heap.hpp"
#include "lab/layout.hpp"

namespace residue::lab::host {

// `behindRecords`: where bytes and steps go (layout.hpp).
void PrepareLook(const Order& order, Report& report, unsigned char* behindRecords, const Heap& heap);
bool Looks();

// Between these two every instruction is a signal. The student's own are kept.
void BeginSteps();
void EndSteps();
// Of the signal handler: true where the signal was of this, and the program goes on.
bool TakeStep(int code, ucontext_t& context, std::uint64_t codeBegin, std::uint64_t codeEnd);

// Once, at the end, however it came.
void CopyHeap();

}  // namespace residue::lab::host
