// Any bytes as a scenario: read, shown, coloured and, where it is one, run with small budgets into the log, whose
// allocators are then run again.
#include "fuzz/fuzz.hpp"
#include "log/appender.hpp"
#include "log/event_log.hpp"
#include "replay/reexecution.hpp"
#include "scenario/scenario.hpp"
#include "support/log_sink.hpp"

namespace residue::fuzz {

std::vector<std::string> Seeds() {
    return {
        "/// A lesson\nMemory :: import!(\"std.Memory\")\n#[expect(leaks = 1)]\nmain :: proc() {\n    buffer : [256; "
        "u8]\n"
        "    a := CreateFixedBufferAllocator(&buffer, .BestFit)\n    p := Memory.Allocate<u32>(&a, 5)\n    p[0] = 7\n"
        "    /// Twice\n    Memory.UnsafeFree(&a, p)\n    #[expect(error = .DoubleFree)]\n    Memory.UnsafeFree(&a, "
        "p)\n"
        "    p[1] = p[0] + 1\n    IO.PrintLine(\"{} {}\", p, buffer[3])\n}\n",
        "heap : [512; u8]\ntop : u32\nTake<T> :: proc(c: ^Allocator, n: u32) -> MemoryError?^T {\n"
        "    if top + n * sizeof!(T) > 512; do return .InsufficientMemory\n    top += n * sizeof!(T)\n"
        "    return &heap[top - n * sizeof!(T)] as ^T\n}\nGive<T> :: proc(c: ^Allocator, p: ^T) -> MemoryError? { }\n"
        "main :: proc() {\n    mine := Allocator { Allocate = Take, Free = Give }\n"
        "    arena := CreateArenaAllocator(&mine)\n    d := Types.CreateDynamicArray<(u8, u32)>(&mine)\n"
        "    for i in 0..<9; do Types.PushToDynamicArray(&d, (i as u8, i))\n    x := Memory.Allocate<u8>(&arena, 10) ? "
        "&heap[0]\n"
        "    Types.DestroyDynamicArray(d)\n}\n",
        "Node :: struct { value : i32, next : ?^Node }\nOdd :: enum { A, B }\nF :: proc(n: i32) -> Odd?i32 {\n"
        "    if n < 2; do return .A\n    return n + try F(n - 2)\n}\ncomptime if OS.IsSupported() { g := 5 } else { g "
        ":= 6 }\n"
        "defer IO.ErrorLine(\"{}\", g)\nmain :: proc() {\n    a := Node { value = 1 }\n    b := Node { value = 2, next "
        "= &a }\n"
        "    match F(7) { .A => IO.Print(\"a\")\n        v => { IO.Print(\"{}\", v) } }\n"
        "    at := b.next?\n    while at { a.value += at.value * -3 / 2\n        at = at.next }\n"
        "    (x, _) := (1.5, 'c')\n    r := CreateResidueAllocator()\n    q := Memory.Allocate<f64>(&r, 3)\n    q^ = "
        "x\n    s := q\n"
        "    for e in Runtime.GetStackTrace(); do IO.PrintLine(\"{}:{}\", e.line, e.name)\n    t := tostring!([2; "
        "s[0]])\n"
        "    for c in t; do g += c as i32\n}\n",
        "main :: proc() {\n    p := Memory.Allocate<u8>(&GlobalAllocator, 64)\n    n := CreateBuddyAllocator(p)\n"
        "    q := Memory.Allocate<u8>(&n, 20)!\n    w := 65544 as ^u64\n    w^ = 12345678901234567\n    w[1] = w^\n"
        "    Memory.UnsafeFree(&GlobalAllocator, w)\n    z := Memory.Resize(&GlobalAllocator, w, 9)\n    "
        "Memory.Copy(p, q, 40)\n"
        "    DestroyBuddyAllocator(&n)\n    while true { Memory.Allocate<u8>(&GlobalAllocator, 300)! }\n}\n",
        "main :: proc() {\n    s := CreateSystemAllocator()\n    a := CreateTlsfAllocator(&s)\n    b := "
        "CreatePoolAllocator(&a, 24)\n"
        "    k := Memory.Allocate<u64>(&b, 2)\n    Memory.Free(&b, k)\n    f := CreateFailingAllocator(&b, 2)\n"
        "    c := CreateArenaAllocator(&f)\n    m := Memory.Mark(&c)!\n    l := Memory.Allocate<u8>(&c, 4) ? (0 as "
        "^u8)\n"
        "    Memory.Release(&c, m)\n    Memory.Reset(&a)\n    DestroySystemAllocator(&s)\n}\n",
    };
}

}  // namespace residue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace residue;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const scenario::Parsed parsed =
        scenario::Parse("fuzz.iridis", text, [&](const std::string&) -> Outcome<std::string> { return text; });
    const std::string shown = scenario::Render(parsed.diagnostics);
    fuzz::Require(parsed.program != nullptr || !shown.empty());
    (void)scenario::Highlight(text);
    if (parsed.program == nullptr) return 0;
    support::LogSink sink;
    scenario::RunOptions options;
    options.stepBudget = 3000;
    options.memoryBudget = 1 << 20;
    options.outputBudget = 4096;
    const scenario::RunResult result = scenario::Run(*parsed.program, options, {.sink = &sink});
    fuzz::Require(result.steps <= options.stepBudget);
    fuzz::Require(result.error.has_value() == (result.ending != scenario::Ending::Finished));
    (void)scenario::Render(result.warnings);
    const log::LogView view = sink.View();
    const std::atomic<bool> cancelled = false;
    for (std::uint16_t allocator = 1; allocator < 4; ++allocator) {
        auto again = replay::Reexecution::Create(view, AllocatorId{allocator});
        if (again) fuzz::Require((*again)->At(view, view.Positions(), cancelled, nullptr).has_value());
    }
    return 0;
}
