#include "lab/trace.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <unordered_map>

namespace residue::lab {
namespace {

OpKind KindOf(import::Meaning meaning) {
    switch (meaning) {
        case import::Meaning::Allocate: return OpKind::Malloc;
        case import::Meaning::Free: return OpKind::Free;
        case import::Meaning::FreeNull: return OpKind::FreeNull;
        case import::Meaning::Resize: return OpKind::Realloc;
        case import::Meaning::ResizeFree: return OpKind::ReallocFree;
        case import::Meaning::ResizeAllocate:
        case import::Meaning::ResizeNull: return OpKind::ReallocNull;
        case import::Meaning::Touch: return OpKind::Touch;
        case import::Meaning::FreeUnknown: break;  // a mistake of the trace, which the reader warned of
    }
    return OpKind::Nothing;
}

class Slots {
public:
    std::uint32_t Of(std::int64_t id) {
        const auto next = static_cast<std::uint32_t>(slots_.size());
        return slots_.emplace(id, next).first->second;
    }
    std::uint64_t Count() const { return slots_.size(); }

private:
    std::unordered_map<std::int64_t, std::uint32_t> slots_;
};

}  // namespace

Outcome<LabTrace> ReadLabTrace(const std::string& path, const std::atomic<bool>* cancelled) {
    auto reader = import::OpenTrace(path);
    if (!reader) return Fail(reader.error());
    (*reader)->CancelWith(cancelled);
    return ReadLabTrace(**reader, path);
}

Outcome<LabTrace> ReadLabTrace(import::TraceReader& reader, const std::string& path) {
    LabTrace trace;
    trace.path = path;
    trace.name = std::filesystem::path(path).filename().string();
    import::IdTable ids(reader.Header().unknownIdIsNull);
    import::TraceFigures figures;
    Slots slots;
    const bool isScript = reader.Header().extension == ".script";
    import::Operation operation;
    for (;;) {
        const Outcome<bool> more = reader.Next(operation);
        if (!more) return Fail(more.error());
        if (!*more) break;
        if (trace.ops.size() == kMostOps) {
            return Fail(Failure{fmt::format("{}:{}", path, operation.line),
                                fmt::format("more than {} operations", kMostOps), "a shorter trace for the lab"});
        }
        std::uint64_t oldSize = 0;
        const import::Meaning meaning = ids.Apply(operation, oldSize);
        import::Count(operation, meaning, oldSize, figures);
        OpKind kind = KindOf(meaning);
        // What mdriver calls on NULL is called with NULL; a block of no bytes comes of it or not.
        if (kind == OpKind::Touch && operation.id < 0) kind = OpKind::Nothing;
        const bool mayBeNull = meaning == import::Meaning::ResizeNull || (isScript && operation.size == 0);
        const std::uint32_t slot = operation.id < 0 ? 0 : slots.Of(operation.id);
        trace.ops.push_back({operation.size, slot, kind, static_cast<std::uint8_t>(mayBeNull), 0});
    }
    if (trace.ops.empty()) return Fail(Failure{path, "has no operation", "a trace with some"});
    trace.header = reader.Header();
    trace.slots = std::max<std::uint64_t>(slots.Count(), 1);
    trace.peakLive = figures.peakLiveBytes;
    trace.warnings = reader.Warnings();
    return trace;
}

}  // namespace residue::lab
