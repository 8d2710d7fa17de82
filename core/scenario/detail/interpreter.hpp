// Runs a program: walks the tree, with variables in slots, values in memory, allocators in Heaps. One run, one object,
// one thread.
//
// What stops a program is thrown as Halt, after it was told; `try` throws TryReturn up to its procedure. Neither passes
// through core/alloc: where an allocator calls a procedure of the script, Halt is kept and thrown again behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "scenario/detail/heaps.hpp"
#include "scenario/detail/library.hpp"
#include "scenario/detail/program_data.hpp"
#include "scenario/detail/value.hpp"
#include "scenario/run.hpp"

namespace residue::scenario::detail {

struct Halt {};
struct TryReturn {};

inline std::string Bytes(std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

// The sink of everything in a run: gives events the script's call trace.
class TracedSink final : public events::EventSink {
public:
    TracedSink(events::EventSink* next, std::function<TraceId()> trace) : next_(next), trace_(std::move(trace)) {}
    void Close() { next_ = nullptr; }

    std::uint64_t Begin() noexcept override { return next_ == nullptr ? 0 : next_->Begin(); }
    void Emit(const events::Event* records, std::size_t count, std::uint64_t stamp) noexcept override;
    TraceId Capture(unsigned) noexcept override { return next_ == nullptr ? TraceId{} : trace_(); }
    AllocatorId NextAllocatorId() noexcept override {
        return next_ == nullptr ? AllocatorId{} : next_->NextAllocatorId();
    }

    // Of what went through, for expectations.
    struct Seen {
        std::uint64_t ducks = 0;
        events::Event allocation;  // the last one
        std::uint64_t allocations = 0;
    };
    const Seen& Watched() const { return seen_; }

private:
    events::EventSink* next_;
    std::function<TraceId()> trace_;
    Seen seen_;
};

class Interpreter final : ScriptCalls {
public:
    Interpreter(const Program& program, const RunOptions& options, const RunHooks& hooks, ScriptMemory memory);
    ~Interpreter();
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;

    RunResult Run();

private:
    enum class Flow : std::uint8_t { Normal, Return, Break, Continue };
    enum class Moved : std::uint8_t { No, GivenAway, Freed, ByCallback };

    // Statements and values that are being worked on inside of each other: the interpreter's thread has room for
    // kMostLevels.
    class Deeper {
    public:
        Deeper(Interpreter& interpreter, const Location& at) : interpreter_(interpreter) {
            if (++interpreter.depth_ > kMostLevels) {
                interpreter.Stop(at, "calls and brackets lie too deep in each other", "a recursion that ends");
            }
        }
        ~Deeper() { --interpreter_.depth_; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;

    private:
        static constexpr std::uint32_t kMostLevels = 8'000;
        Interpreter& interpreter_;
    };
    struct Slot {
        const Type* type = nullptr;  // null: it has no value yet
        std::uint64_t address = 0;
        Moved moved = Moved::No;
        Location movedAt;
    };
    struct SlotName {
        bool global = false;
        std::uint32_t index = 0;  // absolute
    };
    struct Environment {
        std::vector<const Type*> types;
        std::uint32_t id = 0;
    };
    struct Frame {
        const Procedure* procedure = nullptr;  // null: at file level
        std::uint32_t code = 0;                // for FrameCode
        std::uint32_t file = 0;
        std::uint32_t line = 0;
        Location at;  // of the statement that is being worked on
        const Environment* environment = nullptr;
        std::size_t slots = 0;  // the first one, in slots_
        std::uint64_t stackBase = 0;
        std::uint32_t serial = 0;  // kFrameTag | number
        CallPaths::Node caller = 0;
        CallPaths::Node here = 0;
        std::uint32_t hereLine = 0;
        const Type* result = nullptr;
        Value context;  // the first argument, where it is an allocator's pointer
        std::vector<const Statement*> deferred;
    };
    // Where a value lies.
    struct Spot {
        const Type* type = nullptr;
        std::uint64_t address = 0;
        std::uint64_t tag = 0;
        bool direct = false;     // a part of a variable: [outerBegin, outerEnd)
        bool outside = false;    // an index beyond the array: nothing is there
        std::int64_t index = 0;  // which one, and of how many
        std::uint64_t count = 0;
        std::uint64_t outerBegin = 0;
        std::uint64_t outerEnd = 0;
        std::optional<SlotName> slot;  // the whole variable
    };
    struct Argument {
        Value value;
        std::optional<SlotName> lent;  // the variable that the pointer came from
    };
    struct AllocatorSpot {
        std::uint64_t pointer = 0;
        const Type* type = nullptr;
    };

    // interpreter.cpp
    void RunProgram();
    void RunFiles();
    void FinishGlobals();
    void EndOfProgram();
    void ListLiving();
    Leak LeakOf(Blocks::Number number) const;
    void Step(const Statement& statement);
    void CountStep();
    void EmitStep(const Statement& statement);
    CallPaths::Node Here() override;
    Location At(const Expression& expression) const { return expression.at; }
    [[noreturn]] void Stop(const Location& at, std::string message, std::string expected = {}, std::string hint = {});
    [[noreturn]] void StopAlso(const Location& at, const Location& other, std::string message, std::string hint = {});
    void SetEnd(Ending ending, const Location& at, std::string message, std::string expected, std::string hint);
    [[noreturn]] void End(Ending ending, std::string message, std::string expected);
    void Warn(const Location& at, std::string_view what, std::string message, std::string hint = {});
    void ThrowIfHalted() const {
        if (halted_) throw Halt{};
    }
    void CheckMemory();
    Frame& Top() { return frames_.back(); }
    void Output(bool isError, std::string_view text);

    // interpreter_statements.cpp
    Flow Execute(const Statement& statement);
    Flow ExecuteExpecting(const Statement& statement);
    Flow ExecuteKind(const Statement& statement);
    Flow ExecuteBlock(const Statement& statement);
    Flow ExecuteBody(const Statement& body);
    void RunDeferred(std::size_t downTo);
    void ExecuteExpression(const Statement& statement);
    void ExecuteDeclare(const Statement& statement);
    void ExecuteAssign(const Statement& statement);
    void Compound(const Statement& statement);
    void StoreParts(const Statement& statement, Value value);
    Flow ExecuteFor(const Statement& statement);
    Flow ForRange(const Statement& statement, Value from, Value to, bool inclusive);
    Flow ForElements(const Statement& statement);
    Flow Turn(const Statement& statement, Value element, bool& ends);
    Flow ExecuteWhile(const Statement& statement);
    Flow ExecuteMatch(const Statement& statement);
    bool Matches(const MatchArm& arm, const Value& value, Value& bound);

    // interpreter_variables.cpp
    SlotName NameOf(std::uint32_t slot, bool global) const;
    Slot& SlotOf(SlotName name) { return name.global ? globals_[name.index] : slots_[name.index]; }
    void Declare(SlotName name, const Type* type);
    void Initialise(SlotName name, Value value);  // of the slot's type
    std::optional<SlotName> VariableOf(const Expression& expression) const;
    std::string_view WrittenName(SlotName name) const;
    void CheckOwned(SlotName name, const Expression& use);
    void GiveAway(SlotName name, const Location& at, Moved how);
    Value EvaluateMoving(const Expression& expression, const Type* want);
    Range VariableAround(std::uint64_t address) override;
    std::string NameOfVariableAt(std::uint64_t address) const;

    // interpreter_places.cpp
    std::optional<Spot> Locate(const Expression& expression);
    std::optional<Spot> LocateMember(const Expression& expression);
    std::optional<Spot> LocateIndex(const Expression& expression);
    Spot SpotOfPointer(const Value& pointer, const Expression& where);
    Spot PartOfSpot(const Spot& whole, const Type* type, std::uint64_t offset) const;
    std::optional<Spot> LocateThrough(const Expression& expression);  // pointers and unions are looked through
    Spot Unwrapped(Spot spot, const Expression& where);
    Value Load(const Spot& spot, const Location& at);
    void Store(const Spot& spot, const Value& value, const Location& at);
    bool MayAccess(std::uint64_t address, std::uint64_t tag, std::uint64_t bytes, bool write, const Location& at);
    void AccessFailed(std::uint64_t address, std::uint64_t bytes, bool write, Blocks::Number block, bool dangling,
                      const Location& at);
    void TellAccess(const events::Event& failed, Blocks::Number block, std::string text, const Location& at);
    void OutsideFailed(const Spot& spot, bool write, const Location& at);
    static void PlaceElement(Spot& element, std::uint64_t index, std::uint64_t count);
    std::uint64_t ReadWord(std::uint64_t address) const;
    std::uint64_t PointerTo(const Spot& spot) const;
    std::uint64_t IndexOf(const Expression& index);

    // interpreter_types.cpp
    const Type* Resolve(const TypeExpression* type);
    const Type* ResolveNamed(const TypeExpression& type);
    const Type* ResolveStruct(std::uint32_t index, const std::vector<const Type*>& arguments, const Location& at);
    bool Infer(const TypeExpression& pattern, const Type* type, std::vector<const Type*>& types);
    const Environment* EnvironmentOf(std::vector<const Type*> types);
    Value Coerce(Value value, const Type* want, const Location& at);
    std::optional<Value> TryCoerce(const Value& value, const Type* want, const Location& at);
    std::optional<Value> CoerceNumber(const Value& value, const Type* want, const Location& at);
    std::optional<Value> CoerceIntoUnion(const Value& value, const Type* want, const Location& at);
    std::optional<Value> CoerceParts(const Value& value, const Type* want, const Location& at);
    bool PointersFit(const Type* from, const Type* to) const;
    Value Settled(Value value, const Expression& from);  // a type for what has none yet; a union becomes its value
    Value Unwrap(Value value, const Location& at);       // of a union, or the program stops
    Value Plain(Value value, const Location& at) {
        return value.type->kind == TypeKind::Union ? Unwrap(std::move(value), at) : value;
    }
    Value Cast(const Value& value, const Type* to, const Location& at);
    Value ErrorUnion(const Type* type, const Type* error, std::uint64_t which);
    Value SuccessUnion(const Type* type, const Value& value);
    // Of a union: an error, or nothing.
    static bool IsError(const Value& value) {
        if (value.bytes.empty()) return true;
        return (value.bytes[0] != std::byte{0}) == (value.type->error != nullptr);
    }
    std::string ErrorName(const Value& value) const;
    void Overflowed(const Location& at, const Type* type);
    Value StringValue(std::string_view text);
    std::string_view TextOf(const Value& string) const;

    // interpreter_expressions.cpp
    Value Evaluate(const Expression& expression, const Type* want = nullptr);
    Value EvaluateKind(const Expression& expression, const Type* want);
    Value EvaluatePlain(const Expression& expression, const Type* want = nullptr) {
        return Plain(Evaluate(expression, want), expression.at);
    }
    Value EvaluateName(const Expression& expression);
    Value EvaluateMember(const Expression& expression);
    Value EvaluateIndex(const Expression& expression);
    void StopOutside(std::uint64_t index, std::uint64_t count, const char* of, const Location& at);
    Value EvaluateBinary(const Expression& expression, const Type* want);
    Value Binary(Operation operation, Value left, Value right, const Location& at);
    Value BinaryInteger(Operation operation, const Value& left, const Value& right, const Location& at);
    Value BinaryReal(Operation operation, const Value& left, const Value& right);
    Value Compare(Operation operation, Value left, Value right, const Location& at);
    bool IsTrue(const Expression& condition);
    Value EvaluateTry(const Expression& expression, const Type* want);
    Value EvaluateDefault(const Expression& expression, const Type* want);
    Value EvaluateNegate(const Expression& expression, const Type* want);
    Value EvaluateAddress(const Expression& expression);
    [[noreturn]] void StopNoField(const Type* type, std::string_view name, const Location& at);
    Value EvaluateStruct(const Expression& expression);
    Value EvaluateArray(const Expression& expression, const Type* want);
    Value EvaluateTuple(const Expression& expression, const Type* want);
    Value EvaluateMacro(const Expression& expression, const Type* want);
    Value EnumValue(const Type* type, std::string_view name, const Location& at);
    Value Boolean(bool truth) const { return Value::Of(types_.Boolean(), truth ? 1 : 0); }
    Value Unsigned(std::uint64_t number) const {
        return Value::Of(types_.Scalar(ScalarKind::U32), number & 0xFFFF'FFFF);
    }

    // interpreter_calls.cpp
    Value EvaluateCall(const Expression& expression, const Type* want);
    Value CallScript(std::uint32_t index, const Expression& call);
    Value Invoke(std::uint32_t index, const Environment* environment, std::vector<Argument> arguments,
                 const Location& at);
    void PushFrame(std::uint32_t index, const Environment* environment, const Location& at);
    void PopFrame();
    std::optional<Argument> LeftOutContext(const Procedure& procedure, std::size_t given);
    Argument EvaluateArgument(const Expression& expression, const Type* want);
    Value CallValue(const Value& procedure, const Expression& call, const Type* want);
    std::optional<Value> TryAllocatorCall(const Expression& call);

    // interpreter_allocators.cpp
    AllocatorSpot AllocatorOf(const Expression& argument);
    AllocatorSpot AllocatorOf(const Value& pointer, const Location& at);
    Heap& HeapOf(const AllocatorSpot& spot, const Location& at);
    Heap& LiveHeapOf(const AllocatorSpot& spot, const Location& at);
    Value AllocateThrough(const AllocatorSpot& spot, const Type* type, std::uint64_t count, const Location& at,
                          std::uint64_t alignment = Heaps::kAlignment);
    std::uint64_t AlignmentOf(const Expression& argument);
    void NeedAlignment(const Heap& heap, std::uint64_t alignment, const Location& at);
    void AnnounceRequest(const Heap& heap, std::uint64_t bytes, std::uint64_t alignment, bool resize);
    Value FreeThrough(const AllocatorSpot& spot, std::uint64_t pointer, const Location& at);
    Value MakeAllocator(HeapKind kind, const Expression& call);
    HeapPlace PlaceOfBuffer(const Expression& argument);
    Value AllocatorValue(const Heap& heap);
    Value MemoryResult(const Result<void>& result);
    Value PointerResult(const Result<std::uint64_t>& result, const Type* type);
    void Report(Heap& heap);
    Result<std::uint64_t> CallAllocate(Heap& heap, std::uint64_t bytes, std::uint64_t count, const void* type) override;
    Result<void> CallFree(Heap& heap, std::uint64_t pointer) override;
    MemoryError ErrorOf(const Value& value, MemoryError otherwise) const;
    Value CallCallback(Heap& heap, std::uint64_t procedure, const Type* type, Value second);
    void OnOverlap(const Heap& heap, Blocks::Number old) override;
    void OnForeign(const Heap& heap, std::uint64_t address) override;
    void OnEnded(const Heap& heap, Blocks::Number block) override;
    void Charge(std::uint64_t work) override;
    bool Halted() const override { return halted_; }
    void Noted(MemoryError error);
    Value ArrayFailed(const Type* type, std::string why);
    std::string Because(const std::string& error) const;

    // library_*.cpp
    Value CallLibrary(LibraryId id, const Expression& call, const Type* want);
    Value CallMemory(LibraryId id, const Expression& call, const Type* want);
    Value CallTypes(LibraryId id, const Expression& call, const Type* want);
    Value LibraryValue(LibraryId id, const Location& at);
    Value OwnAllocator(HeapKind kind, const char* name, std::uint64_t& address, std::uint32_t& number,
                       const Location& at);
    Value GlobalAllocatorPointer(const Location& at);
    Value SystemPointer(const Location& at);
    Value FreeCall(const Expression& call, bool takes);
    Value ResizeCall(const Expression& call);
    Value CopyCall(const Expression& call);
    Value DestroyCall(const Expression& call);
    Value EvaluateShown(const Expression& expression);
    void PrintCall(const Expression& call, bool isError, bool line);
    const Type* TypeArgument(const Expression& call, const Type* otherwise);
    void NeedOs(const Location& at);
    Spot DynamicArrayOf(const Expression& argument);
    Spot ElementOf(const Spot& array, std::uint64_t index);
    bool SetCapacity(const Spot& array, std::uint64_t capacity, const Location& at, Value& error);
    Value Push(const Expression& call);
    Value Remove(const Expression& call, bool last);
    Value DestroyArray(const Expression& call);
    void Shrink(const Spot& array, const Location& at);
    std::uint64_t ReadField(const Spot& whole, std::string_view field);
    void WriteField(const Spot& whole, std::string_view field, std::uint64_t bits);
    Value TraceEntry(std::uint32_t trace, std::uint64_t index);
    std::uint64_t TraceLength(std::uint32_t trace) const;

    // format.cpp
    std::string Formatted(std::string_view format, const std::vector<Value>& values, const Location& at);
    void Append(std::string& text, const Value& value, unsigned depth) const;
    void AppendParts(std::string& text, const Value& value, unsigned depth) const;

    // expectations.cpp
    struct Before;
    Before Remember() const;
    void Check(const std::vector<ExpectClause>& clauses, const Before& before, bool atEnd);
    void CheckClause(const ExpectClause& clause, const Before& before);
    void CheckNumber(const ExpectClause& clause, const std::optional<std::uint64_t>& found, const std::string& what);
    void Answer(const ExpectClause& clause, bool met, std::string text);
    void CheckBlock(const ExpectClause& clause, const Before& before);
    void CheckHeap(const ExpectClause& clause);
    Heap* AskedHeap(const ExpectClause& clause);
    void FinishExpectations();

    const Program& owner_;
    const ProgramData& program_;
    const RunOptions options_;
    const RunHooks& hooks_;
    RunResult result_;
    ScriptMemory memory_;
    TypeTable types_;
    Blocks blocks_;
    CallPaths paths_;
    TracedSink sink_;
    std::unique_ptr<Heaps> heaps_;

    std::vector<Frame> frames_;
    std::vector<Slot> slots_;
    std::vector<Slot> globals_;
    std::vector<std::vector<const Statement*>> fileDeferred_;  // by file
    std::vector<std::unique_ptr<Environment>> environments_;
    std::map<std::vector<const Type*>, const Environment*> environmentByTypes_;
    std::unordered_map<std::uint64_t, const Type*> resolved_;  // by environment and type expression
    std::vector<CallPaths::Node> traces_;                      // of CallTrace values: id - 1
    std::unordered_map<CallPaths::Node, std::uint32_t> traceIds_;
    std::set<std::pair<std::uint64_t, std::string>> warned_;  // file and line, what
    std::vector<std::string> errorNames_;                     // that came up, while somebody expects one
    std::vector<std::uint8_t> answered_;                      // by expectation: 0 never, 1 met, 2 failed
    std::vector<Blocks::Number> leaked_;
    std::string why_;  // the last InvalidPointer of a DynamicArray in this statement, in words
    Value returned_;
    std::string declaring_;              // the variable whose value is being made
    std::uint64_t globalAllocator_ = 0;  // address of the library's own
    std::uint32_t globalHeap_ = 0;
    std::uint64_t systemAllocator_ = 0;
    std::uint32_t systemHeap_ = 0;
    std::vector<const ExpectClause*> pendingLeaks_;
    std::uint32_t lastHeap_ = 0;
    std::uint64_t lastProbes_ = 0;
    std::uint32_t requesting_ = 0;  // requests that are going on
    bool looking_ = false;          // an expectation is looked at: that leaves no trace in the run
    bool predicts_ = false;         // the next request is one to predict
    std::uint64_t work_ = 0;
    std::uint32_t depth_ = 0;
    std::uint32_t expecting_ = 0;
    std::uint32_t expectingErrors_ = 0;
    std::uint32_t nextFrame_ = 1;
    std::uint32_t toldFile_ = ~0u;
    std::uint32_t inStruct_ = 0;
    bool halted_ = false;
    std::vector<bool> gaveAway_;     // of the arguments of the call that returned last
    bool callbackGave_ = false;      // an allocator's procedure took the pointer it was given
    const Type* freeing_ = nullptr;  // what the pointer that is being freed points to
};

}  // namespace residue::scenario::detail
