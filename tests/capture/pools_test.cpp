// Programs that tell of their own pools, under the shim.
#include <map>
#include <string>

#include "capture/capture.hpp"
#include "log/events.hpp"
#include "support/catch.hpp"

using namespace residue;
using capture::Capture;
using events::EventKind;

namespace {

struct Watched {
    log::EventLog log;
    log::LogView view;
    Capture::Status status;
    std::vector<Warning> warnings;

    Watched(const std::string& program, const std::string& mode) {
        capture::CaptureOptions options;
        options.shim = RESIDUE_BIN_DIR "/libresidue-preload.so";
        options.channel.patienceNanoseconds = 10'000'000'000;
        auto capture = Capture::Start({RESIDUE_BIN_DIR "/" + program, mode}, options, log);
        REQUIRE(capture);
        (*capture)->Wait();
        status = (*capture)->Now();
        warnings = (*capture)->Warnings();
        view = log.View();
        CHECK(status.counted.odd == 0);
        CHECK(status.counted.dropped == 0);
        CHECK(log::testing::Illegal(view) == "");
    }
    std::vector<events::Event> Of(EventKind kind) const {
        std::vector<events::Event> found;
        for (Row row{}; row < view.Rows(); ++row) {
            if (view.KindAt(row) == kind) found.push_back(view.At(row).event);
        }
        return found;
    }
    // Of the row that created it.
    std::map<std::string, events::Event> Allocators() const {
        std::map<std::string, events::Event> found;
        for (Row row{}; row < view.Rows(); ++row) {
            if (view.KindAt(row) == EventKind::AllocatorCreated) {
                found[std::string(view.Text(row))] = view.At(row).event;
            }
        }
        return found;
    }
    std::string Warned() const {
        std::string text;
        for (const Warning& warning : warnings) text += warning.text + "\n";
        return text;
    }
};

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the allocators of a program built with the library are seen from outside, the duck too", "[threads]") {
    const Watched watched("library_subject", "");
    CHECK(watched.status.ended->exitCode == 0);
    auto allocators = watched.Allocators();
    for (const char* name : {"malloc", "daily", "level", "names", "careless"}) {
        CAPTURE(name);
        REQUIRE(allocators.contains(name));
    }
    CHECK(allocators["daily"].Parent() == allocators["malloc"].allocator);
    CHECK(allocators["level"].Parent() == allocators["daily"].allocator);
    CHECK(allocators["names"].Parent() == allocators["level"].allocator);
    CHECK(allocators["names"].Has(events::EventFlag::Region));
    bool duck = false;
    for (Row row{}; row < watched.view.Rows(); ++row) {
        if (watched.view.KindAt(row) != EventKind::Duck) continue;
        duck = true;
        CHECK(watched.view.At(row).event.allocator == allocators["careless"].allocator);
        CHECK(Contains(std::string(watched.view.Text(row)), "A wise duck\n     ||     \n   ==^^==\n"));
    }
    CHECK(duck);
    for (const events::Event& event : watched.Of(EventKind::Allocated)) {
        if (event.size != 77) continue;
        CHECK(event.allocator == allocators["names"].allocator);
        CHECK(event.header > 0);  // all parts of the block came along
        // Whoever called the allocator, without the frames of what tells of it.
        const auto frames = watched.view.Frames(event.trace);
        REQUIRE(frames.size() > 2);
        CHECK(Contains(frames[0].function, "Allocate<char>"));
        CHECK(Contains(frames[1].function, "TakeName"));
    }
    const auto failed = watched.Of(EventKind::AllocateFailed);
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].Error() == MemoryError::BufferTooLarge);
    CHECK(watched.Of(EventKind::FreeFailed).size() == 1);
    CHECK(watched.Warned().empty());
}

TEST_CASE("pools of many threads at once are told whole and in order", "[threads]") {
    const Watched watched("capture_subject", "pool-threads");
    CHECK(watched.status.ended->exitCode == 0);
    std::size_t born = 0;
    for (const events::Event& event : watched.Of(EventKind::Allocated)) born += event.size == 33 ? 1 : 0;
    CHECK(born == 4 * 2000);
    CHECK(watched.Of(EventKind::FreeFailed).empty());
    std::size_t markers = 0;
    for (Row row{}; row < watched.view.Rows(); ++row) {
        if (watched.view.KindAt(row) != EventKind::Marker) continue;
        CHECK(watched.view.Text(row) == std::string(900, 'm'));
        ++markers;
    }
    CHECK(markers == 4 * 20);
    // One whose memory is every thread's, and one for each thread and each ten rounds.
    CHECK(watched.Of(EventKind::AllocatorCreated).size() == 2 + 4 * 200);
    CHECK(watched.Warned().empty());
}

TEST_CASE("whatever a program tells of its pools, it goes on and the recording says what was wrong", "[threads]") {
    const Watched watched("capture_subject", "pool-garbage");
    CHECK(watched.status.ended->exitCode == 0);
    const std::string warned = watched.Warned();
    INFO(warned);
    CHECK(Contains(warned, "5 calls name a pool that is not there"));
    CHECK(Contains(warned, "2 blocks do not lie in what their pool said it has"));
    CHECK(watched.Of(EventKind::FreeFailed).size() == 2);
    CHECK(watched.Of(EventKind::AccessFailed).size() == 2);
    bool cut = false;
    for (Row row{}; row < watched.view.Rows(); ++row) {
        // 1,020 bytes end within a letter of two.
        cut = cut || watched.view.Text(row).size() == 1019;
    }
    CHECK(cut);
}

TEST_CASE("more pools than there are ids are told as such, and pools that are gone make room", "[threads]") {
    const Watched watched("capture_subject", "pool-many");
    CHECK(watched.status.ended->exitCode == 0);
    // 300 after each other, then as many as there are, then one once more.
    CHECK(watched.Of(EventKind::AllocatorCreated).size() == 1 + 300 + 65'534 + 1);
    CHECK(Contains(watched.Warned(), "3 calls name a pool that is not there"));
    CHECK(watched.Of(EventKind::FreeFailed).empty());
}
