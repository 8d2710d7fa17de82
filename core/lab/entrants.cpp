#include "lab/entrants.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace residue::lab {
namespace {

constexpr SystemMalloc kSystemMallocs[] = {
    {"glibc", "", "", "malloc of the C library"},
    {"mimalloc", "libmimalloc.so.2", "mi_", "mimalloc"},
    {"jemalloc", "libjemalloc.so.2", "", "jemalloc"},
    {"tcmalloc", "libtcmalloc_minimal.so.4", "tc_", "tcmalloc"},
};

}  // namespace

std::span<const SystemMalloc> SystemMallocs() { return kSystemMallocs; }

const SystemMalloc* FindSystemMalloc(const std::string& name) {
    const auto* const found = std::find_if(std::begin(kSystemMallocs), std::end(kSystemMallocs),
                                           [&](const SystemMalloc& entry) { return name == entry.name; });
    return found == std::end(kSystemMallocs) ? nullptr : found;
}

bool IsStudentName(const std::string& name) {
    return name.find('/') != std::string::npos || name.ends_with(".c") || name == "." || name == "..";
}

std::string EntrantNames() {
    std::string names;
    for (const alloc::Registration& entry : alloc::Registry()) names += std::string(entry.name) + ", ";
    for (const SystemMalloc& entry : kSystemMallocs) names += std::string(entry.name) + ", ";
    return names + "or the path of an mm.c";
}

std::vector<Failure> CheckEntrants(const std::vector<std::string>& names) {
    std::vector<Failure> failures;
    if (names.empty()) failures.push_back({"--with", "names nobody", EntrantNames()});
    if (names.size() > kMostEntrants) {
        failures.push_back(
            {"--with", fmt::format("names {} lanes", names.size()), fmt::format("at most {}", kMostEntrants)});
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string& name = names[i];
        const bool isKnown =
            IsStudentName(name) || alloc::FindRegistration(name) != nullptr || FindSystemMalloc(name) != nullptr;
        if (!isKnown) failures.push_back({"--with", "unknown allocator '" + name + "'", EntrantNames()});
        const auto before = names.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::find(names.begin(), before, name) != before) {
            failures.push_back({"--with", "'" + name + "' is named twice", "each lane once"});
        }
    }
    return failures;
}

Outcome<std::vector<Entrant>> MakeEntrants(const std::vector<std::string>& names, const BuildOptions& options,
                                           std::string& messages) {
    if (auto failures = CheckEntrants(names); !failures.empty()) return Fail(failures[0]);
    std::vector<Entrant> entrants;
    for (const std::string& name : names) {
        Entrant entrant;
        entrant.name = name;
        entrant.registered = alloc::FindRegistration(name);
        if (entrant.registered == nullptr) entrant.system = FindSystemMalloc(name);
        if (entrant.registered == nullptr && entrant.system == nullptr) {
            auto built = Build(name, options);
            if (!built) return Fail(built.error());
            messages += built->messages;
            if (!built->fine) return Fail(Failure{name, "does not build", "code that compiler and linker take"});
            entrant.student = std::make_shared<const Built>(std::move(*built));
        }
        entrants.push_back(std::move(entrant));
    }
    return entrants;
}

}  // namespace residue::lab
