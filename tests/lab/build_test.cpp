#include "lab/build.hpp"

#include <unistd.h>

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;
namespace fs = std::filesystem;

namespace {

Built Compile(const std::string& path) {
    BuildOptions options;
    options.needsLandlock = HasLandlock();
    auto built = Build(path, options);
    if (!built) FAIL(built.error().Text());
    return std::move(*built);
}

}  // namespace

TEST_CASE("The generations are told apart by the code itself") {
    const Built first = BuildOf("implicit.c");
    CHECK(first.course.generation == 'A');
    CHECK(first.course.api == Api::Mm);
    CHECK(first.course.alignment == 8);
    CHECK(BuildOf("explicit.c").course.generation == 'B');
    const Built third = BuildOf("segregated.c");
    CHECK(third.course.generation == 'C');
    CHECK(third.course.api == Api::MmBool);
    CHECK(third.course.alignment == 16);
    const Built mit = BuildOf("mit.c");
    CHECK(mit.course.generation == 'M');
    CHECK(mit.course.api == Api::Mit);
}

TEST_CASE("The student's own headers say how mem_sbrk is called, and what payloads are aligned to") {
    const support::ScratchFolder folder;
    folder.Write("lab/mm.c", Bump(""));
    CHECK(!Compile(folder / "lab").course.sbrkTakesInt);  // ours takes a long
    folder.Write("lab/memlib.h", "void *mem_sbrk(int incr);\n");
    folder.Write("lab/mm.h", "#include <stddef.h>\nint mm_init(void);\nvoid *mm_malloc(size_t size);\n");
    folder.Write("lab/config.h", "#define ALIGNMENT 16 /* bytes */\n");
    const Built built = Compile(folder / "lab");
    CHECK(built.course.sbrkTakesInt);
    CHECK(built.course.alignment == 16);
}

TEST_CASE("Names with brackets, blanks, quotes and other letters, and CRLF, are no trouble") {
    const support::ScratchFolder folder;
    std::string text;
    for (const char c : Bump("/* gr\xc3\xbc\xc3\x9f"
                             "e, \xff */"))
        text += c == '\n' ? std::string("\r\n") : std::string(1, c);
    for (const char* name : {"implicit(next-fit).c", "my \"best\" mm.c",
                             "gr\xc3\xbc\xc3\x9f"
                             "e.c",
                             "-o.c", "mm"}) {
        INFO(name);
        CHECK(Compile(folder.Write(name, text)).fine);
    }
}

TEST_CASE("Errors of compiler and linker are shown as they are") {
    const support::ScratchFolder folder;
    const Built wrong = Compile(folder.Write("wrong.c", Bump("", "return undeclared;")));
    CHECK(!wrong.fine);
    CHECK(Contains(wrong.messages, "wrong.c:9"));
    CHECK(Contains(wrong.messages, "undeclared"));
    const Built half = Compile(folder.Write("half.c", "int mm_init(void) { return 0; }\n"));
    CHECK(!half.fine);
    CHECK(Contains(half.messages, "mm_malloc"));
    const Built none = Compile(folder.Write("none.c", "int x;\n"));
    CHECK(!none.fine);
    CHECK(Contains(none.messages, "mm_init is not there"));
    const Built pointer = Compile(folder.Write("odd.c", "void *mm_init(void) { return 0; }\n"));
    CHECK(!pointer.fine);
}

TEST_CASE("A file that has memlib's functions of its own is told so by the linker") {
    const support::ScratchFolder folder;
    const Built built = Compile(folder.Write("mm.c", Bump("size_t mem_heapsize(void) { return 1; }")));
    CHECK(!built.fine);
    CHECK(Contains(built.messages, "mem_heapsize"));
}

TEST_CASE("The compiler reads the student's files and the system's, and no others of this machine") {
    if (!CanKeepFiles()) return;
    const support::ScratchFolder folder;
    const std::string secret = folder.Write("private/secret.h", "int top_secret_word = 1;\n");
    const std::string ways[] = {
        "#include \"" + secret + "\"\n",
        "#include \"../../../../../../.." + secret + "\"\n",
        "__asm__(\".incbin \\\"" + secret + "\\\"\");\n",
        "__asm__(\".include \\\"" + secret + "\\\"\");\n",
        "#include \"/etc/passwd\"\n",
        "#include \"/proc/self/environ\"\n",
    };
    for (const std::string& way : ways) {
        INFO(way);
        const Built built = Compile(folder.Write("mm.c", Bump(way)));
        CHECK(!built.fine);
        CHECK(!Contains(built.messages, "top_secret_word"));
        CHECK(!Contains(built.messages, "root:"));
    }
}

TEST_CASE("Code that makes the compiler work without end is ended, and its output is cut") {
    const support::ScratchFolder folder;
    const Built endless = Compile(folder.Write("mm.c", "#include \"mm.c\"\n"));
    CHECK(!endless.fine);
    CHECK(endless.messages.size() < 100'000);
    const Built large = Compile(folder.Write("large.c", Bump("__asm__(\".skip 0x10000000000, 1\");")));
    CHECK(!large.fine);
}

TEST_CASE("What cannot be built at all is said") {
    CHECK(Build("/nowhere/at/all.c", {}).error().where == "/nowhere/at/all.c");
    BuildOptions options;
    options.needsLandlock = HasLandlock();
    options.compiler = "no-such-compiler";
    CHECK(Build((kStudents / "implicit.c").string(), options).error().where == "no-such-compiler");
}
