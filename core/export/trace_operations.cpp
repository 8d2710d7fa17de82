#include <algorithm>
#include <utility>
#include <vector>

#include "export/operations.hpp"
#include "import/id_map.hpp"
#include "import/trace.hpp"

namespace residue::exports {
namespace {

using import::Meaning;
using import::Operation;

class TraceWalk {
public:
    TraceWalk(import::TraceReader& reader, const StreamOptions& options, const VisitOperation& visit)
        : reader_(reader), options_(options), visit_(visit), table_(reader.Header().unknownIdIsNull) {}

    Outcome<std::uint64_t> Run() {
        Operation operation;
        for (;;) {
            const Outcome<bool> more = reader_.Next(operation);
            if (!more) return Fail(more.error());
            if (!*more) break;
            std::uint64_t oldSize = 0;
            Take(operation, table_.Apply(operation, oldSize));
        }
        if (options_.balanced) FreeLive();
        return leftOut_;
    }

private:
    struct Slot {
        std::int64_t id = -1;  // of its block, or of the last one it had
        bool live = false;
    };

    void Take(const Operation& operation, Meaning meaning) {
        switch (meaning) {
            case Meaning::Allocate:
            case Meaning::ResizeAllocate: {
                Slot& slot = slots_.At(operation.id);
                if (slot.live) forgotten_.push_back(slot.id);
                slot = {next_++, true};
                visit_({meaning == Meaning::Allocate ? 'a' : 'r', slot.id, operation.size});
                return;
            }
            case Meaning::Resize: visit_({'r', slots_.At(operation.id).id, operation.size}); return;
            case Meaning::Free:
            case Meaning::ResizeFree: {
                Slot& slot = slots_.At(operation.id);
                slot.live = false;
                if (meaning == Meaning::Free) visit_({'f', slot.id, 0});
                else visit_({'r', slot.id, 0});
                return;
            }
            case Meaning::FreeNull: visit_({'f', -1, 0}); return;
            case Meaning::FreeUnknown: {
                if (options_.balanced) break;
                Slot& slot = slots_.At(operation.id);
                if (slot.id < 0) slot.id = next_++;  // never allocated: an id that nothing else has
                visit_({'f', slot.id, 0});
                return;
            }
            case Meaning::ResizeNull:
            case Meaning::Touch: break;
        }
        ++leftOut_;
    }

    void FreeLive() {
        std::vector<std::int64_t> live = std::move(forgotten_);
        slots_.Visit([&](std::int64_t, const Slot& slot) {
            if (slot.live) live.push_back(slot.id);
        });
        std::sort(live.begin(), live.end());
        for (const std::int64_t id : live) visit_({'f', id, 0});
    }

    import::TraceReader& reader_;
    const StreamOptions& options_;
    const VisitOperation& visit_;
    import::IdTable table_;
    import::IdMap<Slot> slots_;
    std::vector<std::int64_t> forgotten_;
    std::int64_t next_ = 0;
    std::uint64_t leftOut_ = 0;
};

}  // namespace

Outcome<std::uint64_t> VisitTrace(const std::string& path, const StreamOptions& options, const VisitOperation& visit) {
    auto reader = import::OpenTrace(path);
    if (!reader) return Fail(reader.error());
    (*reader)->CancelWith(options.cancelled);
    return TraceWalk(**reader, options, visit).Run();
}

}  // namespace residue::exports
