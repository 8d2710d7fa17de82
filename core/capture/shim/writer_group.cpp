// Events that take several records.
#include "capture/shim/writer.hpp"

namespace residue::capture::shim {

void Writer::EmitGroup(Record* records, std::uint32_t count) noexcept {
    const std::uint64_t stamp = Begin();
    const bool room = IsHeard() && count <= mask_ + 1 && (head_ + count <= room_ || WaitForRoom(count)) &&
                      Prepare(count);
    if (room) {
        for (std::uint32_t i = 0; i < count; ++i) {
            records[i].stamp = stamp;
            records_[(head_ + i) & mask_] = records[i];
        }
        head_ += count;
        lane_->written.store(head_, std::memory_order_release);
    } else {
        Drop(stamp);
    }
    lane_->mark.store(kIdle, std::memory_order_release);
}

}  // namespace residue::capture::shim
