// Result<T>: a value or a MemoryError. The project uses no exceptions across a core API.
// `.value()` is banned (a test looks for it): without exceptions it is undefined behaviour on an error. Test the
// result, then use `*result` or `result.error()`.
#pragma once

#include <tl/expected.hpp>

#include "base/memory_error.hpp"

namespace residue {

template <class T, class E = MemoryError>
using Result = tl::expected<T, E>;

template <class E>
constexpr tl::unexpected<E> Fail(E error) {
    return tl::unexpected<E>(static_cast<E&&>(error));
}

}  // namespace residue
