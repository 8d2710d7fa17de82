#include "capture/shim/slots.hpp"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstring>

#include "capture/shim/elf_tables.hpp"

namespace residue::capture::shim {
namespace {

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

#if defined(__x86_64__)
constexpr std::uint32_t kCallSlot = R_X86_64_JUMP_SLOT, kDataSlot = R_X86_64_GLOB_DAT, kPointer = R_X86_64_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kCallSlot = R_AARCH64_JUMP_SLOT, kDataSlot = R_AARCH64_GLOB_DAT, kPointer = R_AARCH64_ABS64;
#endif

struct Search {
    const char* name;
    const void* place;  // a module around it; null: the first that has it
    const void* own;
    void* found = nullptr;
    std::size_t index = 0;  // of the module looked at
    Owner owner = Owner::None;
};

int Look(dl_phdr_info* info, std::size_t, void* data) {
    Search& search = *static_cast<Search*>(data);
    const std::size_t index = search.index++;
    const ElfTables tables(*info);
    if (search.place != nullptr && !tables.Covers(search.place)) return 0;
    search.found = tables.Define(search.name);
    if (search.found == nullptr) return search.place != nullptr ? 1 : 0;
    search.owner = index == 0 ? Owner::Program : tables.Covers(search.own) ? Owner::Shim : Owner::Library;
    return 1;
}

// The slots of one module.
class Placing {
public:
    Placing(const ElfTables& tables, const Slot* slots, std::size_t count)
        : tables_(tables), slots_(slots), count_(count) {}

    void Do() const noexcept {
        const Stretch sealed = tables_.Sealed();
        const bool any = sealed.end > sealed.begin && ForEach([&](void** at, void*) { return sealed.Has(at); });
        // Another thread loads it right now: it comes again once that is done.
        if (any && IsWritable(sealed)) return;
        const bool opened = any && Protect(sealed, PROT_READ | PROT_WRITE);
        ForEach([&](void** at, void* hook) {
            if (opened || !sealed.Has(at)) __atomic_store_n(at, hook, __ATOMIC_RELEASE);
            return false;
        });
        if (opened) (void)Protect(sealed, PROT_READ);
    }

private:
    // Each slot that is to be changed, until `visit` says true.
    template <class Visit>
    bool ForEach(Visit visit) const noexcept {
        for (const Relocations& table : {tables_.Calls(), tables_.Others()}) {
            for (std::size_t i = 0; i < table.count; ++i) {
                const Elf64_Rela& entry = table.entries[i];
                const auto kind = static_cast<std::uint32_t>(ELF64_R_TYPE(entry.r_info));
                if (kind != kCallSlot && kind != kDataSlot && (kind != kPointer || entry.r_addend != 0)) continue;
                const Elf64_Sym& symbol = tables_.SymbolAt(ELF64_R_SYM(entry.r_info));
                const Slot* const slot = Named(tables_.NameOf(symbol));
                auto** const at = reinterpret_cast<void**>(tables_.Base() + entry.r_offset);
                if (slot == nullptr || slot->real == nullptr || !tables_.Covers(at)) continue;
                void* const leads = __atomic_load_n(at, __ATOMIC_ACQUIRE);
                const bool unbound = kind == kCallSlot && symbol.st_shndx == SHN_UNDEF && tables_.Covers(leads);
                if ((leads == slot->real || unbound) && visit(at, slot->hook)) return true;
            }
        }
        return false;
    }
    const Slot* Named(const char* name) const noexcept {
        for (std::size_t i = 0; i < count_; ++i) {
            if (slots_[i].name[0] == name[0] && std::strcmp(slots_[i].name, name) == 0) return &slots_[i];
        }
        return nullptr;
    }
    // A kernel that is too old to tell says no, as of pages that are not.
    static bool IsWritable(const Stretch& pages) noexcept {
        return madvise(reinterpret_cast<void*>(pages.begin), 4096, MADV_POPULATE_WRITE) == 0;
    }
    static bool Protect(const Stretch& pages, int how) noexcept {
        return mprotect(reinterpret_cast<void*>(pages.begin), pages.end - pages.begin, how) == 0;
    }

    const ElfTables& tables_;
    const Slot* slots_;
    std::size_t count_;
};

struct All {
    const Slot* slots;
    std::size_t count;
    const void* own;
};

// The loader calls it for one module after the other, and for one thread at a time.
int PlaceIn(dl_phdr_info* info, std::size_t, void* data) {
    const All& all = *static_cast<const All*>(data);
    const ElfTables tables(*info);
    if (!tables.AreThere() || tables.Covers(all.own) || tables.IsLoader()) return 0;
    Placing(tables, all.slots, all.count).Do();
    return 0;
}

}  // namespace

void* FindDefinition(const char* name, const void* own, Owner& owner) noexcept {
    Search search{.name = name, .place = nullptr, .own = own};
    dl_iterate_phdr(Look, &search);
    owner = search.owner;
    return search.found;
}

void* FindBeside(const char* name, const void* place) noexcept {
    Search search{.name = name, .place = place, .own = place};
    dl_iterate_phdr(Look, &search);
    return search.found;
}

void PlaceInAll(const Slot* slots, std::size_t count, const void* own) noexcept {
    const int kept = errno;
    All all{slots, count, own};
    dl_iterate_phdr(PlaceIn, &all);
    errno = kept;
}

}  // namespace residue::capture::shim
