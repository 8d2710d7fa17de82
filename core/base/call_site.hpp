// The place in the source that made a call, taken through a default argument:
//     void Do(CallSite site = CallSite::Here());
// (std::source_location is missing in clang 14.)
#pragma once

#include <cstdint>

namespace residue {

struct CallSite {
    const char* file = "";
    const char* function = "";
    std::uint32_t line = 0;

    static constexpr CallSite Here(const char* file = __builtin_FILE(), const char* function = __builtin_FUNCTION(),
                                   std::uint32_t line = __builtin_LINE()) noexcept {
        return {file, function, line};
    }
};

}  // namespace residue
