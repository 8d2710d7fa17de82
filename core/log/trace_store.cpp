#include "log/trace_store.hpp"

#include <cstdio>
#include <limits>
#include <utility>

namespace residue::log {
namespace {

std::size_t NameBytes(const symbols::Frame& name) {
    std::size_t bytes = sizeof(std::uint64_t) + sizeof(name) + name.function.capacity() + name.file.capacity();
    for (const symbols::InlinedCall& call : name.inlined) {
        bytes += sizeof(call) + call.function.capacity() + call.file.capacity();
    }
    return bytes;
}

}  // namespace

TraceId TraceStore::Add(TraceId parent, std::uint64_t frame) {
    const std::size_t count = nodes_.Size();
    if (count == std::numeric_limits<std::uint32_t>::max()) return {};
    if (parent.value > count) parent = {};
    nodes_.Push(frame, parent);
    return TraceId{static_cast<std::uint32_t>(count + 1)};
}

void TraceStore::SetSymbolizer(std::shared_ptr<symbols::Symbolizer> symbolizer) {
    const std::lock_guard lock(mutex_);
    symbolizer_ = std::move(symbolizer);
}

void TraceStore::Name(std::uint64_t frame, symbols::Frame name) {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(frame);
    if (found != names_.end()) {  // a name given counts more than one found
        nameBytes_.fetch_sub(NameBytes(found->second), std::memory_order_relaxed);
        names_.erase(found);
    }
    Keep(frame, std::move(name));
}

const symbols::Frame& TraceStore::Keep(std::uint64_t frame, symbols::Frame name) const {
    const auto [kept, isNew] = names_.try_emplace(frame, std::move(name));
    if (isNew) nameBytes_.fetch_add(NameBytes(kept->second), std::memory_order_relaxed);
    return kept->second;
}

const TraceStore::Node* TraceStore::Find(TraceId trace) const {
    return trace.value == 0 || trace.value > nodes_.Size() ? nullptr : &nodes_[trace.value - 1];
}

TraceId TraceStore::Parent(TraceId trace) const {
    const Node* node = Find(trace);
    return node == nullptr ? TraceId{} : node->parent;
}

std::uint64_t TraceStore::FrameAddress(TraceId trace) const {
    const Node* node = Find(trace);
    return node == nullptr ? 0 : node->frame;
}

symbols::Frame TraceStore::Resolve(std::uint64_t frame) const {
    std::shared_ptr<symbols::Symbolizer> symbolizer;
    {
        const std::lock_guard lock(mutex_);
        const auto named = names_.find(frame);
        if (named != names_.end()) return named->second;
        symbolizer = symbolizer_;
    }
    if (symbolizer) {
        symbols::Frame name = symbolizer->Resolve(frame);  // may take milliseconds: outside of the lock
        const std::lock_guard lock(mutex_);
        return Keep(frame, std::move(name));
    }
    char hex[2 + 16 + 1];
    std::snprintf(hex, sizeof(hex), "0x%llx", static_cast<unsigned long long>(frame));
    return {hex, "", 0};
}

symbols::Frame TraceStore::TopFrame(TraceId trace) const {
    const Node* node = Find(trace);
    return node == nullptr ? symbols::Frame{} : Resolve(node->frame);
}

std::vector<symbols::Frame> TraceStore::Frames(TraceId trace) const {
    std::vector<symbols::Frame> frames;
    // Parents have smaller ids, so this ends.
    for (const Node* node = Find(trace); node != nullptr; node = Find(node->parent)) {
        symbols::Frame frame = Resolve(node->frame);
        for (symbols::InlinedCall& call : std::exchange(frame.inlined, {})) {
            frames.push_back({std::move(call.function), std::move(call.file), call.line, {}, true});
        }
        frames.push_back(std::move(frame));
    }
    return frames;
}

}  // namespace residue::log
