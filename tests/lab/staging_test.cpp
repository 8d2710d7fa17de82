#include "lab/staging.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;
namespace fs = std::filesystem;

TEST_CASE("A file comes along with the headers beside it, byte for byte, and goes with the stage") {
    const support::ScratchFolder folder;
    const std::string source = folder.Write("my (first) m\xc3\xbc.c", "int x;\r\n");
    folder.Write("mm.h", "/* mine */");
    folder.Write("other.c", "no");
    fs::path stage;
    {
        const auto staging = Staging::Make(source);
        REQUIRE(staging);
        stage = fs::path(staging->Folder("source")).parent_path();
        CHECK(staging->Source() == "my (first) m\xc3\xbc.c");
        CHECK(staging->Text() == "int x;\r\n");
        CHECK(support::ReadFile(staging->Folder("source") + "/" + staging->Source()) == "int x;\r\n");
        CHECK(support::ReadFile(staging->Folder("source") + "/mm.h") == "/* mine */");
        CHECK(staging->Has("mm.h"));
        CHECK(!staging->Has("other.c"));
        CHECK((fs::status(stage).permissions() & fs::perms::others_all) == fs::perms::none);
    }
    CHECK(!fs::exists(stage));
}

TEST_CASE("Of a folder it is mm.c, or MIT's, or the only one") {
    const support::ScratchFolder folder;
    folder.Write("a/mm.c", "1");
    folder.Write("a/mdriver.c", "2");
    folder.Write("b/allocator.c", "1");
    folder.Write("b/mdriver.c", "2");
    folder.Write("c/mine.c", "1");
    CHECK(Staging::Make(folder / "a")->Source() == "mm.c");
    CHECK(Staging::Make(folder / "b")->Source() == "allocator.c");
    CHECK(Staging::Make(folder / "c/")->Source() == "mine.c");
    folder.Write("c/other.c", "1");
    CHECK(Staging::Make(folder / "c").error().what == "has several C files, none of them mm.c");
    fs::create_directory(folder / "d");
    CHECK(Staging::Make(folder / "d").error().what == "has no C file in it");
}

TEST_CASE("What is no plain file is not read: a link could lead anywhere") {
    const support::ScratchFolder folder;
    REQUIRE(symlink("/etc/passwd", (folder / "mm.c").c_str()) == 0);
    CHECK(Staging::Make(folder / "mm.c").error().what == "is a link");
    CHECK(Staging::Make(folder.Path().string()).error().what == "is a link");
    folder.Write("e/mm.c", "int x;");
    REQUIRE(symlink("/etc/passwd", (folder / "e/mm.h").c_str()) == 0);
    CHECK(Staging::Make(folder / "e").error().what == "is a link");
    REQUIRE(mkfifo((folder / "pipe.c").c_str(), 0600) == 0);
    CHECK(Staging::Make(folder / "pipe.c").error().what == "is no plain file");
    CHECK(Staging::Make(folder / "none.c").error().where == folder / "none.c");
}

TEST_CASE("Too much is refused before it is read") {
    const support::ScratchFolder folder;
    folder.Write("mm.c", "int x;");
    fs::resize_file(folder / "mm.c", std::uintmax_t{1} << 36);  // no room is used on the disk
    CHECK(Staging::Make(folder / "mm.c").error().what == "is too large");
    for (int i = 0; i < 300; ++i) folder.Write("many/" + std::to_string(i) + ".h", "");
    CHECK(Contains(Staging::Make(folder / "many").error().what, "more than 256"));
}
