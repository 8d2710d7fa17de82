// A session: one source (a trace, a recording, the sandbox), its log, and the user's place in it. Both front ends
// drive this; views draw what it returns and give it commands. Nothing here waits: loading runs on threads of its own,
// and the cursor moves by a budget a frame.
//
// Thread: everything is called from one thread (the UI, or the command line's main), except where said.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/blockers.hpp"
#include "analysis/call_tree.hpp"
#include "analysis/mapped.hpp"
#include "analysis/metrics.hpp"
#include "analysis/series.hpp"
#include "capture/capture.hpp"
#include "import/trace.hpp"
#include "log/event_log.hpp"
#include "log/failure.hpp"
#include "model/heap_model.hpp"
#include "replay/fork.hpp"
#include "session/inside_source.hpp"

namespace residue::session {

class Analyst;   // session/analyst.hpp
class Lab;       // session/lab.hpp
struct LabOptions;
class Sandbox;   // session/sandbox.hpp
class Scenario;     // session/scenario.hpp
class LiveProgram;  // session/program.hpp

// Of a scenario: what its run may take, and how it stops.
struct ScenarioOptions {
    std::optional<std::string> text;  // instead of the file's: what stands in the editor
    std::optional<std::string> draftText{};  // the same, from before (session/drafts.hpp)
    std::string draft{};                     // or what a file by this name holds, where there is one
    bool predict = false;             // stop before the requests of #[predict] statements
    bool askAll = false;              // stop before every request
    std::uint64_t askFrom = 0;        // both: not before that position, at which the session then begins
    std::uint64_t stepBudget = 0;     // 0: scenario::RunOptions' own
    std::uint64_t memoryBudget = 0;   // bytes
    bool osSupported = true;
    std::string profile = "debug";    // "debug", "release", "distribution"
};

struct OpenOptions {
    // Traces of ids and sizes are replayed on it: a name of the registry, or a malloc of the system (lab/entrants.hpp)
    std::string allocator = "first-fit";
    std::optional<std::uint64_t> capacity;     // bytes; none: auto, the heap end grows by what is missing
    std::optional<replay::Fork> fork{};          // from a position on under other rules
    std::string symbols{};                       // an event stream's program (ELF): names for its call traces
    ScenarioOptions scenario{};                  // of a scenario (.iridis)
    // Whether a long recording is indexed once it is read. Without, it is ready sooner, and far seeks take longer: for
    // who asks for a few moments.
    bool index = true;
};

enum class Phase { Loading, Ready, Failed, Cancelled };

struct LoadStatus {
    Phase phase = Phase::Loading;
    double progress = 0;             // 0..1; < 0: not known
    std::string doing;               // "reading", "replaying", "recording"
    std::optional<Failure> failure;  // why it failed; or why only the trace figures are there
};

// Playback.
enum class StepUnit { Event, Call, Line };

class Session {
public:
    // Returns at once; a file that cannot be read shows in Status().
    static std::unique_ptr<Session> Open(const std::string& path, OpenOptions options = {});
    // A live sandbox (session/sandbox.hpp): its allocator's events cross as they happen.
    static std::unique_ptr<Session> OpenSandbox();
    // Starts a program and watches it (session/capture_session.hpp). One that cannot be started shows in Status().
    static std::unique_ptr<Session> OpenProgram(std::vector<std::string> arguments, capture::CaptureOptions options);
    // Watches one that runs already. One that cannot be attached to shows in Status().
    static std::unique_ptr<Session> AttachTo(pid_t process, const capture::CaptureOptions& options);
    // Builds a student's allocator, runs it, and again whenever it is saved (session/lab_session.hpp). What is wrong
    // with the code is the lab's state, never a failure of the session.
    static std::unique_ptr<Session> OpenLab(LabOptions options);
    // What `of` has recorded up to the fork of `options`, and from there on the same requests under the fork's rules
    // (replay/log_fork.hpp). `of` is whole (IsWhole), and may go meanwhile.
    static std::unique_ptr<Session> OpenFork(const Session& of, OpenOptions options);
    virtual ~Session() = default;

    virtual LoadStatus Status() const = 0;
    virtual void Cancel() = 0;
    virtual void WaitUntilLoaded() = 0;                  // command line and tests only
    virtual std::vector<Warning> Warnings() const = 0;
    virtual const std::string& Path() const = 0;         // empty for the sandbox
    virtual std::string Title() const = 0;               // file name or "sandbox"
    virtual std::string Subtitle() const = 0;            // "malloc-lab .rep, 2004 generation; fixed buffer, first fit"
    virtual const OpenOptions& Options() const = 0;

    // Once a frame: takes in what has arrived, plays, and moves the cursor's model towards its target for at most
    // `budgetRows`. True when the model is at the target ("settled").
    virtual bool Tick(double seconds, std::uint64_t budgetRows = 20000) = 0;

    virtual const log::LogView& View() const = 0;        // as of the last Tick
    virtual const analysis::Series& Series() const = 0;
    virtual const model::HeapModel& Heap() const = 0;    // at Now(), or on its way there

    // The cursor.
    virtual Position Now() const = 0;                    // where the user wants to be
    virtual Position End() const = 0;                    // the last position there is
    virtual bool Settled() const = 0;
    virtual void SeekTo(Position position) = 0;          // clamped
    virtual void StepBy(std::int64_t positions) = 0;
    // Between two positions: what leads a call may be shown before the call (a scenario's steps). How many rows are
    // shown; to show exactly that many (clamped). SeekTo and StepBy go to whole positions.
    virtual Row NowRow() const = 0;
    virtual void SeekToRow(Row rows) = 0;
    virtual bool JumpToError(bool forward) = 0;          // to the position of the next or previous error
    virtual void JumpToPeak() = 0;
    virtual bool FollowsEnd() const = 0;                 // live: the cursor stays at the end
    virtual void FollowEnd(bool follow) = 0;
    virtual bool IsLive() const = 0;                     // more may come
    bool IsWhole() const { return Status().phase == Phase::Ready && !IsLive(); }

    // Playback: positions a second; infinity is as fast as it can.
    virtual bool Playing() const = 0;
    virtual void Play(bool playing) = 0;
    virtual double Speed() const = 0;
    virtual void SetSpeed(double positionsPerSecond) = 0;

    // The allocator that is shown; 0 when there is none yet. Unless the user chose: the newest that is alive, or the
    // outermost of those whose heaps its own lies in.
    virtual AllocatorId Shown() const = 0;
    virtual void Show(AllocatorId allocator) = 0;

    // The event that led to Now(): the last row of that call; none at position 0.
    virtual std::optional<Row> PresentRow() const = 0;
    // At a failed request: why. Cached until the cursor moves; only when Settled().
    virtual const std::optional<analysis::FailureReport>& PresentFailure() = 0;
    // At Now(), cached until the cursor moves.
    virtual const analysis::Metrics& PresentMetrics() = 0;
    // Of a recorded program: what was mapped for its heap, as it was seen now and then; at Now(), and over time.
    virtual const analysis::Mapped& PresentMapped() = 0;
    virtual const analysis::MappedSteps& MappedOverTime() = 0;
    virtual const std::vector<analysis::Leak>& PresentLeaks() = 0;
    virtual const std::vector<analysis::CallNode>& PresentCallTree() = 0;
    virtual std::string RecordingFormat() const { return "Residue recording"; }  // where Figures() has nothing
    virtual std::uint64_t ProbesOfPresent() const { return 0; }  // search length; 0: not recorded
    // The inside of the allocator that is shown, at Now(): free structure, marks, and the decisions of the call that
    // led there. Found by re-execution, on a thread of its own: ask again until it is ready.
    virtual InsideAnswer PresentInside() = 0;

    // Profiles, flame graphs, filters, run-until.
    virtual session::Analyst& Analyst() = 0;
    // Something that was asked for is still being worked out: what is shown will change by itself.
    virtual bool Working() const = 0;

    virtual Sandbox* GetSandbox() { return nullptr; }
    virtual Scenario* GetScenario() { return nullptr; }
    virtual LiveProgram* GetProgram() { return nullptr; }
    virtual Lab* GetLab() { return nullptr; }
    // For a trace of ids and sizes, once read: what can be said without an allocator. Any thread.
    virtual std::optional<import::TraceFigures> Figures() const { return std::nullopt; }
    // The file with the trace of ids and sizes whose operations are the positions of this session: other allocators can
    // be run on it beside this one. Empty: there is none.
    virtual std::string TraceFile() const { return Figures() ? Path() : std::string(); }
};

}  // namespace residue::session
