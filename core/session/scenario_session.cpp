#include "session/scenario_session.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "events/lanes.hpp"
#include "events/trace_table.hpp"
#include "log/pump.hpp"
#include "model/nesting.hpp"

namespace residue::session {
namespace {

using events::EventKind;
using scenario::StepMark;

constexpr std::uint64_t kStepsAtOnce = 1 << 18;  // rows looked at in a frame
constexpr std::uint64_t kHeatAtOnce = 50'000;      // rows
constexpr std::uint32_t kTraces = 1 << 20;

// Counts the calls and rows that pass, so that it is known which question belongs to which position, and when all that
// comes before it is in the log.
class CallCounter final : public events::EventSink {
public:
    CallCounter(events::EventSink& next, std::uint64_t& calls, std::uint64_t& rows)
        : next_(next), calls_(calls), rows_(rows) {}
    std::uint64_t Begin() noexcept override { return next_.Begin(); }
    void Emit(const events::Event* records, std::size_t count, std::uint64_t stamp) noexcept override {
        for (std::size_t i = 0; i < count; ++i) {
            if (records[i].kind == EventKind::Continuation) continue;
            ++rows_;
            if (records[i].EndsCall()) ++calls_;
        }
        next_.Emit(records, count, stamp);
    }
    TraceId Capture(unsigned skip) noexcept override { return next_.Capture(skip + 1); }
    AllocatorId NextAllocatorId() noexcept override { return next_.NextAllocatorId(); }

private:
    events::EventSink& next_;
    std::uint64_t& calls_;
    std::uint64_t& rows_;
};

bool Has(const ScenarioStep& step, StepMark mark) {
    return (step.marks & static_cast<std::uint8_t>(mark)) != 0;
}

scenario::Profile ProfileOf(const std::string& name) {
    if (name == "release") return scenario::Profile::Release;
    if (name == "distribution") return scenario::Profile::Distribution;
    return scenario::Profile::Debug;
}

scenario::RunOptions RunOptionsOf(const ScenarioOptions& options) {
    scenario::RunOptions run;
    if (options.stepBudget != 0) run.stepBudget = options.stepBudget;
    if (options.memoryBudget != 0) run.memoryBudget = options.memoryBudget;
    run.osSupported = options.osSupported;
    run.profile = ProfileOf(options.profile);
    return run;
}

std::vector<Warning> AsWarnings(const std::vector<scenario::Diagnostic>& diagnostics) {
    std::vector<Warning> warnings;
    for (const scenario::Diagnostic& each : diagnostics) {
        if (each.severity != scenario::Severity::Warning) continue;
        warnings.push_back({each.place.file + ":" + std::to_string(each.place.line), each.message});
    }
    return warnings;
}

Failure AsFailure(const scenario::Diagnostic& diagnostic) {
    std::string where = diagnostic.place.file;
    if (diagnostic.place.line != 0) {
        where += ":" + std::to_string(diagnostic.place.line) + ":" + std::to_string(diagnostic.place.column);
    }
    return {std::move(where), diagnostic.message, diagnostic.expected};
}

const scenario::Diagnostic* FirstError(const std::vector<scenario::Diagnostic>& diagnostics) {
    for (const scenario::Diagnostic& each : diagnostics) {
        if (each.severity == scenario::Severity::Error) return &each;
    }
    return nullptr;
}

}  // namespace

ScenarioSession::ScenarioSession(std::string path, OpenOptions options)
    : CursorSession(std::move(path), std::move(options)),
      askAll_(Options().scenario.askAll),
      predict_(Options().scenario.predict),
      worker_([this] { Guard([this] { Load(); }); }) {}

ScenarioSession::~ScenarioSession() {
    Cancel();
    if (worker_.joinable()) worker_.join();
}

void ScenarioSession::Cancel() {
    CursorSession::Cancel();
    { const std::lock_guard lock(lock_); }  // whoever is about to wait sees it
    changed_.notify_all();
}

void ScenarioSession::WaitUntilLoaded() {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [this] { return ended_.load() || asked_.has_value(); });
}

std::string ScenarioSession::Title() const {
    const auto program = Program();
    return program == nullptr ? CursorSession::Title() : program->Title();
}

// ---- the worker ----------------------------------------------------------------------------------------------------

// What is to be run instead of what the file has.
std::optional<std::string> ScenarioSession::EditedText() {
    const ScenarioOptions& options = Options().scenario;
    if (options.text) return options.text;
    std::optional<std::string> draft = options.draftText;
    if (std::error_code error; !draft && std::filesystem::is_regular_file(options.draft, error)) {
        if (auto loaded = scenario::LoadFromDisk(options.draft)) draft = std::move(*loaded);
    }
    fromDraft_ = draft.has_value();
    return draft;
}

void ScenarioSession::Load() {
    struct Ended {
        ScenarioSession& session;
        ~Ended() {
            {
                const std::lock_guard lock(session.lock_);
                session.ended_ = true;
            }
            session.changed_.notify_all();
        }
    } ended{*this};
    SetDoing("reading");
    scenario::Parsed parsed;
    std::string text;
    if (const auto edited = EditedText()) {
        text = *edited;
        fileText_ = scenario::LoadFromDisk(Path()).value_or(std::string());
        parsed = scenario::Parse(Path(), text, scenario::LoadFromDisk);
    } else {
        parsed = scenario::ParseFile(Path());
        if (parsed.program != nullptr) {
            text = parsed.program->Files()[0].text;
        } else if (auto loaded = scenario::LoadFromDisk(Path())) {
            text = std::move(*loaded);
        }
    }
    text_ = std::move(text);
    parsed_ = std::move(parsed);
    read_.store(true, std::memory_order_release);
    AddWarnings(AsWarnings(parsed_.diagnostics));
    if (Options().fork) AddWarnings({{Path(), "a scenario is not forked: its run is shown whole"}});
    SetSubtitle("Iridis scenario");
    if (parsed_.program == nullptr) {
        log_.Close();
        const scenario::Diagnostic* const error = FirstError(parsed_.diagnostics);
        return SetPhase(Phase::Failed, error == nullptr ? Failure{Path(), "cannot be read", ""} : AsFailure(*error));
    }
    const auto failure = RunProgram(*parsed_.program);
    log_.Close();
    if (Cancelled()) return SetPhase(Phase::Cancelled);
    SetPhase(failure ? Phase::Failed : Phase::Ready, failure);
}

std::optional<Failure> ScenarioSession::RunProgram(const scenario::Program& program) {
    SetDoing("running");
    log_.SetSource({.name = program.Title(), .provenance = "run by Residue"});
    log_.SetSymbolizer(scenario::FrameNames(parsed_.program));
    events::TraceTable traces(kTraces);
    events::Lanes lanes(events::LanesOptions{.capacity = 1 << 14,
                                             .policy = events::FullPolicy::Block,
                                             .stamps = events::StampSource::Steps,
                                             .traceDepth = events::kMaxTraceDepth,
                                             .traces = &traces});
    log::Pump pump(lanes, log_, {.traces = &traces, .afterRound = [this] { ExtendSeries(); }});
    CallCounter counted(lanes, calls_, rows_);
    scenario::RunHooks hooks;
    hooks.sink = &counted;
    hooks.traces = &traces;
    hooks.stop = &cancelled_;
    hooks.beforeRequest = [this](const scenario::Request& request) { Ask(request); };
    scenario::RunResult result = scenario::Run(program, RunOptionsOf(Options().scenario), hooks);
    pump.Stop();
    if (pump.RanOutOfMemory()) return OutOfMemory();
    if (!ExtendSeries() || Cancelled()) return std::nullopt;
    AddWarnings(pump.Warnings());
    AddWarnings(AsWarnings(result.warnings));
    if (result.error && !result.errorExpected) {
        const Failure failure = AsFailure(*result.error);
        AddWarnings({{failure.where, failure.what}});
    }
    result_ = std::move(result);
    ran_ = true;
    return std::nullopt;
}

void ScenarioSession::Ask(const scenario::Request& request) {
    std::unique_lock lock(lock_);
    if (calls_ < Options().scenario.askFrom || (!askAll_ && !(predict_ && request.predict))) return;
    asked_ = PredictQuestion{Position{calls_}, request.allocator, request.bytes, request.alignment, request.resize};
    askedAfter_ = rows_;
    goesOn_ = false;
    SetPhase(Phase::Ready);  // there is something to look at, and to do
    changed_.notify_all();
    changed_.wait(lock, [this] { return goesOn_ || Cancelled(); });
    asked_.reset();
}

// ---- what was read -------------------------------------------------------------------------------------------------

const std::string& ScenarioSession::Text() const {
    static const std::string none;
    return read_.load(std::memory_order_acquire) ? text_ : none;
}

const std::string& ScenarioSession::FileText() const {
    return read_.load(std::memory_order_acquire) && fileText_ ? *fileText_ : Text();
}

std::shared_ptr<const scenario::Program> ScenarioSession::Program() const {
    return read_.load(std::memory_order_acquire) ? parsed_.program : nullptr;
}

const std::vector<scenario::Diagnostic>& ScenarioSession::Diagnostics() const {
    static const std::vector<scenario::Diagnostic> none;
    return read_.load(std::memory_order_acquire) ? parsed_.diagnostics : none;
}

const scenario::RunResult* ScenarioSession::Result() const {
    return ended_.load(std::memory_order_acquire) && ran_ ? &result_ : nullptr;
}

// ---- the place -----------------------------------------------------------------------------------------------------

std::uint32_t ScenarioSession::FileIndex(std::string_view name) const {
    const auto program = Program();
    if (program == nullptr) return 0;
    const auto& files = program->Files();
    const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.name == name; });
    return found == files.end() ? 0 : static_cast<std::uint32_t>(found - files.begin());
}

void ScenarioSession::IndexSteps(std::uint64_t most) {
    const log::LogView& view = View();
    const std::uint64_t end = std::min(view.Rows().value, indexed_ + most);
    for (; indexed_ < end; ++indexed_) {
        const Row row{indexed_};
        const EventKind kind = view.KindAt(row);
        if (kind == EventKind::Output) {
            console_ += view.Text(row);
            consoleEnds_.emplace_back(row, console_.size());
        }
        if (kind != EventKind::Step) continue;
        const events::Event event = view.At(row).event;
        if (const auto text = view.Text(row); !text.empty()) file_ = FileIndex(text);
        steps_.push_back({row, file_, static_cast<std::uint32_t>(event.Line()),
                          static_cast<std::uint32_t>(event.address), static_cast<std::uint32_t>(event.size),
                          event.trace, static_cast<std::uint8_t>(event.Bookkeeping())});
        if (!Has(steps_.back(), StepMark::Narration)) continue;
        narrated_.push_back(view.PositionOf(row) - 1);
        narratedSteps_.push_back(steps_.size() - 1);
    }
}

bool ScenarioSession::Tick(double seconds, std::uint64_t budgetRows) {
    const Row before = NowRow();
    const bool played = Playing();
    if (!placed_ && Status().phase == Phase::Ready && (ended_ || Question())) {
        placed_ = true;
        CursorSession::Tick(0, 0);  // what has arrived can be sought in
        if (Options().scenario.askFrom != 0) SeekTo(Position{Options().scenario.askFrom});
    }
    bool settled = CursorSession::Tick(seconds, budgetRows);
    IndexSteps(kStepsAtOnce);
    if (played) StopAtBreak(before);
    Judge();
    MeetQuestion();
    if (NowRow() != Heap().Applied()) settled = CursorSession::Tick(0, budgetRows);
    return settled;
}

AllocatorId ScenarioSession::Shown() const {
    const auto row = ChosenAllocator() ? std::nullopt : PresentRow();
    if (!row || row->value >= View().Rows().value) return CursorSession::Shown();
    const AllocatorId id = View().At(*row).event.allocator;
    const model::AllocatorState* const state = id ? Heap().Find(id) : nullptr;
    return state == nullptr || !state->alive ? CursorSession::Shown() : model::RootOf(Heap(), id);
}

void ScenarioSession::StopAtBreak(Row before) {
    for (const ScenarioStep* step = StepBefore(NowRow()); step != nullptr && step->row >= before; --step) {
        const bool last = step == steps_.data();
        if (Has(*step, StepMark::Break)) {
            Play(false);
            SeekToRow(Row{step->row.value + 1});
        }
        if (last) return;
    }
}

const ScenarioStep* ScenarioSession::StepBefore(Row row) const {
    const auto after = std::lower_bound(steps_.begin(), steps_.end(), row,
                                        [](const ScenarioStep& step, Row r) { return step.row < r; });
    return after == steps_.begin() ? nullptr : &*std::prev(after);
}

const ScenarioStep* ScenarioSession::PresentStep() const {
    return StepBefore(NowRow());
}

const scenario::Narration* ScenarioSession::PresentNarration() const {
    const auto program = Program();
    const ScenarioStep* const present = PresentStep();
    if (program == nullptr || present == nullptr) return nullptr;
    const auto index = static_cast<std::size_t>(present - steps_.data());
    const auto after = std::upper_bound(narratedSteps_.begin(), narratedSteps_.end(), index);
    if (after == narratedSteps_.begin()) return nullptr;
    const ScenarioStep* const step = &steps_[*std::prev(after)];
    const std::string& file = program->Files()[step->file].name;
    for (const scenario::Narration& each : program->Narrations()) {
        if (each.place.line == step->line && each.place.file == file) return &each;
    }
    return nullptr;
}

bool ScenarioSession::StepLine(bool forward) {
    Play(false);
    const Row now = NowRow();
    const ScenarioStep* const present = StepBefore(now);
    const ScenarioStep* const end = steps_.data() + steps_.size();
    if (forward) {
        for (const ScenarioStep* step = present == nullptr ? steps_.data() : present + 1; step != end; ++step) {
            const bool same = present != nullptr && step->line == present->line && step->file == present->file;
            if (same) continue;
            SeekToRow(Row{step->row.value + 1});
            return true;
        }
        SeekTo(End());
        return false;
    }
    // First to the beginning of this line, then to the line before.
    for (const ScenarioStep* step = present; step != nullptr; step = step == steps_.data() ? nullptr : step - 1) {
        const bool same = step->line == present->line && step->file == present->file;
        const bool here = step->row.value + 1 == now.value;
        if (here || (same && step != present)) continue;
        SeekToRow(Row{step->row.value + 1});
        return true;
    }
    SeekTo(Position{});
    return false;
}

bool ScenarioSession::StepNarration(bool forward) {
    Play(false);
    const Row now = NowRow();
    const ScenarioStep* const begin = steps_.data();
    const ScenarioStep* const end = begin + steps_.size();
    const ScenarioStep* const present = StepBefore(now);
    if (forward) {
        for (const ScenarioStep* step = present == nullptr ? begin : present + 1; step != end; ++step) {
            if (!Has(*step, StepMark::Narration)) continue;
            SeekToRow(Row{step->row.value + 1});
            return true;
        }
        SeekTo(End());
        return false;
    }
    for (const ScenarioStep* step = present; step != nullptr; step = step == begin ? nullptr : step - 1) {
        if (!Has(*step, StepMark::Narration) || step->row.value + 1 >= now.value) continue;
        SeekToRow(Row{step->row.value + 1});
        return true;
    }
    SeekTo(Position{});
    return false;
}

// The lines of a call trace, each once, also where it calls itself: what was allocated in a line counts in it, and in
// the lines that called it.
const std::vector<LineHeat*>& ScenarioSession::LinesOf(TraceId trace) {
    const auto [known, fresh] = linesOfTrace_.try_emplace(trace);
    std::vector<LineHeat*>& all = known->second;
    if (!fresh || !trace) return all;
    for (const log::Frame& frame : View().Frames(trace)) {
        if (frame.line == 0) continue;
        const std::uint32_t file = FileIndex(frame.file);
        LineHeat& line = lines_[{file, frame.line}];
        line.file = file;
        line.line = frame.line;
        if (std::find(all.begin(), all.end(), &line) == all.end()) all.push_back(&line);
    }
    return all;
}

// A block of a line begins to live, or ends.
void ScenarioSession::WarmBlock(BlockId block, bool lives) {
    if (!block) return;
    const events::Event birth = View().Birth(block).event;
    if (birth.Has(events::EventFlag::Region)) return;
    for (LineHeat* const line : LinesOf(birth.trace)) {
        lives ? ++line->liveBlocks : --line->liveBlocks;
        lives ? line->liveBytes += birth.size : line->liveBytes -= birth.size;
    }
}

// What a row did to the lines, done or undone.
void ScenarioSession::WarmRow(Row row, bool forward) {
    const EventKind kind = View().KindAt(row);
    if (kind == EventKind::BulkFreed || kind == EventKind::RegionShrunk || kind == EventKind::AllocatorDestroyed) {
        for (const BlockId block : View().DiedTogether(row)) WarmBlock(block, !forward);
        return;
    }
    if (kind != EventKind::Allocated && kind != EventKind::ResizeEnds && kind != EventKind::Freed) return;
    const log::LoggedEvent logged = View().At(row);
    if (kind == EventKind::Freed) return WarmBlock(logged.block, !forward);
    if (logged.event.Failed()) return;
    if (kind == EventKind::ResizeEnds) WarmBlock(logged.oldBlock, !forward);
    WarmBlock(logged.block, forward);
    if (logged.event.Has(events::EventFlag::Region)) return;
    for (LineHeat* const line : LinesOf(logged.event.trace)) forward ? ++line->allocations : --line->allocations;
}

// Follows the heap row by row, both ways, a bounded way a frame.
const std::vector<LineHeat>& ScenarioSession::Heat() {
    const Row now = Heap().Applied();
    if (heatRow_ == now) return heat_;
    for (std::uint64_t moved = 0; heatRow_ != now && moved < kHeatAtOnce; ++moved) {
        if (heatRow_ < now) {
            WarmRow(heatRow_, true);
            ++heatRow_;
        } else {
            --heatRow_;
            WarmRow(heatRow_, false);
        }
    }
    heat_.clear();
    for (const auto& [place, line] : lines_) {
        if (line.allocations != 0) heat_.push_back(line);
    }
    return heat_;
}

std::string_view ScenarioSession::Console() const {
    const auto after = std::lower_bound(consoleEnds_.begin(), consoleEnds_.end(), NowRow(),
                                        [](const auto& end, Row row) { return end.first < row; });
    return std::string_view(console_).substr(0, after == consoleEnds_.begin() ? 0 : std::prev(after)->second);
}

// ---- prediction ----------------------------------------------------------------------------------------------------

bool ScenarioSession::AsksAll() const {
    const std::lock_guard lock(lock_);
    return askAll_;
}

void ScenarioSession::AskAll(bool all) {
    const std::lock_guard lock(lock_);
    askAll_ = all;
}

std::optional<PredictQuestion> ScenarioSession::Question() const {
    const std::lock_guard lock(lock_);
    if (!asked_ || goesOn_ || View().Rows().value < askedAfter_) return std::nullopt;
    return asked_;
}

void ScenarioSession::Answer(const PredictAnswer& answer) {
    const auto question = Question();
    if (!question) return;
    judging_ = question;
    answer_ = answer;
    GoOn();
}

void ScenarioSession::Skip() {
    if (Question()) GoOn();
}

void ScenarioSession::GoOn() {
    {
        const std::lock_guard lock(lock_);
        goesOn_ = true;
    }
    changed_.notify_all();
}

// Who comes to where the run stands sees the statement that asks.
void ScenarioSession::MeetQuestion() {
    if (Now() != End() || !Question()) {
        met_ = false;
    } else if (!met_) {
        met_ = true;
        Play(false);
        SeekToRow(View().Rows());
    }
}

// The answer is judged when the log has what came.
void ScenarioSession::Judge() {
    if (!judging_ || End() <= judging_->position) return;
    const log::LogView& view = View();
    for (Row row = view.RowsAt(judging_->position); row < view.Rows(); ++row) {
        const events::Event event = view.At(row).event;
        const bool request = event.kind == EventKind::Allocated || event.kind == EventKind::AllocateFailed ||
                             event.kind == EventKind::ResizeEnds;
        if (!request || event.allocator != judging_->allocator) continue;
        PredictVerdict verdict{*judging_, answer_};
        if (event.Failed()) {
            verdict.error = event.Error();
            verdict.right = answer_.error == verdict.error;
        } else {
            verdict.begin = event.Begin();
            verdict.end = event.End();
            verdict.right = answer_.address && *answer_.address >= verdict.begin && *answer_.address < verdict.end;
        }
        verdict_ = verdict;
        ++score_.answers;
        if (verdict.right) ++score_.right;
        judging_.reset();
        Play(false);
        SeekTo(view.PositionOf(row));
        return;
    }
}

}  // namespace residue::session
