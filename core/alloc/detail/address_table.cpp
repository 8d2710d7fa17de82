#include "alloc/detail/address_table.hpp"

namespace residue::alloc {
namespace {

constexpr std::size_t kFirstCapacity = 64;

// Fibonacci hashing; the low bits of addresses are alike.
std::size_t Hash(std::uintptr_t address, std::size_t capacity) {
    return static_cast<std::size_t>((address * 0x9E37'79B9'7F4A'7C15) >> 20) & (capacity - 1);
}

void SiftDown(TrackedBlock* heap, std::size_t root, std::size_t count) {
    const TrackedBlock sinking = heap[root];
    for (;;) {
        std::size_t child = 2 * root + 1;
        if (child >= count) break;
        if (child + 1 < count && heap[child].serial < heap[child + 1].serial) ++child;
        if (heap[child].serial <= sinking.serial) break;
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = sinking;
}

// Heapsort: no recursion and no memory of its own.
void SortBySerial(TrackedBlock* blocks, std::size_t count) {
    for (std::size_t i = count / 2; i-- > 0;) SiftDown(blocks, i, count);
    for (std::size_t end = count; end-- > 1;) {
        const TrackedBlock largest = blocks[0];
        blocks[0] = blocks[end];
        blocks[end] = largest;
        SiftDown(blocks, 0, end);
    }
}

}  // namespace

// The slot that holds the address, or the empty one where it belongs. There is always an empty one.
std::size_t AddressTable::SlotOf(std::uintptr_t address) const {
    std::size_t slot = Hash(address, capacity_);
    while (slots_[slot].address != 0 && slots_[slot].address != address) slot = (slot + 1) & (capacity_ - 1);
    return slot;
}

Result<void> AddressTable::Reserve() {
    if ((count_ + 1) * 4 <= capacity_ * 3) return {};
    const std::size_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
    const auto slots = Allocate<TrackedBlock>(parent_, capacity);
    if (!slots) return Fail(slots.error());
    TrackedBlock* old = slots_;
    const std::size_t oldCapacity = capacity_;
    slots_ = *slots;
    capacity_ = capacity;
    for (std::size_t i = 0; i < capacity; ++i) slots_[i] = TrackedBlock{};
    for (std::size_t i = 0; i < oldCapacity; ++i) {
        if (old[i].address != 0) slots_[SlotOf(old[i].address)] = old[i];
    }
    if (old != nullptr) (void)UnsafeFree(parent_, old);
    return {};
}

void AddressTable::Add(const TrackedBlock& block) {
    slots_[SlotOf(block.address)] = block;
    ++count_;
}

TrackedBlock* AddressTable::Find(std::uintptr_t address) {
    if (capacity_ == 0 || address == 0) return nullptr;
    TrackedBlock* found = &slots_[SlotOf(address)];
    return found->address == 0 ? nullptr : found;
}

const TrackedBlock* AddressTable::Find(std::uintptr_t address) const {
    return const_cast<AddressTable*>(this)->Find(address);
}

void AddressTable::Remove(std::uintptr_t address) {
    if (Find(address) == nullptr) return;
    std::size_t hole = SlotOf(address);
    // Entries behind the hole whose place is at or before it move up, so that no search ends too early.
    for (std::size_t next = (hole + 1) & (capacity_ - 1); slots_[next].address != 0;
         next = (next + 1) & (capacity_ - 1)) {
        const std::size_t home = Hash(slots_[next].address, capacity_);
        if (((next - home) & (capacity_ - 1)) < ((next - hole) & (capacity_ - 1))) continue;
        slots_[hole] = slots_[next];
        hole = next;
    }
    slots_[hole] = TrackedBlock{};
    --count_;
}

const TrackedBlock* AddressTable::Nearest(std::uintptr_t address) const {
    const TrackedBlock* below = nullptr;
    const TrackedBlock* above = nullptr;
    for (std::size_t i = 0; i < capacity_; ++i) {
        const TrackedBlock& block = slots_[i];
        if (block.address == 0 || !block.live) continue;
        if (block.address <= address) {
            if (below == nullptr || block.address > below->address) below = &block;
        } else if (above == nullptr || block.address < above->address) {
            above = &block;
        }
    }
    return below != nullptr ? below : above;
}

TrackedBlock* AddressTable::SortLive(std::size_t& count) {
    count = 0;
    for (std::size_t i = 0; i < capacity_; ++i) {
        if (slots_[i].address != 0 && slots_[i].live) slots_[count++] = slots_[i];
    }
    SortBySerial(slots_, count);
    return slots_;
}

void AddressTable::Release() {
    if (slots_ != nullptr) (void)UnsafeFree(parent_, slots_);
    slots_ = nullptr;
    capacity_ = 0;
    count_ = 0;
}

}  // namespace residue::alloc
