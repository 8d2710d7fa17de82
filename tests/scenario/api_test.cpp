// What front ends ask of a program without running it.
#include "scenario/scenario_support.hpp"

using namespace residue::scenario;

namespace {

std::string Classes(const std::string& text) {
    static constexpr const char* kNames[] = {"plain",  "keyword", "type",    "procedure", "case",      "number",
                                             "string", "hole",    "comment", "narration", "attribute", "operator"};
    std::string all;
    for (const HighlightSpan& span : Highlight(text)) {
        std::size_t begin = 0;
        for (std::uint32_t line = 1; line < span.line; ++line) begin = text.find('\n', begin) + 1;
        all += text.substr(begin + span.column - 1, span.length) + "=" +
               kNames[static_cast<std::size_t>(span.tokenClass)] + " ";
    }
    return all;
}

}  // namespace

TEST_CASE("A program tells its title, introduction, narrations, stops and expectations", "[scenario]") {
    const auto program = Good(
        "/// Leaks\n///\n/// What is lost.\n/// And found.\n\nmain :: proc() {\n    /// Outer.\n    if true {\n"
        "        /// Inner,\n        /// two lines.\n        #[predict]\n        x := 5\n    }\n    #[break]\n"
        "    #[expect(leaks = 0, x == 5)]\n    x := 5\n}\n");
    CHECK(program->Title() == "Leaks");
    CHECK(program->Introduction() == "What is lost.\nAnd found.");
    REQUIRE(program->Narrations().size() == 2);
    CHECK(program->Narrations()[0].text == "Outer.");
    CHECK(program->Narrations()[0].place.line == 8);
    CHECK(program->Narrations()[1].text == "Inner,\ntwo lines.");
    CHECK(program->Narrations()[1].place.line == 12);
    REQUIRE(program->Predicts().size() == 1);
    CHECK(program->Predicts()[0].line == 12);
    REQUIRE(program->Breaks().size() == 1);
    CHECK(program->Breaks()[0].line == 16);
    REQUIRE(program->Expectations().size() == 2);
    CHECK(program->Expectations()[0].text == "leaks = 0");
    CHECK(program->Expectations()[1].text == "x == 5");
    CHECK(program->Expectations()[1].statement.line == 16);
    CHECK(program->StatementLines(0) == std::vector<std::uint32_t>{8, 12, 16});
    CHECK(Parse("folder/lesson-1.iridis", "main :: proc() { }").program->Title() == "lesson-1");
}

TEST_CASE("Tokens have classes, in broken texts too", "[scenario]") {
    CHECK(Classes("/// Hi\nP :: struct { x : u8 } // end") ==
          "/// Hi=narration P=type ::=operator struct=keyword {=operator x=plain :=operator u8=type }=operator // "
          "end=comment ");
    CHECK(Classes("f(\"a {} b\", .Red, 1.5)") ==
          "f=procedure (=operator \"a =string {}=hole  b\"=string ,=operator .=operator Red=case ,=operator 1.5=number "
          ")=operator ");
    CHECK(Classes("#[expect(leaks = 0)]\n\"open") ==
          "#[=attribute expect=attribute (=operator leaks=plain ==operator 0=number )=operator ]=attribute "
          "\"open=string ");
    CHECK(Highlight("").empty());
}

TEST_CASE("Imports come from the loader, relative to the importing file", "[scenario]") {
    std::vector<std::string> asked;
    const Loader loader = [&](const std::string& path) -> residue::Outcome<std::string> {
        asked.push_back(path);
        return std::string("Twice :: proc(n: i32) -> i32 { return n * 2 }\ncount := 5\n");
    };
    const Parsed parsed = Parse("lessons/a.iridis",
                                "Tools :: import!(\"../tools/t.iridis\")\nmain :: proc() {\n    Tools.count += 1\n"
                                "    IO.Print(\"{}\", Tools.Twice(Tools.count))\n}\n",
                                loader);
    INFO(Render(parsed.diagnostics));
    REQUIRE(parsed.program != nullptr);
    CHECK(asked == std::vector<std::string>{"tools/t.iridis"});
    CHECK(parsed.files == std::vector<std::string>{"lessons/a.iridis", "tools/t.iridis"});
    CHECK(Run(*parsed.program, {}, {}).output == "12");
}

TEST_CASE("A file that is not there, is a folder or is too large is an error and nothing else", "[scenario]") {
    support::ScratchFolder folder;
    CHECK(ParseFile((folder.Path() / "none.iridis").string()).diagnostics.size() == 1);
    CHECK(Render(ParseFile(folder.Path().string()).diagnostics).find("this is a folder") != std::string::npos);
    folder.Write("large.iridis", std::string(kMostSourceBytes + 1, ' '));
    CHECK(Render(ParseFile((folder.Path() / "large.iridis").string()).diagnostics).find("the file is too large") !=
          std::string::npos);
}

TEST_CASE("A program has at most so many files, each of at most so many bytes", "[scenario]") {
    const auto told = [](const Parsed& parsed) { return Render(parsed.diagnostics); };
    const Parsed large = Parse("a.iridis", std::string(kMostSourceBytes + 1, ' '));
    CHECK(told(large).find("the file has 1048577 bytes (expected at most 1048576)") != std::string::npos);
    const std::string one = "Other :: import!(\"b.iridis\")\nmain :: proc() { }\n";
    CHECK(told(Parse("a.iridis", one)).find("`b.iridis` cannot be imported here") != std::string::npos);
    std::string many = "main :: proc() { }\n";
    for (std::size_t i = 0; i < kMostFiles; ++i)
        many += "F" + std::to_string(i) + " :: import!(\"f" + std::to_string(i) + ".iridis\")\n";
    const Parsed parsed =
        Parse("a.iridis", many, [](const std::string&) -> residue::Outcome<std::string> { return ""; });
    CHECK(told(parsed).find("one file too many is imported (expected at most 64 in all)") != std::string::npos);
}

TEST_CASE("Line ends of either kind and a byte order mark are all the same", "[scenario]") {
    const RunResult unix = RunText("main :: proc() {\n    IO.Print(\"{}\", 1)\n}\n");
    const RunResult dos = RunText("\xEF\xBB\xBFmain :: proc() {\r\n    IO.Print(\"{}\", 1)\r\n}\r\n");
    CHECK(unix.output == dos.output);
    CHECK(unix.steps == dos.steps);
}

TEST_CASE("Budgets end a run, whatever it does", "[scenario]") {
    RunOptions small;
    small.stepBudget = 1000;
    small.memoryBudget = 1 << 20;
    small.outputBudget = 100;
    CHECK(RunText("main :: proc() {\n    while true { }\n}", small).ending == Ending::StepBudget);
    const RunResult loud = RunText("main :: proc() {\n    while true { IO.Print(\"0123456789\") }\n}", small);
    CHECK(loud.output.size() == 100);
    CHECK(loud.outputCut);
    CHECK(
        RunText("main :: proc() {\n    while true { Memory.Allocate<u8>(&GlobalAllocator, 5000)! }\n}", small).ending ==
        Ending::MemoryBudget);
    CHECK(RunText("main :: proc() {\n    s := \"x\"\n    while true { s = tostring!((s, s)) }\n}", small).ending !=
          Ending::Finished);
    CHECK(
        RunText("F :: proc(n: [5000; u8]) { F(n) }\nmain :: proc() {\n    x : [5000; u8]\n    F(x)\n}", small).ending ==
        Ending::MemoryBudget);
    // The deepest nesting of calls and brackets that the reader lets through.
    std::string deep = "F :: proc(n: i32) -> i32 { return ";
    for (int i = 0; i < 250; ++i) deep += "(1 + ";
    deep += "F(n)";
    for (int i = 0; i < 250; ++i) deep += ")";
    deep += " }\nmain :: proc() { F(1) }\n";
    const RunResult nested = RunText(deep);
    CHECK(nested.ending == Ending::Error);
    CHECK(nested.error->message == "calls and brackets lie too deep in each other");
}
