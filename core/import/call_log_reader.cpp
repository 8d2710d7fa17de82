// Logs of calls to an allocator, in the dialects of call_log.hpp. A line that is no such call is left out without a
// word: such logs have other things in them.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <vector>

#include "import/call_log.hpp"
#include "import/recording_format.hpp"
#include "import/scan_numbers.hpp"

namespace residue::import {
namespace {

using events::Event;
using events::EventKind;
using Function = LoggedCall::Function;
using Part = LoggedCall::Part;

constexpr std::size_t kMostNested = 64;  // calls that a thread is in; deeper ones are lost
constexpr std::size_t kMostAllocators = 1000;
constexpr std::size_t kMostThreads = 100'000;  // those that come later count as one

class CallLogReader {
public:
    CallLogReader(const CallDialect& dialect, LineBlocks& lines, RecordingOutput& output)
        : dialect_(dialect), lines_(lines), output_(output) {}
    Outcome<void> Read();

private:
    struct OpenCall {
        LoggedCall call;
        std::uint64_t line;
    };
    struct Thread {
        ThreadId id{};
        AllocatorId allocator{};
        std::vector<OpenCall> open;
    };

    void ReadLine(const char* at, const char* end);
    void Take(const LoggedCall& call);
    void Apply(const LoggedCall& call, std::uint64_t beginLine, Thread& thread);
    Event& Add(EventKind kind, std::uint64_t line, const LoggedCall& call, const Thread& thread);
    Thread& ThreadOf(const LoggedCall& call);
    AllocatorId AllocatorOf(std::uint64_t process);
    TraceId SiteOf(std::uint64_t caller);
    void Fail(EventKind kind, const LoggedCall& call, const Thread& thread);
    void Conclude();

    const CallDialect& dialect_;
    LineBlocks& lines_;
    RecordingOutput& output_;
    std::uint64_t line_ = 0;
    std::uint64_t time_ = 0;
    std::uint64_t firstTime_ = 0;
    bool timed_ = false;
    struct Task {
        std::uint64_t process;
        std::uint64_t thread;
        friend bool operator==(const Task&, const Task&) = default;
    };
    struct TaskHash {
        std::size_t operator()(const Task& task) const {
            return static_cast<std::size_t>((task.process * 0x9E3779B97F4A7C15u) ^ task.thread);
        }
    };
    std::unordered_map<Task, Thread, TaskHash> threads_;
    Task lastTask_{};
    Thread* last_ = nullptr;
    std::unordered_map<std::uint64_t, AllocatorId> allocators_;  // by process
    std::unordered_map<std::uint64_t, TraceId> sites_;           // by return address
    std::uint64_t unknownPointers_ = 0;
    std::uint64_t withoutBegin_ = 0;
};

AllocatorId CallLogReader::AllocatorOf(std::uint64_t process) {
    if (const auto known = allocators_.find(process); known != allocators_.end()) return known->second;
    if (allocators_.size() == kMostAllocators) return AllocatorId{1};
    const AllocatorId id{static_cast<std::uint16_t>(allocators_.size() + 1)};
    allocators_.emplace(process, id);
    const std::string name = id.value == 1 ? "malloc" : fmt::format("malloc, process {}", process);
    output_.CreateAllocator(id, name, line_);
    return id;
}

CallLogReader::Thread& CallLogReader::ThreadOf(const LoggedCall& call) {
    Task task{call.process, call.thread};
    if (threads_.size() >= kMostThreads && !threads_.contains(task)) task = {0, 0};
    if (last_ != nullptr && task == lastTask_) return *last_;
    const auto [found, isNew] = threads_.try_emplace(task);
    if (isNew) {
        found->second.allocator = AllocatorOf(task.process);
        if (task.thread != 0) found->second.id = ThreadId{static_cast<std::uint32_t>(threads_.size())};
    }
    lastTask_ = task;
    return *(last_ = &found->second);
}

TraceId CallLogReader::SiteOf(std::uint64_t caller) {
    if (caller == 0) return {};
    const auto [site, isNew] = sites_.try_emplace(caller);
    if (isNew) site->second = output_.Log().AddTrace({}, caller);
    return site->second;
}

Event& CallLogReader::Add(EventKind kind, std::uint64_t line, const LoggedCall& call, const Thread& thread) {
    Event& event = output_.Add(kind, line);
    event.allocator = thread.allocator;
    event.thread = thread.id;
    event.trace = SiteOf(call.caller);
    if (call.alignment != 0) event.alignmentLog2 = static_cast<std::uint8_t>(std::bit_width(call.alignment) - 1);
    if (timed_) event.stamp = time_ - firstTime_;
    return event;
}

void CallLogReader::Fail(EventKind kind, const LoggedCall& call, const Thread& thread) {
    Event& event = Add(kind, line_, call, thread);
    event.size = call.size;
    event.error = static_cast<std::uint8_t>(MemoryError::InsufficientMemory);
}

// A call that has ended. `beginLine`: where it began.
void CallLogReader::Apply(const LoggedCall& call, std::uint64_t beginLine, Thread& thread) {
    const bool frees = call.function == Function::Free || (call.function == Function::Resize && call.size == 0);
    if (frees && (call.function == Function::Free || call.result == 0)) {
        if (call.old != 0) Add(EventKind::Freed, beginLine, call, thread).address = call.old;
        return;
    }
    if (call.unknownPointer || !call.hasResult) {
        ++unknownPointers_;
        return;
    }
    if (call.function == Function::Resize && call.old != 0) {
        Event& begins = Add(EventKind::ResizeBegins, beginLine, call, thread);
        begins.address = call.old;
        begins.size = call.size;
        if (call.result == 0) return Fail(EventKind::ResizeEnds, call, thread);
        Event& ends = Add(EventKind::ResizeEnds, line_, call, thread);
        ends.address = call.result;
        ends.size = call.size;
        ends.argument = call.old;
        return;
    }
    if (call.result == 0) return Fail(EventKind::AllocateFailed, call, thread);
    Event& event = Add(EventKind::Allocated, line_, call, thread);
    event.address = call.result;
    event.size = call.size;
}

void CallLogReader::Take(const LoggedCall& call) {
    if (call.time != 0) {
        if (!timed_) {
            firstTime_ = time_ = call.time;
            timed_ = true;
        }
        time_ = std::max(time_, call.time);  // the clock of a day starts again at midnight, and threads differ
    }
    Thread& thread = ThreadOf(call);
    if (call.part == Part::Ends) {
        if (thread.open.empty()) {
            ++withoutBegin_;
            return;
        }
        OpenCall begun = std::move(thread.open.back());
        thread.open.pop_back();
        if (!thread.open.empty()) return;  // it was made within another one, which will have the same result
        const bool freed = begun.call.function == Function::Free;
        begun.call.result = call.result;
        begun.call.hasResult = call.hasResult;
        if (!freed) Apply(begun.call, begun.line, thread);
        return;
    }
    const bool inner = !thread.open.empty();
    if (call.part == Part::Begins) {
        if (thread.open.size() < kMostNested) thread.open.push_back({call, line_});
        // Memory goes back while the call runs: other threads may get it before its end is written.
        if (!inner && call.function == Function::Free) Apply(call, line_, thread);
        return;
    }
    if (!inner) Apply(call, line_, thread);
}

void CallLogReader::ReadLine(const char* at, const char* end) {
    LoggedCall call;
    switch (dialect_.Parse(at, end, call)) {
        case LineKind::Call: return Take(call);
        case LineKind::Noise: return;
        case LineKind::Malformed:
            output_.WarnOfLine(line_, {at, static_cast<std::size_t>(end - at)}, dialect_.expected);
            return;
    }
}

void CallLogReader::Conclude() {
    std::uint64_t open = 0;
    std::uint64_t firstOpen = 0;
    for (const auto& [task, thread] : threads_) {
        for (const OpenCall& begun : thread.open) {
            if (begun.call.function == Function::Free) continue;
            ++open;
            firstOpen = firstOpen == 0 ? begun.line : std::min(firstOpen, begun.line);
        }
    }
    if (open != 0) {
        output_.Warn(firstOpen, [&] {
            return fmt::format("{} that began have no end, here the first: left out",
                               open == 1 ? "1 call" : fmt::format("{} calls", open));
        });
    }
    if (withoutBegin_ != 0) {
        output_.Warn(0, [&] { return fmt::format("{} ends of calls have no beginning: left out", withoutBegin_); });
    }
    if (unknownPointers_ != 0) {
        output_.Warn(0, [&] {
            return fmt::format("{} from calls that do not say where it is: left out, and unknown when freed",
                               unknownPointers_ == 1 ? "a block" : fmt::format("{} blocks", unknownPointers_));
        });
    }
    if (timed_) {
        output_.Source().clock = log::Clock::Ticks;
        output_.Source().ticksPerSecond = dialect_.ticksPerSecond;
    }
}

Outcome<void> CallLogReader::Read() {
    output_.Format() = dialect_.name;
    output_.Source().provenance = fmt::format("recorded by {}", dialect_.name);
    output_.TellSource();
    for (;;) {
        const auto block = lines_.Next();
        if (!block) return residue::Fail(block.error());
        if (block->empty()) break;
        const char* const end = block->data() + block->size();
        for (const char* at = block->data(); at != end;) {
            ++line_;
            const char* const lineEnd = LineEnd(at, end);
            ReadLine(at, lineEnd);
            at = lineEnd + 1;
        }
    }
    Conclude();
    return {};
}

// Is the first call that is told, told in this dialect?
template <const CallDialect& dialect>
bool Recognise(std::string_view start) {
    for (std::size_t at = 0; at < start.size();) {
        const std::size_t end = start.find('\n', at);
        if (end == std::string_view::npos) break;  // a line that is not whole
        LoggedCall call;
        const bool isCall = dialect.Parse(start.data() + at, start.data() + end, call) == LineKind::Call;
        if (isCall && call.part != Part::Ends) return true;
        at = end + 1;
    }
    return false;
}

template <const CallDialect& dialect>
Outcome<void> Read(LineBlocks& lines, RecordingOutput& output) {
    return CallLogReader(dialect, lines, output).Read();
}

}  // namespace

const RecordingFormat kValgrindFormat = {Recognise<kValgrindDialect>, Read<kValgrindDialect>};
const RecordingFormat kLogallocFormat = {Recognise<kLogallocDialect>, Read<kLogallocDialect>};
const RecordingFormat kMemoryReplayFormat = {Recognise<kMemoryReplayDialect>, Read<kMemoryReplayDialect>};
const RecordingFormat kLtraceFormat = {Recognise<kLtraceDialect>, Read<kLtraceDialect>};

}  // namespace residue::import
