#include "import/heaptrack_names.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "import/byte_source.hpp"

namespace residue::import {
namespace {

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool ReadExactly(ByteSource& source, void* to, std::size_t bytes) {
    auto* at = static_cast<char*>(to);
    while (bytes != 0) {
        const auto read = source.Read(at, bytes);
        if (!read || *read == 0) return false;
        at += *read;
        bytes -= *read;
    }
    return true;
}

// The loadable segments of a 64-bit ELF file, as heaptrack writes them. Empty: it is none, or is not here.
std::vector<RawNames::Segment> SegmentsOf(const std::string& path) {
    constexpr std::size_t kMostHeaders = 4096;
    auto source = OpenFileSource(path);
    Elf64_Ehdr header;
    if (!source || !ReadExactly(**source, &header, sizeof header)) return {};
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return {};
    // Linkers put them directly behind the header.
    if (header.e_phoff != sizeof header || header.e_phentsize != sizeof(Elf64_Phdr)) return {};
    std::vector<RawNames::Segment> segments;
    for (std::size_t i = 0; i < std::min<std::size_t>(header.e_phnum, kMostHeaders); ++i) {
        Elf64_Phdr segment;
        if (!ReadExactly(**source, &segment, sizeof segment)) return {};
        if (segment.p_type == PT_LOAD) segments.push_back({segment.p_vaddr, segment.p_memsz});
    }
    return segments;
}

}  // namespace

void InterpretedNames::AddString(std::string_view text) {
    const std::lock_guard lock(mutex_);
    strings_.push_back({text_.size(), static_cast<std::uint32_t>(text.size())});
    text_ += text;
}

std::uint64_t InterpretedNames::AddFrame(const FrameRow& row) {
    const std::lock_guard lock(mutex_);
    frames_.push_back(row);
    return frames_.size();
}

std::string InterpretedNames::StringAt(std::uint32_t number) const {
    if (number == 0 || number > strings_.size()) return {};
    const Piece piece = strings_[number - 1];
    return text_.substr(piece.offset, piece.length);
}

symbols::Frame InterpretedNames::Resolve(std::uint64_t frame) {
    const std::lock_guard lock(mutex_);
    if (frame == 0 || frame > frames_.size()) return {fmt::format("frame {}", frame), "", 0};
    const FrameRow& row = frames_[frame - 1];
    symbols::Frame named{StringAt(row.function), StringAt(row.file), row.line};
    if (named.function.empty()) {
        const std::string module = StringAt(row.module);
        named.function = module.empty() ? fmt::format("{:#x}", row.address)
                                        : fmt::format("{}:{:#x}", FileName(module), row.address);
    }
    return named;
}

void RawNames::AddModule(std::string_view path, std::uint64_t base, std::vector<Segment> segments) {
    const std::lock_guard lock(mutex_);
    // All modules are told of anew whenever one is loaded.
    for (const Module& module : modules_) {
        if (module.base == base && module.path == path && module.segments == segments) return;
    }
    modules_.push_back({std::string(path), base, std::move(segments), false, nullptr});
}

// The one that was loaded last, where several were there one after the other.
RawNames::Module* RawNames::ModuleOf(std::uint64_t address) {
    for (auto module = modules_.rbegin(); module != modules_.rend(); ++module) {
        for (const Segment& segment : module->segments) {
            if (address - module->base - segment.address < segment.bytes) return &*module;
        }
    }
    return nullptr;
}

symbols::Frame RawNames::Resolve(std::uint64_t address) {
    const std::lock_guard lock(mutex_);
    Module* const module = ModuleOf(address - 1);  // the call is one byte before where it returns to
    if (module == nullptr) return {fmt::format("{:#x}", address), "", 0};
    const std::uint64_t offset = address - module->base;
    if (!std::exchange(module->looked, true) && SegmentsOf(module->path) == module->segments) {
        module->image = symbols::OfImage(module->path);
    }
    if (module->image != nullptr) {
        symbols::Frame named = module->image->Resolve(offset);
        // "strdup@@GLIBC_2.2.5" is how a library without debug data says it.
        if (const std::size_t version = named.function.find('@'); version != 0 && version != std::string::npos) {
            named.function.resize(version);
        }
        if (!named.function.starts_with("0x")) return named;
    }
    return {fmt::format("{}+{:#x}", FileName(module->path), offset), "", 0};
}

}  // namespace residue::import
