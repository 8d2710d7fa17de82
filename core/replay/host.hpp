// An allocator of the registry on memory of its own, for a replay: in a range that is reserved for it, or with memory
// of the system's. Internal to replay/. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "alloc/registry.hpp"
#include "events/rebase_sink.hpp"
#include "import/trace.hpp"
#include "log/failure.hpp"
#include "replay/address_range.hpp"
#include "replay/call_sink.hpp"

namespace residue::replay {

class Host {
public:
    Host(const alloc::Registration& of, AddressRange in, std::optional<std::uint64_t> bytes);
    ~Host() { Destroy(); }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    // Failures: as Replay::Create's.
    static Outcome<std::unique_ptr<Host>> Make(const import::TraceFigures& figures, const std::string& name,
                                               std::optional<std::uint64_t> capacity);

    // Tells `sink` what it does, at addresses from kFixedBase on.
    CallSink& Attach(events::EventSink& sink);
    // Without a word, before the sink goes.
    void Detach();
    // Its end; told while it is attached. Memory from the system is to be given back before.
    void Destroy();

    const alloc::Registration& entry;
    AddressRange range;
    const std::optional<std::uint64_t> capacity;  // bytes; none: the heap's end grows by what is missing
    alloc::Allocator* allocator = nullptr;  // null once it was destroyed

private:
    alignas(alloc::kAllocatorStorageAlignment) std::byte storage_[alloc::kAllocatorStorageBytes];
    std::optional<events::RebaseSink> rebased_;
    std::optional<CallSink> calls_;
};

}  // namespace residue::replay
