#include "session/lab_work.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <new>
#include <utility>

namespace residue::session {
namespace {

constexpr std::size_t kCurveColumns = 2048;  // more than any panel has pixels

using RunState = lab::TraceOutcome::State;

std::vector<std::string> LinesOf(const std::string& path) {
    constexpr std::size_t kTab = 4;
    std::vector<std::string> lines;
    std::ifstream file(path, std::ios::binary);
    for (std::string line; std::getline(file, line);) {
        std::string shown;
        for (const char c : line) {
            if (c == '\t') shown.append(kTab - shown.size() % kTab, ' ');
            if (c != '\t' && c != '\r') shown.push_back(c);
        }
        lines.push_back(std::move(shown));
    }
    return lines;
}

}  // namespace

std::size_t LabState::Findings() const {
    return static_cast<std::size_t>(
        std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.problem.has_value(); }));
}

std::size_t LabState::Ran() const {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.ran; }));
}

LabWork::LabWork(LabOptions options) : options_(std::move(options)), traces_(options_.traces.size()) {
    auto state = std::make_shared<LabState>();
    state->source = std::filesystem::path(options_.student).filename().string();
    for (const std::string& path : options_.traces) {
        LabState::Row row;
        row.name = std::filesystem::path(path).filename().string();
        state->rows.push_back(std::move(row));
    }
    state_ = std::move(state);
    // The watch looks before the first build does, so that no save is missed between the two.
    std::vector<std::string> watched = {options_.student};
    watched.insert(watched.end(), options_.traces.begin(), options_.traces.end());
    watch_.emplace(std::move(watched), [this] { Rebuild(); });
    worker_ = std::thread([this] { Work(); });
}

LabWork::~LabWork() {
    watch_.reset();
    WhenChanged({});
    {
        const std::lock_guard lock(lock_);
        stopping_ = true;
        Interrupt();
    }
    worker_.join();
}

// ---- asked by others -----------------------------------------------------------------------------------------------

std::shared_ptr<const LabState> LabWork::State() const {
    const std::lock_guard lock(lock_);
    return state_;
}

std::shared_ptr<const LabPicture> LabWork::Picture() const {
    const std::lock_guard lock(lock_);
    return picture_;
}

bool LabWork::Busy() const {
    const std::lock_guard lock(lock_);
    return working_ || NextJob() != Job::None;
}

void LabWork::Choose(std::size_t row) {
    const std::lock_guard lock(lock_);
    if (row >= state_->rows.size() || row == state_->chosen) return;
    auto next = std::make_shared<LabState>(*state_);
    next->chosen = row;
    state_ = std::move(next);
    if (state_->phase == LabState::Phase::Running) Interrupt();
    changed_.notify_all();
}

void LabWork::WhenChanged(std::function<void()> tell) {
    const std::lock_guard lock(tellLock_);
    tell_ = std::move(tell);
}

void LabWork::Tell() {
    changed_.notify_all();
    const std::lock_guard lock(tellLock_);
    if (tell_) tell_();
}

void LabWork::Rebuild() {
    {
        const std::lock_guard lock(lock_);
        dirty_ = true;
        Interrupt();
    }
    Tell();
}

void LabWork::Interrupt() {
    interrupted_.store(true, std::memory_order_relaxed);
    changed_.notify_all();
}

std::shared_ptr<const LabPicture> LabWork::WaitForPicture(const std::atomic<bool>& stop) const {
    constexpr std::chrono::milliseconds kLook{20};
    std::unique_lock lock(lock_);
    const auto isThere = [this] { return picture_ != nullptr || (!working_ && NextJob() == Job::None); };
    while (!isThere() && !stop.load(std::memory_order_relaxed)) changed_.wait_for(lock, kLook);
    return picture_;
}

void LabWork::WaitUntilIdle() const {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [this] { return !working_ && NextJob() == Job::None; });
}

// ---- the worker ----------------------------------------------------------------------------------------------------

// Changes the state as one.
template <class Change>
void LabWork::Alter(Change change) {
    {
        const std::lock_guard lock(lock_);
        auto next = std::make_shared<LabState>(*state_);
        change(*next);
        state_ = std::move(next);
    }
    Tell();
}

LabWork::Job LabWork::NextJob() const {
    if (dirty_) return Job::Build;
    if (built_ == nullptr) return Job::None;
    if (shown_ != state_->chosen) return Job::Show;
    return state_->Ran() < state_->rows.size() ? Job::Grade : Job::None;
}

void LabWork::Work() {
    std::unique_lock lock(lock_);
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || NextJob() != Job::None; });
        if (stopping_) return;
        const Job job = NextJob();
        working_ = true;
        interrupted_.store(false, std::memory_order_relaxed);
        if (job == Job::Build) dirty_ = false;
        lock.unlock();
        try {
            if (job == Job::Build) BuildIt();
            if (job == Job::Show) ShowChosen();
            if (job == Job::Grade) GradeNext();
        } catch (const std::bad_alloc&) {
            lock.lock();
            built_.reset();
            auto failed = std::make_shared<LabState>();
            failed->phase = LabState::Phase::Failed;
            failed->failure = OutOfMemory();
            failed->rows = state_->rows;
            state_ = std::move(failed);
            lock.unlock();
        }
        lock.lock();
        working_ = false;
        lock.unlock();
        Tell();
        lock.lock();
    }
}

void LabWork::BuildIt() {
    Alter([](LabState& state) {
        state.phase = LabState::Phase::Building;
        ++state.builds;
    });
    lab::BuildOptions how = options_.settings.build;
    how.cancelled = &interrupted_;
    auto built = lab::Build(options_.student, how);
    if (interrupted_.load(std::memory_order_relaxed)) return;
    auto lines = std::make_shared<SourceLines>();
    if (built && built->fine) {
        for (const std::string& name : built->staging.Names()) {
            (*lines)[name] = LinesOf(built->staging.Folder("source") + "/" + name);
        }
    }
    const std::lock_guard lock(lock_);
    auto next = std::make_shared<LabState>(*state_);
    built_.reset();
    shown_.reset();
    std::fill(traces_.begin(), traces_.end(), nullptr);  // read anew: they may have been saved, too
    next->messages = built ? built->messages : std::string();
    next->failure.reset();
    for (LabState::Row& row : next->rows) {
        LabState::Row fresh;
        fresh.name = row.name;
        row = std::move(fresh);
    }
    if (!built) {
        next->phase = LabState::Phase::Failed;
        next->failure = built.error();
    } else if (!built->fine) {
        next->phase = LabState::Phase::DoesNotBuild;
    } else {
        next->phase = LabState::Phase::Running;
        next->running = next->chosen;
        next->source = built->source;
        next->generation = lab::NameOf(built->course.generation);
        built_ = std::make_shared<const lab::Built>(std::move(*built));
        lines_ = std::move(lines);
    }
    state_ = std::move(next);
}

// The trace of a row; null where it cannot be read: then the row says why.
std::shared_ptr<const lab::LabTrace> LabWork::Trace(std::size_t row) {
    if (traces_[row] != nullptr) return traces_[row];
    auto trace = lab::ReadLabTrace(options_.traces[row], &interrupted_);
    if (interrupted_.load(std::memory_order_relaxed)) return nullptr;
    if (!trace) {
        Alter([&](LabState& state) {
            state.rows[row].ran = true;
            state.rows[row].notRun = trace.error().Text();
        });
        return nullptr;
    }
    traces_[row] = std::make_shared<const lab::LabTrace>(std::move(*trace));
    return traces_[row];
}

void LabWork::Fill(LabState::Row& row, const lab::TraceOutcome& outcome) {
    row.state = outcome.state;
    row.utilisation = outcome.utilisation;
    row.seconds = outcome.seconds;
    row.problem = outcome.problem;
    row.notRun = outcome.notRun;
    row.output = outcome.output;
}

void LabWork::ShowChosen() {
    std::size_t row = 0;
    std::uint64_t build = 0;
    Alter([&](LabState& state) {
        state.phase = LabState::Phase::Running;
        row = state.running = state.chosen;
        build = state.builds;
    });
    const auto done = [&] {
        const std::lock_guard lock(lock_);
        shown_ = row;
    };
    const auto trace = Trace(row);
    if (interrupted_.load(std::memory_order_relaxed)) return;
    if (trace == nullptr) return done();
    lab::RunOptions how = options_.settings.run;
    how.timedRuns = 0;
    how.cancelled = &interrupted_;
    auto outcome = lab::RunTrace(*built_, *trace, how);
    if (interrupted_.load(std::memory_order_relaxed)) return;
    auto picture = std::make_shared<LabPicture>();
    if (outcome) {
        auto fall = lab::FallOf(*trace, outcome->records, &interrupted_);
        if (!fall) return;
        picture->fall = std::move(*fall);
        picture->curve = lab::CurveOf(*trace, outcome->records, kCurveColumns);
        picture->outcome = std::move(*outcome);
    }
    Alter([&](LabState& state) {
        LabState::Row& told = state.rows[row];
        told.ops = trace->ops.size();
        told.weight = lab::WeightOf(trace->header);
        if (!outcome) {
            told.ran = true;
            told.notRun = outcome.error().Text();
        } else if (!told.ran) {
            // What timing adds is still to come, where there is any.
            Fill(told, picture->outcome);
            told.ran = options_.settings.run.timedRuns == 0 || picture->outcome.state != RunState::Valid;
        }
    });
    if (outcome) {
        picture->number = ++pictures_;
        picture->build = build;
        picture->trace = row;
        picture->source = built_->source;
        picture->built = built_;
        picture->operations = trace;
        picture->lines = lines_;
        const std::lock_guard lock(lock_);
        picture_ = std::move(picture);
    }
    done();
    Finish();
}

void LabWork::GradeNext() {
    std::size_t row = 0;
    Alter([&](LabState& state) {
        const auto next =
            std::find_if(state.rows.begin(), state.rows.end(), [](const auto& each) { return !each.ran; });
        row = state.running = static_cast<std::size_t>(next - state.rows.begin());
        state.phase = LabState::Phase::Running;
    });
    const auto trace = Trace(row);
    if (interrupted_.load(std::memory_order_relaxed)) return;
    if (trace != nullptr) {
        lab::RunOptions how = options_.settings.run;
        how.cancelled = &interrupted_;
        auto outcome = lab::RunTrace(*built_, *trace, how);
        if (interrupted_.load(std::memory_order_relaxed)) return;
        Alter([&](LabState& state) {
            LabState::Row& told = state.rows[row];
            told.ops = trace->ops.size();
            told.weight = lab::WeightOf(trace->header);
            told.ran = true;
            if (outcome)
                Fill(told, *outcome);
            else
                told.notRun = outcome.error().Text();
        });
        // Of many long traces only the one that is shown is kept.
        if (row != shown_) traces_[row].reset();
    }
    Finish();
}

// Once all have run: what the course makes of it.
void LabWork::Finish() {
    lab::Course course = built_->course;
    if (options_.settings.generation != 0) course.generation = options_.settings.generation;
    const lab::ScoreRules rules = options_.settings.rules.Over(lab::RulesOf(course.generation));
    Alter([&](LabState& state) {
        if (state.Ran() < state.rows.size()) return;
        state.phase = LabState::Phase::Done;
        std::vector<lab::ScoredTrace> scored;
        for (const LabState::Row& row : state.rows) {
            if (row.state == RunState::NotRun) continue;
            scored.push_back({row.state == RunState::Valid, row.weight, row.utilisation, row.ops, row.seconds});
        }
        state.allValid = state.Findings() == 0;
        state.score = lab::ScoreOf(scored, rules);
    });
}

}  // namespace residue::session
