// What a loaded module says of itself: its symbols, and the places that the loader fills in. Reads memory of the
// process only; a module is there as long as dl_iterate_phdr shows it.
#pragma once

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

namespace residue::capture::shim {

struct Stretch {
    std::uintptr_t begin = 0, end = 0;
    bool Has(const void* address) const noexcept {
        const auto at = reinterpret_cast<std::uintptr_t>(address);
        return at >= begin && at < end;
    }
};

struct Relocations {
    const Elf64_Rela* entries = nullptr;
    std::size_t count = 0;
};

class ElfTables {
public:
    explicit ElfTables(const dl_phdr_info& module) noexcept;

    bool AreThere() const noexcept { return symbols_ != nullptr && strings_ != nullptr; }
    bool IsLoader() const noexcept;  // the program that loads others
    std::uintptr_t Base() const noexcept { return base_; }
    bool Covers(const void* address) const noexcept;     // one of its segments has it
    Stretch Sealed() const noexcept { return sealed_; }  // pages that are read-only once it is loaded
    Relocations Calls() const noexcept { return calls_; }
    Relocations Others() const noexcept { return others_; }
    const Elf64_Sym& SymbolAt(std::size_t index) const noexcept { return symbols_[index]; }
    const char* NameOf(const Elf64_Sym& symbol) const noexcept { return strings_ + symbol.st_name; }
    // The address of a function that it defines, or null.
    void* Define(const char* name) const noexcept;

private:
    void Read(const Elf64_Dyn& entry) noexcept;
    const Elf64_Sym* ByGnuHash(const char* name) const noexcept;
    const Elf64_Sym* ByHash(const char* name) const noexcept;
    bool Is(const Elf64_Sym& symbol, const char* name) const noexcept;
    template <class T>
    const T* At(std::uint64_t value) const noexcept {  // glibc has moved them, but for those of read-only tables
        return reinterpret_cast<const T*>(value < base_ ? base_ + value : value);
    }

    std::uintptr_t base_ = 0;
    const Elf64_Phdr* segments_ = nullptr;
    std::size_t segmentCount_ = 0;
    const char* name_ = nullptr;
    const Elf64_Sym* symbols_ = nullptr;
    const char* strings_ = nullptr;
    const std::uint32_t* gnuHash_ = nullptr;
    const std::uint32_t* hash_ = nullptr;
    Relocations calls_, others_;
    Stretch sealed_;
};

}  // namespace residue::capture::shim
