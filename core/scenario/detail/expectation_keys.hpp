// What can be expected of a statement, by name; scenarios/README.md says it to teachers.
#pragma once

#include <string>
#include <string_view>

namespace residue::scenario::detail {

struct ExpectationKey {
    std::string_view name;
    bool takesValue;
};

inline constexpr ExpectationKey kExpectationKeys[] = {
    {"error", true},                          // an error of that name came up in the statement
    {"succeeds", false},                      // none did
    {"leaks", true},                          // blocks never given back when all is done
    {"live_bytes", true},                     // payload bytes that live after the statement
    {"live_blocks", true},  {"holes", true},  // of the allocator used last, or of the one that `of` names
    {"largest_hole", true}, {"free_bytes", true}, {"address", true},  // of the block allocated last in the statement
    {"offset", true},                                                 // the same, from where its allocator begins
    {"size", true},                                                   // of that block, as requested
    {"set_aside", true},  // of that block, with header, padding, rounding and slack
    {"probes", true},     // holes looked at by the statement's last request
    {"output", true},     // what the statement printed, without the last line end
    {"duck", false},      // it yelled in the statement
    {"of", true},         // the allocator that the others ask
};

inline const ExpectationKey* FindExpectationKey(std::string_view name) {
    for (const ExpectationKey& key : kExpectationKeys) {
        if (key.name == name) return &key;
    }
    return nullptr;
}

inline std::string ExpectationKeyList() {
    std::string list;
    for (const ExpectationKey& key : kExpectationKeys) list += (list.empty() ? "" : ", ") + std::string(key.name);
    return list;
}

}  // namespace residue::scenario::detail
