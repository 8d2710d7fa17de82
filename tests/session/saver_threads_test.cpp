#include "session/saver.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include "log/appender.hpp"
#include "session/session.hpp"
#include "support/catch.hpp"

using namespace residue;

namespace {

session::Saver::Done Wait(session::Saver& saver) {
    for (int i = 0; i < 4000; ++i) {
        if (auto done = saver.Take()) return *done;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL("the save did not end");
    return {};
}

}  // namespace

TEST_CASE("a log that grows is saved up to where it was, beside the one that writes it", "[threads]") {
    log::EventLog log;
    log::Appender appender(log);
    events::Event event;
    event.kind = events::EventKind::Allocated;
    event.allocator = {1};
    event.size = 8;
    const auto grow = [&](std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t i = from; i < to; ++i) {
            event.address = 0x1000 + 16 * i;
            appender.Append(&event, 1);
        }
    };
    grow(0, 1000);
    const auto path = (std::filesystem::temp_directory_path() / "residue-saver.residue").string();
    session::Saver saver;
    REQUIRE(saver.Start(log.View(), path));
    CHECK_FALSE(saver.Start(log.View(), path));
    grow(1000, 50000);
    const auto done = Wait(saver);
    CHECK_FALSE(done.failure);
    CHECK_FALSE(saver.Busy());
    auto opened = session::Session::Open(done.path);
    opened->WaitUntilLoaded();
    opened->Tick(0, 1);
    CHECK(opened->End().value == 1000);
}

TEST_CASE("a save that cannot be written says where and why", "[threads]") {
    session::Saver saver;
    REQUIRE(saver.Start(log::EventLog().View(), "/nonexistent/folder/a.residue"));
    const auto done = Wait(saver);
    REQUIRE(done.failure);
    CHECK(done.failure->Text().find("/nonexistent/folder") != std::string::npos);
}
