// A student's allocator in the lab: what a view shows of it beside the log of its run on one trace.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/moment.hpp"
#include "lab/option_texts.hpp"
#include "lab/run.hpp"
#include "lab/score.hpp"
#include "lab/trace.hpp"
#include "lab/waterfall.hpp"
#include "log/failure.hpp"

namespace residue::session {

class Session;

struct LabOptions {
    std::string student;              // a C file, or a folder with mm.c in it
    std::vector<std::string> traces;  // at least one
    lab::LabSettings settings{};
};

// What the lab is at. Changes as a whole: a snapshot is never half of one build and half of another.
struct LabState {
    enum class Phase : std::uint8_t {
        Building,
        DoesNotBuild,  // `messages`: the compiler's
        Failed,        // `failure`: nothing could be built
        Running,
        Done,
    };
    struct Row {
        std::string name;  // of the trace's file
        std::uint64_t ops = 0;
        std::uint64_t weight = 1;
        bool ran = false;  // with this build; else what follows is nothing
        lab::TraceOutcome::State state = lab::TraceOutcome::State::NotRun;
        double utilisation = 0, seconds = 0;  // seconds: 0, not timed
        std::optional<lab::Problem> problem;
        std::string notRun;  // why; also of a trace that cannot be read
        std::string output;  // what the student's code printed
    };

    Phase phase = Phase::Building;
    std::string source;      // "mm.c"
    std::string generation;  // "malloc lab, 2004 generation"; empty: not known yet
    std::string messages;    // of compiler and linker, as they are; warnings too
    std::optional<Failure> failure;
    std::uint64_t builds = 0;  // that were begun
    std::vector<Row> rows;     // of all traces, in the order given
    std::size_t chosen = 0;    // the trace whose run is shown, or will be
    std::size_t running = 0;   // while Running: the trace
    bool allValid = false;     // Done: of those that ran
    lab::Score score;          // Done

    std::size_t Findings() const;  // rows with a problem
    std::size_t Ran() const;
};

// The student's files as they were built, by name: their lines, tabs as blanks.
using SourceLines = std::map<std::string, std::vector<std::string>>;

// The run that is shown: of one build on one trace.
struct LabPicture {
    std::uint64_t number = 0;  // newer ones have larger numbers
    std::uint64_t build = 0;   // which of LabState::builds
    std::size_t trace = 0;     // which of its rows
    std::string source;        // "mm.c"
    std::shared_ptr<const lab::Built> built;
    std::shared_ptr<const lab::LabTrace> operations;
    lab::TraceOutcome outcome;  // untimed
    lab::Waterfall fall;
    std::vector<lab::CurveColumn> curve;
    std::shared_ptr<const SourceLines> lines;
};

// What the student's code did in the call that led to a position, and what the heap holds there.
struct MomentAnswer {
    lab::MomentQuestion question;
    std::optional<lab::Moment> moment;
    std::optional<Failure> failure;  // why there is none
};

class Lab {
public:
    virtual ~Lab() = default;

    // `tell` is called, on a thread of the lab's, whenever the state or the picture is another one. It must stay good
    // until another one takes its place (an empty one too), or all sessions of the lab have gone.
    virtual void WhenChanged(std::function<void()> tell) = 0;

    // As of the last Tick; never null.
    virtual const std::shared_ptr<const LabState>& State() const = 0;
    // What this session's log is of. Null: nothing has been built so far.
    virtual const std::shared_ptr<const LabPicture>& Picture() const = 0;
    // The run on another trace: a new session will be there for it. `op`: seeks to just after that operation, there or,
    // where it is shown already, here.
    virtual void ChooseTrace(std::size_t row, std::optional<std::uint64_t> op = std::nullopt) = 0;
    // A newer run than this session's, once it is loaded: with the playhead at the same operation, if it came so far.
    // The caller goes on with it instead of this session. Null: there is none (yet).
    virtual std::unique_ptr<Session> TakeNewer() = 0;

    // The moment at the playhead: found by running the code again up to there, on a thread of its own. Null until there
    // is one; an older one where `isPresent` is false: ask again.
    virtual std::shared_ptr<const MomentAnswer> PresentMoment(bool& isPresent) = 0;
    // The heap's bytes that a moment is asked for with; at most lab::kMostLookedAt.
    virtual void LookAtBytes(std::uint64_t from, std::uint64_t bytes) = 0;
    // The line of the present moment that is stepped to: an index of Moment::steps. Its last one where none was.
    virtual std::size_t PresentStep(const lab::Moment& moment) const = 0;
    virtual void SeekToStep(std::size_t step) = 0;
    // To the next or previous line of the code; beyond a call's to those of the call before or behind.
    virtual void StepLine(bool forward) = 0;
};

}  // namespace residue::session
