// The two procedures that make an allocator, told by their heads alone.
#pragma once

#include <string>

#include "scenario/detail/program_data.hpp"

namespace residue::scenario::detail {

// As it is written: "proc(^Allocator, u32) -> MemoryError?^T".
std::string WrittenType(const TypeExpression& type);
std::string SignatureOf(const Procedure& procedure);

// Can it be called as an allocator's Allocate, or Free? The context may be left out, as the document does; counts may
// be any integer; Free may return nothing.
bool IsAllocate(const Procedure& procedure);
bool IsFree(const Procedure& procedure);

// "`Take` cannot be an allocator's Allocate", and what that must be.
std::string NoCallback(const Procedure& procedure, bool allocates);
std::string CallbackExpected(const Procedure& procedure, bool allocates);

}  // namespace residue::scenario::detail
