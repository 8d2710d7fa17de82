#include "alloc/os/tracker.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <new>
#include <vector>

#include "events/os/pages.hpp"

namespace residue::alloc {
namespace {

constexpr std::size_t kHeadingBytes = 64;
constexpr char kHeading[] = "Unfreed buffer @ 0x%" PRIxPTR ": \n";

}  // namespace

void WriteToStandardError(void*, const char* text, std::size_t length) { std::fwrite(text, 1, length, stderr); }

Tracker::~Tracker() {
    Clear();
    if (memo_ != nullptr) events::os::ReleasePages(memo_, sizeof(events::TraceMemo));
}

TraceId Tracker::Intern(const std::uintptr_t* frames, unsigned count) {
    if (count == 0) return {};
    if (memo_ == nullptr) {
        void* const pages = events::os::ReservePages(sizeof(events::TraceMemo));
        if (pages == nullptr) return traces_.Intern(frames, count);
        memo_ = new (pages) events::TraceMemo;
    }
    return traces_.Intern(frames, count, *memo_);
}

void Tracker::Add(void* pointer, std::size_t bytes, const std::uintptr_t* frames, unsigned frameCount) {
    TrackedBlock block;
    block.address = reinterpret_cast<std::uintptr_t>(pointer);
    block.size = bytes;
    block.serial = ++allocations_;
    block.trace = Intern(frames, frameCount).value;
    ++live_;
    if (TrackedBlock* known = table_.Find(block.address)) *known = block;
    else table_.Add(block);
}

Result<TrackedBlock> Tracker::Locate(const void* pointer) const {
    const TrackedBlock* block = table_.Find(reinterpret_cast<std::uintptr_t>(pointer));
    if (block == nullptr) return Fail(MemoryError::InvalidPointer);
    if (!block->live) return Fail(MemoryError::DoubleFree);
    return *block;
}

void Tracker::Forget(std::uintptr_t address) {
    TrackedBlock* block = table_.Find(address);
    block->live = false;
    block->serial = ++frees_;
    --live_;
    if (!Remember({address, frees_})) table_.Remove(address);
}

bool Tracker::Remember(const Free& free) {
    if (!wrapped_ && recent_.size < remembered_ && PushToDynamicArray(&recent_, free)) return true;
    if (recent_.size == 0) return false;
    wrapped_ = true;
    Free& slot = recent_.buffer[oldest_];
    oldest_ = (oldest_ + 1) % recent_.size;
    const TrackedBlock* gone = table_.Find(slot.address);
    // Given out again since, or freed again later: then it is not this entry that remembers it.
    if (gone != nullptr && !gone->live && gone->serial == slot.serial) table_.Remove(slot.address);
    slot = free;
    return true;
}

std::uintptr_t Tracker::Nearest(std::uintptr_t address) const {
    const TrackedBlock* block = table_.Nearest(address);
    return block == nullptr ? 0 : block->address;
}

void Tracker::Inspect(Inspector& inspector) const {
    std::vector<TrackedBlock> blocks;
    blocks.reserve(live_);
    table_.ForEach([&](const TrackedBlock& block) {
        if (block.live) blocks.push_back(block);
    });
    std::sort(blocks.begin(), blocks.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
    for (const TrackedBlock& block : blocks) {
        LiveBlock live;
        live.address = block.address;
        live.size = static_cast<std::size_t>(block.size);
        inspector.OnBlock(live);
    }
    if (blocks.size() != live_) inspector.OnBroken("the count of live blocks is wrong", 0);
}

std::string Tracker::Describe(const TrackedBlock& block, symbols::Symbolizer& symbolizer) const {
    char line[kHeadingBytes];
    std::snprintf(line, sizeof line, kHeading, block.address);
    std::string text = line;
    bool ours = true;  // the innermost frames may be the library's own Allocate<T>
    for (TraceId at{block.trace}; at;) {
        const auto node = traces_.At(at);
        at = node.parent;
        const symbols::Frame frame = symbolizer.Resolve(node.frame);
        ours = ours && frame.function.find("residue::alloc::Allocate<") != std::string::npos;
        if (ours) continue;
        text += std::to_string(frame.line) + ':' + (frame.file.empty() ? "?" : frame.file) + " in " + frame.function;
        text += '\n';
    }
    return text;
}

std::size_t Tracker::ReportAndGiveBack(ReportWriter writer, void* context) {
    std::size_t count = 0;
    const TrackedBlock* blocks = table_.SortLive(count);
    std::shared_ptr<symbols::Symbolizer> symbolizer;
    const auto tell = [&](const TrackedBlock& block) {
        std::string text;
        try {
            if (symbolizer == nullptr) symbolizer = symbols::OwnProcess();
            text = Describe(block, *symbolizer);
        } catch (const std::bad_alloc&) {  // for names and lines; a report must not end the program
            char line[kHeadingBytes];
            const int length = std::snprintf(line, sizeof line, kHeading, block.address);
            return writer(context, line, static_cast<std::size_t>(length));
        }
        writer(context, text.data(), text.size());
    };
    for (std::size_t i = 0; i < count; ++i) {
        if (writer != nullptr) tell(blocks[i]);
        (void)parent_->Free(parent_, reinterpret_cast<void*>(blocks[i].address));
    }
    Clear();
    return count;
}

Tracker::Span Tracker::LiveSpan() const {
    std::uintptr_t low = ~std::uintptr_t{0};
    std::uintptr_t high = 0;
    table_.ForEach([&](const TrackedBlock& block) {
        if (!block.live) return;
        low = std::min(low, block.address);
        high = std::max(high, block.address + block.size);
    });
    if (high == 0) return {0, 0};
    return {low, high - low};
}

void Tracker::Clear() {
    live_ = 0;
    table_.Release();
    (void)DestroyDynamicArray(&recent_);
    oldest_ = 0;
    wrapped_ = false;
}

}  // namespace residue::alloc
