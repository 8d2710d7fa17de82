#include "replay/fork.hpp"

#include "alloc/registry.hpp"
#include "base/parse_size.hpp"

namespace residue::replay {

Outcome<Fork> ParseFork(const std::string& text, const char* where) {
    const auto wrong = [&](const std::string& what) {
        return Fail(Failure{where, "'" + text + "': " + what,
                            "POSITION:ALLOCATOR or POSITION:ALLOCATOR:CAPACITY, as in 500:best-fit or 500:tlsf:64K"});
    };
    const std::size_t first = text.find(':'), second = text.find(':', first == std::string::npos ? first : first + 1);
    if (first == std::string::npos) return wrong("no allocator");
    Fork fork;
    const auto after = ParseWhole(text.substr(0, first));
    if (!after) return wrong("'" + text.substr(0, first) + "' is no position");
    fork.after = *after;
    fork.allocator = text.substr(first + 1, second == std::string::npos ? second : second - first - 1);
    if (alloc::FindRegistration(fork.allocator) == nullptr) {
        return wrong("there is no allocator '" + fork.allocator + "'");
    }
    if (second == std::string::npos || text.substr(second + 1) == "auto") return fork;
    fork.capacity = ParseBytes(text.substr(second + 1));
    if (!fork.capacity || *fork.capacity == 0) return wrong("'" + text.substr(second + 1) + "' is no number of bytes");
    return fork;
}

}  // namespace residue::replay
