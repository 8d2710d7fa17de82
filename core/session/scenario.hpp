// What a session of a scenario (.iridis) has beside its log: the source, the place in it, narration, what went wrong,
// and the game of prediction. The log alone drives the place: every Step event is a statement that was reached.
// Thread: the UI's, as the session.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/memory_error.hpp"
#include "scenario/scenario.hpp"

namespace residue::session {

// A statement that was reached.
struct ScenarioStep {
    Row row{};               // of its Step event
    std::uint32_t file = 0;  // index into Program::Files
    std::uint32_t line = 0;  // from 1
    std::uint32_t column = 0;
    std::uint32_t length = 0;
    TraceId trace{};
    std::uint8_t marks = 0;  // scenario::StepMark bits
};

// What a line of the source, and whatever it called, has to do with the heap at the cursor.
struct LineHeat {
    std::uint32_t file = 0;
    std::uint32_t line = 0;
    std::uint64_t liveBytes = 0;  // as requested
    std::uint64_t liveBlocks = 0;
    std::uint64_t allocations = 0;  // until now, resizes included
};

// The run stands before a request: where will it land?
struct PredictQuestion {
    Position position{};  // calls before it
    AllocatorId allocator{};
    std::uint64_t bytes = 0;
    std::uint64_t alignment = 1;
    bool resize = false;
};

// What a request can fail with, in the order of the keys that say so.
inline constexpr MemoryError kPredictErrors[] = {MemoryError::InsufficientMemory, MemoryError::Fragmentation,
                                                 MemoryError::BufferTooLarge};

// A place in the heap, or the error that will come.
struct PredictAnswer {
    std::optional<std::uint64_t> address;
    std::optional<MemoryError> error;
};

struct PredictVerdict {
    PredictQuestion question;
    PredictAnswer answer;
    bool right = false;                               // METRICS.md, "Predict score"
    std::uint64_t begin = 0, end = 0;                 // the bytes that were set aside; 0, 0: it failed
    std::optional<MemoryError> error = std::nullopt;  // with this
};

struct PredictScore {
    std::uint64_t right = 0, answers = 0;
};

class Scenario {
public:
    virtual ~Scenario() = default;

    virtual const std::string& Text() const = 0;  // of the scenario itself, as it was run; empty until it is read
    // What its file has, where something else was run; otherwise the same.
    virtual const std::string& FileText() const = 0;
    virtual bool FromDraft() const = 0;  // what was run comes from ScenarioOptions::draft
    virtual std::shared_ptr<const scenario::Program> Program() const = 0;      // null: not read yet, or broken
    virtual const std::vector<scenario::Diagnostic>& Diagnostics() const = 0;  // of reading
    // Null: it still runs, or it could not.
    virtual const scenario::RunResult* Result() const = 0;

    // The statement at the cursor: the one reached last. Null at the very beginning.
    virtual const ScenarioStep* PresentStep() const = 0;
    virtual const std::vector<ScenarioStep>& Steps() const = 0;  // of what has arrived, in order
    // How many calls were done when each narration was reached, ascending.
    virtual const std::vector<Position>& NarrationPositions() const = 0;
    // The narration that holds at the cursor; null: none yet (then the introduction does).
    virtual const scenario::Narration* PresentNarration() const = 0;
    // False: there is none in that direction, and the cursor went to the end (or the beginning).
    virtual bool StepLine(bool forward) = 0;       // to the next statement on another line, before it is carried out
    virtual bool StepNarration(bool forward) = 0;  // to the next statement with a narration
    // Lines with live blocks or allocations, by file and line, after at most 50,000 rows more of the way to the cursor.
    virtual const std::vector<LineHeat>& Heat() = 0;
    virtual bool HeatSettled() const = 0;  // it is the cursor's
    // Console text until the cursor; good until the next Tick.
    virtual std::string_view Console() const = 0;

    // The game. Off: the run goes through. On: it stops before requests of #[predict] statements (`all`: before every
    // one), and nothing later is in the log. OpenOptions say how it begins; it can be switched at any time for what has
    // not run yet.
    virtual bool AsksAll() const = 0;
    virtual void AskAll(bool all) = 0;
    // The run stands here; none: nothing is asked, or the log has not arrived yet.
    virtual std::optional<PredictQuestion> Question() const = 0;
    virtual void Answer(const PredictAnswer& answer) = 0;                  // the run goes on
    virtual void Skip() = 0;                                               // goes on, uncounted
    virtual const std::optional<PredictVerdict>& LastVerdict() const = 0;  // of the answer given last
    virtual PredictScore Score() const = 0;
};

}  // namespace residue::session
