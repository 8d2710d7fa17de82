// Code that means harm: all of it is contained, and said.
#include <cstddef>
#include <cstring>

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;
namespace fs = std::filesystem;

namespace {

struct Deed {
    int size;             // that hostile.c does it at
    const char* message;  // is contained
};

constexpr Deed kDeeds[] = {
    {1001, "(clone: processes and threads): refused"},
    {1002, "(execve: programs): refused"},
    {1003, "(openat: files): refused"},
    {1004, "(socket: the network): refused"},
    {1005, "(getppid): refused"},
    {1006, "(kill: signals): refused"},
    {1007, "was killed (SIGKILL) in mm_malloc"},
    {1008, "(sigaction: signal handlers): refused"},
    {1009, "came back into a call that had returned before (longjmp)"},
    {1010, "the program was ended with exit code 0 in mm_malloc"},
    {1011, "the program was ended with exit code 3 in mm_malloc"},
    {1013, "(sleep): refused"},
    {1014, "(ptrace): refused"},
    {1015, "(clone: processes and threads): refused"},
    {1017, "(mprotect: memory protection): refused"},
    {1018, "Segmentation fault"},
    {1020, "overlaps another payload"},
    {1021, "a signal that was sent"},
    {1022, "(openat: files): refused"},
    {1023, "Segmentation fault"},
    {1030, "mm_malloc failed."},
    {1031, "mm_malloc failed."},
    {1032, "Payload address (0xffffffffffffffff)"},
};

LabTrace TraceFor(int size) {
    return TraceOf("a 0 64\na 1 " + std::to_string(size) + "\nf 0\n");
}

}  // namespace

TEST_CASE("Whatever a student's code does, it is a finding of its operation") {
    const Built built = BuildOf("hostile.c");
    for (const Deed& deed : kDeeds) {
        INFO(deed.size);
        const TraceOutcome outcome = RunOf(built, TraceFor(deed.size));
        if (!outcome.problem) {
            FAIL_CHECK("no problem");
            continue;
        }
        INFO(outcome.problem->message);
        CHECK(outcome.state == State::Invalid);
        CHECK(Contains(outcome.problem->message, deed.message));
        CHECK(outcome.problem->op == 1u);
    }
    CHECK(RunOf(built, TraceFor(1019)).state == State::Valid);  // mem_sbrk(-64) fails, and that is all
    CHECK(fs::is_empty(built.staging.Folder("empty")));
}

TEST_CASE("Endless output is cut, and endless loops end though all signals are blocked") {
    const Built built = BuildOf("hostile.c");
    RunOptions options;
    options.timeout = std::chrono::milliseconds(1000);
    const TraceOutcome talks = RunOf(built, TraceFor(1012), options);
    REQUIRE(talks.problem);
    CHECK(Contains(talks.problem->message, "timeout"));
    CHECK(Contains(talks.output, "all work and no play"));
    CHECK(talks.output.size() <= 16384);
    CHECK(talks.outputLeftOut > 0);
    const TraceOutcome bytes = RunOf(built, TraceFor(1025), options);
    CHECK(bytes.state == State::Invalid);
    const TraceOutcome asleep = RunOf(built, TraceFor(1026), options);  // stopped by its own signal
    REQUIRE(asleep.problem);
    CHECK(Contains(asleep.problem->message, "timeout"));
    const TraceOutcome deaf = RunOf(built, TraceFor(1024), options);
    REQUIRE(deaf.problem);
    CHECK(deaf.problem->message == "timeout: not done after 1 s, in mm_malloc");
    CHECK(deaf.problem->op == 1u);
}

TEST_CASE("Constructors are under the same rules") {
    const support::ScratchFolder folder;
    const LabTrace trace = TraceOf("a 0 64\n");
    RunOptions options;
    options.timeout = std::chrono::milliseconds(1000);
    const std::pair<const char*, const char*> deeds[] = {{"fork();", "clone"},
                                                         {"fopen(\"/etc/passwd\", \"r\");", "openat"},
                                                         {"_exit(0);", "exit code 0"},
                                                         {"for (;;) {}", "timeout"}};
    for (const auto& [code, message] : deeds) {
        INFO(code);
        const std::string text =
            Bump(std::string("__attribute__((constructor)) static void first(void) { ") + code + " }");
        const TraceOutcome outcome = RunOf(BuildOf(folder.Write("mm.c", text)), trace, options);
        REQUIRE(outcome.problem);
        INFO(outcome.problem->message);
        CHECK(!outcome.problem->op);
        CHECK(Contains(outcome.problem->message, message));
        CHECK(Contains(outcome.problem->message, "before the first operation"));
    }
}

#if defined(__x86_64__)
TEST_CASE("Code that runs before all constructors cannot read the machine's files") {
    if (!CanKeepFiles()) return;
    const support::ScratchFolder folder;
    const std::string secret = folder.Write("secret", "word");
    // An indirect function's resolver runs while the library is linked. It crashes where it could open the file.
    const std::string code = R"(
static int zero(void) { return 0; }
static int (*resolve(void))(void) {
    long file;
    __asm__ volatile("syscall" : "=a"(file) : "0"(257L), "D"(-100L), "S"("PATH"), "d"(0L) : "rcx", "r11", "memory");
    if (file >= 0) *(volatile char *)0x1234 = 1;
    return zero;
}
int chosen(void) __attribute__((ifunc("resolve")));
)";
    std::string text = code;
    text.replace(text.find("PATH"), 4, secret);
    const TraceOutcome outcome =
        RunOf(BuildOf(folder.Write("mm.c", Bump(text, "if (chosen() != 0) return NULL;"))), TraceOf("a 0 64\n"));
    CHECK(outcome.state == State::Valid);
}
#endif

TEST_CASE("Names of the C library and of the host that the code takes for its own are its own only") {
    const support::ScratchFolder folder;
    const std::string text = Bump(
        "void *memcpy(void *to, const void *from, size_t n) { (void)from; (void)n; return to; }\n"
        "int clock_gettime(int c, void *t) { (void)c; (void)t; return -1; }\n"
        "void _exit(int code) { (void)code; for (;;) {} }\n"
        "int strcmp(const char *a, const char *b) { (void)a; (void)b; return 7; }\n"
        "int main(void) { return 9; }\nchar environ[4];\n");
    const TraceOutcome outcome = RunOf(BuildOf(folder.Write("mm.c", text)), TraceOf("a 0 64\na 1 8\nf 0\n"));
    INFO((outcome.problem ? outcome.problem->message : ""));
    CHECK(outcome.state == State::Valid);
}

TEST_CASE("A report that the code writes itself is not believed") {
    const support::ScratchFolder folder;
    // The stack has a pointer to the report. It is known by its first words; write() says whether memory is there.
    std::string lie = R"(
    unsigned long *word = __builtin_frame_address(0);
    for (int i = 0; i < 400; ++i) {
        if (word[i] % 4096 != 0 || word[i] >> 40 != 0x7f || write(1, (void *)word[i], 1) != 1) continue;
        unsigned *report = (unsigned *)word[i];
        if (report[0] != VERSION || report[1] != RUNNING) continue;
        report[1] = DONE;
        *(unsigned *)((char *)report + OFFSET) = PASSES;
        write(1, "lied", 4);
        _exit(0);
    })";
    const std::pair<const char*, std::size_t> numbers[] = {{"VERSION", kLayoutVersion},
                                                           {"RUNNING", static_cast<std::size_t>(Phase::Running)},
                                                           {"DONE", static_cast<std::size_t>(Phase::Done)},
                                                           {"OFFSET", offsetof(Report, passesDone)},
                                                           {"PASSES", kPasses}};
    for (const auto& [name, number] : numbers) lie.replace(lie.find(name), std::strlen(name), std::to_string(number));
    const TraceOutcome outcome = RunOf(BuildOf(folder.Write("mm.c", Bump("", lie))), TraceOf("a 0 64\na 1 64\n"));
    CHECK(Contains(outcome.output, "lied"));
    REQUIRE(outcome.problem);
    CHECK(outcome.problem->message == "mm_malloc failed.");
    CHECK(outcome.problem->op == 0u);
}

TEST_CASE("Debug data that the code makes up itself cost the names of calls, and no more") {
    const support::ScratchFolder folder;
    const std::string garbage =
        R"(__asm__(".section .debug_info,\"\",@progbits\n.long 0xffffffff\n.quad 0x7fffffffffffffff\n"
        ".fill 300,1,0xff\n.section .debug_line,\"\",@progbits\n.fill 200,4,0x7fffffff\n"
        ".section .debug_abbrev,\"\",@progbits\n.fill 100,1,0xfe\n.section .eh_frame,\"a\",@progbits\n.fill 64,1,0x7f\n"
        ".text");)";
    const TraceOutcome outcome =
        RunOf(BuildOf(folder.Write("mm.c", Bump(garbage, "*(volatile int *)16 = 1;"))), TraceOf("a 0 64\n"));
    REQUIRE(outcome.problem);
    CHECK(outcome.problem->message == "Segmentation fault: writes to 0x10, next to NULL");
    REQUIRE(!outcome.problem->calls.empty());
    CHECK(outcome.problem->calls[0].function == "mm_malloc");
}
