// The inside of an allocator is found on a thread of its own while the session goes on.
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "log/appender.hpp"
#include "log/events.hpp"
#include "log/native_file.hpp"
#include "session/sandbox.hpp"
#include "session/session.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;

namespace {

// Asks as a window does, a frame after the other. False: it never became ready.
bool Await(session::Session& session) {
    for (int i = 0; i < 4000; ++i) {
        session.Tick(0.01, 20000);
        if (session.PresentInside().ready) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
}

}  // namespace

TEST_CASE("the inside of every position that is asked for comes, forward and backward", "[threads]") {
    const auto path = std::filesystem::temp_directory_path() / ("residue-inside-" + std::to_string(getpid()) + ".rep");
    std::string body;
    for (int i = 0; i < 2000; ++i) {
        body += "a " + std::to_string(i) + " " + std::to_string(16 + i * 37 % 200) + "\n";
        if (i % 3 == 2) body += "f " + std::to_string(i - 2) + "\n";
    }
    std::ofstream(path, std::ios::binary) << "0\n2000\n2666\n1\n" << body;
    auto opened = session::Session::Open(path.string(), {});
    opened->WaitUntilLoaded();
    opened->Tick(0, ~std::uint64_t{0});
    REQUIRE(opened->End().value == 2666);
    for (const std::uint64_t position : {2666, 5, 1500, 1499, 1498, 0, 2000}) {
        opened->SeekTo(Position{position});
        REQUIRE(Await(*opened));
        const auto answer = opened->PresentInside();
        REQUIRE(answer.inside->position.value == position);
        CHECK(answer.inside->after->broken.empty());
    }
    opened->SeekTo(Position{2600});
    opened->Tick(0, 20000);
    (void)opened->PresentInside();  // and it is closed while it is being worked on
    std::filesystem::remove(path);
}

TEST_CASE("a sandbox that runs is looked into without stopping it", "[threads]") {
    auto opened = session::Session::OpenSandbox();
    session::Sandbox& sandbox = *opened->GetSandbox();
    sandbox.Create("best-fit", 64 * 1024);
    sandbox.SetRate(20000);
    sandbox.Run(true);
    int answers = 0;
    Position last{};
    for (int i = 0; i < 3000 && answers < 20; ++i) {
        opened->Tick(0.002, 20000);
        const auto answer = opened->PresentInside();
        if (answer.inside != nullptr && last < answer.inside->position) {
            last = answer.inside->position;
            ++answers;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(answers == 20);
    sandbox.Run(false);
    opened->FollowEnd(false);
    CHECK(Await(*opened));
}

// Else a window that shows it waits for ever, and draws all the while.
TEST_CASE("of a heap that nobody created it is said at once, at the beginning too, that its inside is not known") {
    log::EventLog log;
    {
        log::Appender appender(log);
        appender.Append(log::testing::Allocated(1 << 20, 100), {});
    }
    const support::ScratchFolder folder;
    const std::string path = folder / "a.residue";
    REQUIRE(log::WriteNative(log.View(), path));
    auto opened = session::Session::Open(path, {});
    opened->WaitUntilLoaded();
    opened->Tick(0, ~std::uint64_t{0});
    opened->SeekTo(Position{0});
    std::string unknown;
    for (int i = 0; i < 4000 && unknown.empty(); ++i) {
        opened->Tick(0.01, 20000);
        unknown = opened->PresentInside().unknown;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(unknown == "its beginning was not recorded, so its inside is not known");
    CHECK(opened->PresentInside().never);
}
