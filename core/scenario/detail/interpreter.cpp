// The frame of a run: files, main, the end; steps and their events; how it stops.
#include "scenario/detail/interpreter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alloc/duck.hpp"
#include "scenario/detail/expectations.hpp"
#include "scenario/detail/messages.hpp"

namespace residue::scenario::detail {
namespace {

constexpr std::uint64_t kWorkPerStep = 256;  // of what the library does in bulk
constexpr std::size_t kMostWarnings = 200;
constexpr std::size_t kMostLiving = 10'000;
constexpr std::size_t kPieceBytes = 1000;  // of console text in one event

std::size_t PieceOf(std::string_view text) {
    if (text.size() <= kPieceBytes) return text.size();
    std::size_t end = kPieceBytes;
    while (end > kPieceBytes - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return end;
}

}  // namespace

void TracedSink::Emit(const events::Event* records, std::size_t count, std::uint64_t stamp) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        if (records[i].kind == events::EventKind::Duck) ++seen_.ducks;
        if (records[i].kind == events::EventKind::Allocated ||
            (records[i].kind == events::EventKind::ResizeEnds && !records[i].Failed())) {
            seen_.allocation = records[i];
            ++seen_.allocations;
        }
    }
    if (next_ != nullptr) next_->Emit(records, count, stamp);
}

Interpreter::Interpreter(const Program& program, const RunOptions& options, const RunHooks& hooks, ScriptMemory memory)
    : owner_(program),
      program_(program.Data()),
      options_(options),
      hooks_(hooks),
      memory_(std::move(memory)),
      paths_(hooks.traces),
      sink_(hooks.sink, [this] { return paths_.IdOf(Here()); }),
      heaps_(new Heaps(memory_, blocks_, sink_, *this)),
      globals_(program_.globals.size()),
      fileDeferred_(program_.files.size()),
      answered_(program_.expectations.size()) {
    result_.expectations.resize(program_.expectations.size());
    for (std::size_t i = 0; i < program_.expectations.size(); ++i) {
        result_.expectations[i].expectation = program_.expectations[i];
    }
}

Interpreter::~Interpreter() {
    sink_.Close();
    halted_ = true;
}

RunResult Interpreter::Run() {
    try {
        RunProgram();
    } catch (const Halt&) {
    } catch (const TryReturn&) {  // only from a file's own statements, and the resolver lets none through
    }
    if (halted_) ListLiving();
    FinishExpectations();
    if (hooks_.steps != nullptr) hooks_.steps->store(result_.steps, std::memory_order_relaxed);
    return std::move(result_);
}

void Interpreter::RunProgram() {
    RunFiles();
    const Procedure& main = program_.procedures[program_.mainProcedure];
    const Value result = Invoke(program_.mainProcedure, EnvironmentOf({}), {}, main.at);
    if (result.type->kind == TypeKind::Union && IsError(result)) {
        Stop(main.at, fmt::format("`main` returned the error {}", ErrorName(result)));
    }
    FinishGlobals();
    EndOfProgram();
}

void Interpreter::RunFiles() {
    for (const std::uint32_t file : program_.order) {
        Frame& frame = frames_.emplace_back();
        frame.code = ~0u - file;
        frame.file = file;
        frame.environment = EnvironmentOf({});
        for (const Statement* item : program_.trees[file].items) (void)Execute(*item);
        fileDeferred_[file] = std::move(Top().deferred);
        frames_.pop_back();
    }
}

// The files' own defers, last first.
void Interpreter::FinishGlobals() {
    for (auto file = program_.order.rbegin(); file != program_.order.rend(); ++file) {
        Frame& frame = frames_.emplace_back();
        frame.code = ~0u - *file;
        frame.file = *file;
        frame.environment = EnvironmentOf({});
        frame.deferred = std::move(fileDeferred_[*file]);
        RunDeferred(0);
        frames_.pop_back();
    }
}

void Interpreter::EndOfProgram() {
    if (Heap* global = heaps_->At(globalHeap_); global != nullptr && !global->dead) Report(*global);
    for (std::uint32_t number = 1; number <= heaps_->Count(); ++number) {
        Heap& heap = *heaps_->At(number);
        if (heap.wasResidue && !heap.dead) {
            heaps_->Destroy(heap, "ended with the program");
            Output(true, alloc::kDuck);
            result_.duck = true;
        }
    }
    for (Blocks::Number number = 1; number <= blocks_.Count(); ++number) {
        const BlockRecord& record = blocks_.At(number);
        if (record.live && !record.region) leaked_.push_back(number);
    }
    std::sort(leaked_.begin(), leaked_.end());
    for (const Blocks::Number number : leaked_) result_.leaks.push_back(LeakOf(number));
    const Procedure& main = program_.procedures[program_.mainProcedure];
    Check(main.expects, Remember(), true);
}

Leak Interpreter::LeakOf(Blocks::Number number) const {
    const BlockRecord& record = blocks_.At(number);
    return {record.address, record.size, heaps_->At(record.heap)->name, paths_.FramesOf(program_, record.bornAt)};
}

// Of a program that was stopped. Those of a Residue allocator nobody would have had to give back.
void Interpreter::ListLiving() {
    for (Blocks::Number number = 1; number <= blocks_.Count(); ++number) {
        const BlockRecord& record = blocks_.At(number);
        const bool counts = record.live && !record.region && !heaps_->At(record.heap)->wasResidue;
        if (counts && result_.lived.size() < kMostLiving) result_.lived.push_back(LeakOf(number));
    }
}

CallPaths::Node Interpreter::Here() {
    if (frames_.empty()) return 0;
    Frame& frame = Top();
    if (frame.hereLine != frame.line || frame.here == 0) {
        frame.here = paths_.Child(frame.caller, FrameCode(frame.code, frame.line));
        frame.hereLine = frame.line;
    }
    return frame.here;
}

void Interpreter::CountStep() {
    constexpr std::uint64_t kProgressEvery = 1024;
    if (++result_.steps > options_.stepBudget) {
        --result_.steps;
        End(Ending::StepBudget, fmt::format("the program was stopped after {} steps", options_.stepBudget),
            "a program that ends before");
    }
    if (hooks_.stop != nullptr && hooks_.stop->load(std::memory_order_relaxed)) {
        End(Ending::Stopped, "the program was stopped", "");
    }
    if (result_.steps % kProgressEvery == 0 && hooks_.steps != nullptr) {
        hooks_.steps->store(result_.steps, std::memory_order_relaxed);
    }
}

void Interpreter::Step(const Statement& statement) {
    Top().line = statement.at.line;
    if ((statement.marks & static_cast<std::uint8_t>(StepMark::Predict)) != 0) predicts_ = true;
    Top().at = statement.at;
    why_.clear();
    CountStep();
    if (hooks_.sink != nullptr) EmitStep(statement);
}

void Interpreter::EmitStep(const Statement& statement) {
    if (statement.narration != 0) {
        const std::string& text = program_.narrations[statement.narration - 1].text;
        events::Event marker;
        marker.kind = events::EventKind::Marker;
        events::EmitText(sink_, marker, text.data(), text.size());
    }
    events::Event step;
    step.kind = events::EventKind::Step;
    step.argument = statement.at.line;
    step.address = statement.at.column;
    step.size = statement.at.length;
    step.rounding = statement.marks;
    step.trace = paths_.IdOf(Here());
    if (toldFile_ == statement.at.file) return events::EmitNow(sink_, step);
    toldFile_ = statement.at.file;
    const std::string& name = program_.files[toldFile_].name;
    events::EmitText(sink_, step, name.data(), name.size());
}

void Interpreter::Output(bool isError, std::string_view text) {
    const std::uint64_t room = options_.outputBudget - result_.output.size();
    if (text.size() > room) {
        result_.outputCut = true;
        text = text.substr(0, static_cast<std::size_t>(room));
    }
    if (text.empty()) return;
    result_.output += text;
    if (hooks_.console) hooks_.console(isError, text);
    while (!text.empty()) {
        const std::string_view piece = text.substr(0, PieceOf(text));
        events::Event output;
        output.kind = events::EventKind::Output;
        output.argument = isError ? 2 : 1;
        events::EmitText(sink_, output, piece.data(), piece.size());
        text.remove_prefix(piece.size());
    }
}

void Interpreter::SetEnd(Ending ending, const Location& at, std::string message, std::string expected,
                         std::string hint) {
    if (halted_) return;
    halted_ = true;
    result_.ending = ending;
    Diagnostic error;
    error.place = PlaceOf(program_.files, at);
    error.source = LineOf(program_.files, at);
    error.message = std::move(message);
    error.expected = std::move(expected);
    error.hint = std::move(hint);
    result_.error = std::move(error);
    if (!frames_.empty()) result_.errorTrace = paths_.FramesOf(program_, Here());
}

void Interpreter::Stop(const Location& at, std::string message, std::string expected, std::string hint) {
    SetEnd(Ending::Error, at, std::move(message), std::move(expected), std::move(hint));
    throw Halt{};
}

void Interpreter::StopAlso(const Location& at, const Location& other, std::string message, std::string hint) {
    SetEnd(Ending::Error, at, std::move(message), "", std::move(hint));
    result_.error->others.push_back(PlaceOf(program_.files, other));
    throw Halt{};
}

void Interpreter::End(Ending ending, std::string message, std::string expected) {
    const Location at = frames_.empty() ? Location{} : Top().at;
    SetEnd(ending, at, std::move(message), std::move(expected), "");
    throw Halt{};
}

void Interpreter::Warn(const Location& at, std::string_view what, std::string message, std::string hint) {
    if (result_.warnings.size() >= kMostWarnings) return;
    if (!warned_.emplace(std::uint64_t{at.file} << 32 | at.line, what).second) return;
    Diagnostic warning;
    warning.severity = Severity::Warning;
    warning.place = PlaceOf(program_.files, at);
    warning.source = LineOf(program_.files, at);
    warning.message = std::move(message);
    warning.hint = std::move(hint);
    result_.warnings.push_back(std::move(warning));
}

// Called from inside of core's allocators too, which no exception may leave.
void Interpreter::Charge(std::uint64_t work) {
    work_ += work;
    if (work_ / kWorkPerStep <= options_.stepBudget || halted_) return;
    const Location at = frames_.empty() ? Location{} : Top().at;
    SetEnd(Ending::StepBudget, at,
           fmt::format("the program was stopped: it does more than {} steps are worth", options_.stepBudget),
           "less work", "");
}

void Interpreter::CheckMemory() {
    const std::uint64_t used = memory_.UsedBytes() + heaps_->GrownBytes();
    if (used <= options_.memoryBudget) return;
    End(Ending::MemoryBudget, fmt::format("the program uses {} bytes of memory", used),
        fmt::format("at most {}", options_.memoryBudget));
}

}  // namespace residue::scenario::detail
