// The allocator that is there for the whole program: a DefaultAllocator made before its first use (so constructors of
// static objects may use it, and their destructors too) that reports what was not given back after main and after
// those destructors. It exists only where the OS is supported. Thread-safe. A program that never uses it pays nothing.
//
//     auto name = Allocate<char>(GlobalAllocator(), 32);
#pragma once

#include "alloc/os/os.hpp"

#if RESIDUE_OS_SUPPORTED

#include "alloc/os/default_allocator.hpp"

namespace residue::alloc {

DefaultAllocator<>* GlobalAllocator();

}  // namespace residue::alloc

#endif
