// A scenario: read, then run on a worker thread whose events cross a lane into the log. With prediction the worker
// waits before the requests that are asked about, so that nothing later is in the log.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "session/cursor.hpp"
#include "session/scenario.hpp"

namespace residue::session {

class ScenarioSession final : public CursorSession, public Scenario {
public:
    ScenarioSession(std::string path, OpenOptions options);
    ~ScenarioSession() override;

    void Cancel() override;
    void WaitUntilLoaded() override;  // with prediction: until the first question, or the end
    bool IsLive() const override { return !ended_.load(std::memory_order_acquire); }
    std::string Title() const override;
    std::string RecordingFormat() const override { return "Iridis scenario"; }
    bool Tick(double seconds, std::uint64_t budgetRows) override;
    Scenario* GetScenario() override { return this; }
    // Unless the user chose: the heap that the present event is in.
    AllocatorId Shown() const override;

    const std::string& Text() const override;
    const std::string& FileText() const override;
    bool FromDraft() const override { return read_.load(std::memory_order_acquire) && fromDraft_; }
    std::shared_ptr<const scenario::Program> Program() const override;
    const std::vector<scenario::Diagnostic>& Diagnostics() const override;
    const scenario::RunResult* Result() const override;
    const ScenarioStep* PresentStep() const override;
    const std::vector<ScenarioStep>& Steps() const override { return steps_; }
    const std::vector<Position>& NarrationPositions() const override { return narrated_; }
    const scenario::Narration* PresentNarration() const override;
    bool StepLine(bool forward) override;
    bool StepNarration(bool forward) override;
    const std::vector<LineHeat>& Heat() override;
    bool HeatSettled() const override { return heatRow_ == Heap().Applied(); }
    std::string_view Console() const override;
    bool AsksAll() const override;
    void AskAll(bool all) override;
    std::optional<PredictQuestion> Question() const override;
    void Answer(const PredictAnswer& answer) override;
    void Skip() override;
    const std::optional<PredictVerdict>& LastVerdict() const override { return verdict_; }
    PredictScore Score() const override { return score_; }

private:
    // The worker.
    std::optional<std::string> EditedText();
    void Load();
    std::optional<Failure> RunProgram(const scenario::Program& program);
    void Ask(const scenario::Request& request);
    // The UI's.
    void IndexSteps(std::uint64_t most);
    const ScenarioStep* StepBefore(Row row) const;
    const std::vector<LineHeat*>& LinesOf(TraceId trace);
    void WarmBlock(BlockId block, bool lives);
    void WarmRow(Row row, bool forward);
    void StopAtBreak(Row before);
    void Judge();
    void MeetQuestion();
    void GoOn();
    std::uint32_t FileIndex(std::string_view name) const;

    // What the worker gives: written once, read by all after the flag says so.
    mutable std::mutex lock_;
    std::condition_variable changed_;
    std::string text_;
    std::optional<std::string> fileText_;  // none: it is text_
    bool fromDraft_ = false;
    scenario::Parsed parsed_;
    std::atomic<bool> read_{false};
    scenario::RunResult result_;
    bool ran_ = false;                 // result_ is there; read after ended_
    std::atomic<bool> ended_{false};
    std::uint64_t calls_ = 0, rows_ = 0;  // that were told; the worker's
    bool askAll_ = false;      // guarded by lock_, with what follows
    bool predict_ = false;
    std::optional<PredictQuestion> asked_;
    std::uint64_t askedAfter_ = 0;  // rows
    bool goesOn_ = false;

    // The UI's.
    std::vector<ScenarioStep> steps_;
    std::vector<Position> narrated_;
    std::vector<std::size_t> narratedSteps_;  // of these, in steps_
    bool placed_ = false;
    bool met_ = false;  // the question that is asked, by the cursor
    std::uint64_t indexed_ = 0;  // rows
    std::uint32_t file_ = 0;     // of the last step
    std::string console_;                     // of all that has arrived
    std::vector<std::pair<Row, std::size_t>> consoleEnds_;  // where it ended after each Output row
    std::map<std::pair<std::uint32_t, std::uint32_t>, LineHeat> lines_;  // by file and line, at heatRow_
    std::map<TraceId, std::vector<LineHeat*>> linesOfTrace_;
    std::vector<LineHeat> heat_;
    Row heatRow_{};
    std::optional<PredictQuestion> judging_;
    PredictAnswer answer_;
    std::optional<PredictVerdict> verdict_;
    PredictScore score_;

    std::thread worker_;
};

}  // namespace residue::session
