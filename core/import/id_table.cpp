#include "import/id_map.hpp"
#include "import/trace.hpp"

namespace residue::import {

struct IdTable::State {
    struct Slot {
        std::uint64_t size = 0;
        bool live = false;
    };
    IdMap<Slot> slots;
    bool unknownIdIsNull = false;
};

IdTable::IdTable(bool unknownIdIsNull) : state_(std::make_unique<State>()) {
    state_->unknownIdIsNull = unknownIdIsNull;
}
IdTable::~IdTable() = default;
IdTable::IdTable(IdTable&&) noexcept = default;
IdTable& IdTable::operator=(IdTable&&) noexcept = default;

Meaning IdTable::Apply(const Operation& operation, std::uint64_t& oldSize) {
    using Slot = State::Slot;
    oldSize = 0;
    const bool isNull = operation.id < 0;
    Slot* slot = isNull ? nullptr : state_->slots.Find(operation.id);
    const bool live = slot != nullptr && slot->live;
    if (live) oldSize = slot->size;
    switch (operation.kind) {
        case OperationKind::Allocate:
            if (!isNull) state_->slots.At(operation.id) = {operation.size, true};
            return Meaning::Allocate;
        case OperationKind::Free:
            if (live) {
                *slot = {};
                return Meaning::Free;
            }
            return isNull || state_->unknownIdIsNull ? Meaning::FreeNull : Meaning::FreeUnknown;
        case OperationKind::Resize:
            if (!live && operation.size == 0) return Meaning::ResizeNull;
            if (live && operation.size == 0) {
                *slot = {};
                return Meaning::ResizeFree;
            }
            if (!isNull) state_->slots.At(operation.id) = {operation.size, true};
            return live ? Meaning::Resize : Meaning::ResizeAllocate;
        case OperationKind::Touch: return Meaning::Touch;
    }
    return Meaning::Touch;
}

void IdTable::VisitLive(const std::function<void(std::int64_t, std::uint64_t)>& visit) const {
    state_->slots.Visit([&](std::int64_t id, const State::Slot& slot) {
        if (slot.live) visit(id, slot.size);
    });
}

}  // namespace residue::import
