#include "capture/shim/elf_tables.hpp"

#include <cstring>

namespace residue::capture::shim {

ElfTables::ElfTables(const dl_phdr_info& module) noexcept
    : base_(module.dlpi_addr), segments_(module.dlpi_phdr), segmentCount_(module.dlpi_phnum), name_(module.dlpi_name) {
    constexpr std::uintptr_t kPage = 4096;
    for (std::size_t i = 0; i < segmentCount_; ++i) {
        const Elf64_Phdr& segment = segments_[i];
        if (segment.p_type == PT_GNU_RELRO) {  // whole pages of it, as the loader has it
            const std::uintptr_t begin = base_ + segment.p_vaddr;
            sealed_ = {begin & ~(kPage - 1), (begin + segment.p_memsz) & ~(kPage - 1)};
        }
        if (segment.p_type != PT_DYNAMIC) continue;
        const auto* entry = reinterpret_cast<const Elf64_Dyn*>(base_ + segment.p_vaddr);
        for (; entry->d_tag != DT_NULL; ++entry) Read(*entry);
    }
}

void ElfTables::Read(const Elf64_Dyn& entry) noexcept {
    switch (entry.d_tag) {
        case DT_SYMTAB: symbols_ = At<Elf64_Sym>(entry.d_un.d_ptr); break;
        case DT_STRTAB: strings_ = At<char>(entry.d_un.d_ptr); break;
        case DT_GNU_HASH: gnuHash_ = At<std::uint32_t>(entry.d_un.d_ptr); break;
        case DT_HASH: hash_ = At<std::uint32_t>(entry.d_un.d_ptr); break;
        case DT_JMPREL: calls_.entries = At<Elf64_Rela>(entry.d_un.d_ptr); break;
        case DT_PLTRELSZ: calls_.count = entry.d_un.d_val / sizeof(Elf64_Rela); break;
        case DT_RELA: others_.entries = At<Elf64_Rela>(entry.d_un.d_ptr); break;
        case DT_RELASZ: others_.count = entry.d_un.d_val / sizeof(Elf64_Rela); break;
        default: break;
    }
}

bool ElfTables::IsLoader() const noexcept {
    const char* const slash = name_ != nullptr ? std::strrchr(name_, '/') : nullptr;
    const char* const file = slash != nullptr ? slash + 1 : "";
    return std::strncmp(file, "ld-linux", 8) == 0 || std::strncmp(file, "ld-2", 4) == 0 ||
           std::strncmp(file, "ld.so", 5) == 0;
}

bool ElfTables::Covers(const void* address) const noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    for (std::size_t i = 0; i < segmentCount_; ++i) {
        const Elf64_Phdr& segment = segments_[i];
        const std::uintptr_t begin = base_ + segment.p_vaddr;
        if (segment.p_type == PT_LOAD && at >= begin && at - begin < segment.p_memsz) return true;
    }
    return false;
}

bool ElfTables::Is(const Elf64_Sym& symbol, const char* name) const noexcept {
    const auto kind = ELF64_ST_TYPE(symbol.st_info);
    return symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 && kind == STT_FUNC &&
           std::strcmp(NameOf(symbol), name) == 0;
}

// https://flapenguin.me/elf-dt-gnu-hash: buckets of symbols that stand together, with their hashes beside them.
const Elf64_Sym* ElfTables::ByGnuHash(const char* name) const noexcept {
    const std::uint32_t buckets = gnuHash_[0], first = gnuHash_[1], words = gnuHash_[2];
    if (buckets == 0) return nullptr;
    std::uint32_t hash = 5381;
    for (const char* at = name; *at != 0; ++at) hash = hash * 33 + static_cast<unsigned char>(*at);
    const std::uint32_t* const bucket = gnuHash_ + 4 + 2 * std::size_t{words};
    const std::uint32_t* const hashes = bucket + buckets;
    std::uint32_t index = bucket[hash % buckets];
    if (index < first) return nullptr;
    for (;; ++index) {
        const std::uint32_t other = hashes[index - first];
        if ((other | 1) == (hash | 1) && Is(symbols_[index], name)) return &symbols_[index];
        if ((other & 1) != 0) return nullptr;
    }
}

const Elf64_Sym* ElfTables::ByHash(const char* name) const noexcept {
    for (std::uint32_t index = 1; index < hash_[1]; ++index) {
        if (Is(symbols_[index], name)) return &symbols_[index];
    }
    return nullptr;
}

void* ElfTables::Define(const char* name) const noexcept {
    if (!AreThere()) return nullptr;
    const Elf64_Sym* const symbol = gnuHash_ != nullptr ? ByGnuHash(name) : hash_ != nullptr ? ByHash(name) : nullptr;
    return symbol != nullptr ? reinterpret_cast<void*>(base_ + symbol->st_value) : nullptr;
}

}  // namespace residue::capture::shim
