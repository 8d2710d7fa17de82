#include "capture/detail/unwind_module.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#if defined(DLFO_STRUCT_HAS_EH_DBASE)
// Weak, so that a build for a new C library runs with an old one.
extern "C" int _dl_find_object(void* address, dl_find_object* found) noexcept __attribute__((weak));
#endif

namespace residue::capture::detail {
namespace {

struct ProgramHeaders {
    const ElfW(Phdr)* first = nullptr;
    std::size_t count = 0;
};

// The segment around `address`, as far as it is in the file and may be read: between segments there may be holes.
TableBytes ReadableSegment(ProgramHeaders headers, std::uintptr_t bias, std::uintptr_t address) noexcept {
    for (std::size_t i = 0; i < headers.count; ++i) {
        const ElfW(Phdr)& segment = headers.first[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_R) == 0) continue;
        const std::uintptr_t begin = bias + segment.p_vaddr;
        const TableBytes bytes{begin, begin + segment.p_filesz};
        if (bytes.low <= bytes.high && bytes.Holds(address, 1)) return bytes;
    }
    return {};
}

const ElfW(Phdr)* FrameHeader(ProgramHeaders headers) noexcept {
    for (std::size_t i = 0; i < headers.count; ++i) {
        if (headers.first[i].p_type == PT_GNU_EH_FRAME) return &headers.first[i];
    }
    return nullptr;
}

void FindTables(ProgramHeaders headers, std::uintptr_t bias, UnwindModule& module) noexcept {
    const ElfW(Phdr)* const frames = FrameHeader(headers);
    if (frames == nullptr) return;
    module.tables.header = bias + frames->p_vaddr;
    module.tables.bytes = ReadableSegment(headers, bias, module.tables.header);
    module.hasTables = module.tables.bytes.low != module.tables.bytes.high;
}

#if defined(DLFO_STRUCT_HAS_EH_DBASE)

// Those that lie with the file's header at the beginning of its mapping, on the first page.
ProgramHeaders HeadersAt(std::uintptr_t mapping) noexcept {
    constexpr std::uintptr_t kPage = 4096;
    const auto* const file = reinterpret_cast<const ElfW(Ehdr)*>(mapping);
    if (__builtin_memcmp(file->e_ident, ELFMAG, SELFMAG) != 0 || file->e_phentsize != sizeof(ElfW(Phdr))) return {};
    const std::size_t bytes = file->e_phnum * sizeof(ElfW(Phdr));
    if (bytes > kPage || file->e_phoff > kPage - bytes || file->e_phoff % alignof(ElfW(Phdr)) != 0) return {};
    return {reinterpret_cast<const ElfW(Phdr)*>(mapping + file->e_phoff), file->e_phnum};
}

UnwindModule FindByObject(std::uintptr_t pc) noexcept {
    UnwindModule module;
    dl_find_object found;
    if (_dl_find_object(reinterpret_cast<void*>(pc), &found) != 0) return module;
    module.there = true;
    if (found.dlfo_eh_frame == nullptr) return module;
    const ProgramHeaders headers = HeadersAt(reinterpret_cast<std::uintptr_t>(found.dlfo_map_start));
    if (const ElfW(Phdr)* const frames = FrameHeader(headers)) {
        FindTables(headers, reinterpret_cast<std::uintptr_t>(found.dlfo_eh_frame) - frames->p_vaddr, module);
    }
    return module;
}

#endif

struct Search {
    std::uintptr_t pc;
    UnwindModule module;
};

int LookAt(dl_phdr_info* info, std::size_t, void* data) noexcept {
    Search& search = *static_cast<Search*>(data);
    const ProgramHeaders headers{info->dlpi_phdr, info->dlpi_phnum};
    for (std::size_t i = 0; i < headers.count; ++i) {
        const ElfW(Phdr)& segment = headers.first[i];
        if (segment.p_type != PT_LOAD || search.pc - info->dlpi_addr - segment.p_vaddr >= segment.p_memsz) continue;
        search.module.there = true;
        FindTables(headers, info->dlpi_addr, search.module);
        return 1;
    }
    return 0;
}

}  // namespace

UnwindModule FindModuleByList(std::uintptr_t pc) noexcept {
    Search search{pc, {}};
    dl_iterate_phdr(LookAt, &search);
    return search.module;
}

UnwindModule FindModule(std::uintptr_t pc) noexcept {
#if defined(DLFO_STRUCT_HAS_EH_DBASE)
    if (_dl_find_object != nullptr) return FindByObject(pc);
#endif
    return FindModuleByList(pc);
}

}  // namespace residue::capture::detail
