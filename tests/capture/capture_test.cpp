// Real programs under the shim.
#include "capture/capture.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "log/events.hpp"
#include "model/heap_model.hpp"
#include "support/catch.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using capture::Capture;
using events::EventKind;

namespace {

const std::string kSubject = RESIDUE_BIN_DIR "/capture_subject";

capture::CaptureOptions Options() {
    capture::CaptureOptions options;
    options.shim = RESIDUE_BIN_DIR "/libresidue-preload.so";
    options.channel.patienceNanoseconds = 10'000'000'000;  // sanitizers are slow; nothing may be lost here
    return options;
}

struct Watched {
    log::EventLog log;
    Capture::Status status;
    std::vector<Warning> warnings;
    log::LogView view;

    explicit Watched(const std::vector<std::string>& arguments, const capture::CaptureOptions& options = Options()) {
        std::vector<std::string> words = {kSubject};
        words.insert(words.end(), arguments.begin(), arguments.end());
        auto capture = Capture::Start(words, options, log);
        INFO((capture ? "" : capture.error().Text()));
        REQUIRE(capture);
        (*capture)->Wait();
        while ((*capture)->Now().running) std::this_thread::yield();  // one that was left alone
        status = (*capture)->Now();
        warnings = (*capture)->Warnings();
        view = log.View();
        CHECK(log.Closed());
        CHECK(status.ended);
        CHECK(status.attached);
        CHECK(log::testing::Illegal(view) == "");
    }

    std::vector<events::Event> Of(EventKind kind) const {
        std::vector<events::Event> found;
        for (Row row{}; row < view.Rows(); ++row) {
            if (view.At(row).event.kind == kind) found.push_back(view.At(row).event);
        }
        return found;
    }
    // Allocations of that size, and how many of their blocks are dead at the end.
    std::size_t Count(std::uint64_t size, bool deadOnly = false) const {
        std::size_t count = 0;
        for (std::uint32_t id = 1; id <= view.Blocks(); ++id) {
            const bool dead = view.Life(BlockId{id}).died.value != log::kNever;
            if (view.Birth(BlockId{id}).event.size == size && (dead || !deadOnly)) ++count;
        }
        return count;
    }
    std::size_t Dead(std::uint64_t size) const { return Count(size, true); }
};

}  // namespace

TEST_CASE("every function of the allocator is seen, with what was asked for", "[threads]") {
    const Watched watched({"kinds"});
    CHECK(watched.status.ended->exitCode == 7);
    CHECK(watched.status.counted.dropped == 0);
    CHECK(watched.Count(1001) == 1);
    CHECK(watched.Dead(1001) == 0);
    for (const std::uint64_t size :
         std::initializer_list<std::uint64_t>{1203, 1005, 1007, 1008, 1009, 1088, 1011, 1013, 4096, 1200, 1019}) {
        CAPTURE(size);
        CHECK(watched.Count(size) >= 1);
        CHECK(watched.Dead(size) == watched.Count(size));
    }
    CHECK(watched.Count(1017) == 1);
    std::map<std::uint64_t, unsigned> alignments;
    for (const events::Event& event : watched.Of(EventKind::Allocated)) alignments[event.size] = event.alignmentLog2;
    CHECK(alignments[1009] == 8);
    CHECK(alignments[1088] == 6);
    CHECK(alignments[1011] == 7);
    CHECK(alignments[1013] == 12);
    std::size_t resized = 0;
    for (const events::Event& event : watched.Of(EventKind::ResizeEnds)) {
        if (event.size == 1007 || event.size == 1008) ++resized;
        CHECK(event.OldAddress() != 0);
    }
    CHECK(resized == 2);
    CHECK(watched.Of(EventKind::FreeFailed).empty());
    for (const events::Event& event : watched.Of(EventKind::Allocated)) {
        if (event.size == 1001) CHECK(event.rounding < 32);  // its real size
    }
}

TEST_CASE("failed requests are events, and what they would have changed stays", "[threads]") {
    const Watched watched({"failing"});
    CHECK(watched.status.ended->exitCode == 0);
    CHECK(watched.Of(EventKind::AllocateFailed).size() == 2);
    std::size_t failed = 0;
    for (const events::Event& event : watched.Of(EventKind::ResizeEnds)) failed += event.Failed() ? 1 : 0;
    CHECK(failed == 1);
    CHECK(watched.Dead(2001) == 1);
}

TEST_CASE("threads that free what others allocate are in order", "[threads]") {
    const Watched watched({"threads", "4"});
    CHECK(watched.status.counted.dropped == 0);
    CHECK(watched.status.counted.late == 0);
    std::size_t made = 0;
    for (std::uint64_t size = 3000; size < 3007; ++size) {
        made += watched.Count(size);
        CHECK(watched.Dead(size) == watched.Count(size));
    }
    CHECK(made == 4 * 2000);
    CHECK(watched.Of(EventKind::FreeFailed).empty());
    std::size_t inferred = 0;
    std::set<std::uint32_t> threads;
    for (const events::Event& event : watched.Of(EventKind::Allocated)) threads.insert(event.thread.value);
    for (const events::Event& event : watched.Of(EventKind::Freed)) inferred += event.Has(events::EventFlag::Inferred);
    CHECK(inferred == 0);
    CHECK(threads.size() == 5);
}

// Stamps are taken in another way while there is one thread.
TEST_CASE("a second thread that comes in the middle is in order with the first", "[threads]") {
    for (unsigned round = 0; round < 12; ++round) {
        const Watched watched({"second-thread", "3000"});
        CHECK(watched.status.ended->exitCode == 0);
        CHECK(watched.status.counted.dropped == 0);
        CHECK(watched.status.counted.late == 0);
        CHECK(watched.Of(EventKind::FreeFailed).empty());
        std::size_t made = 0, inferred = 0;
        for (std::uint64_t size = 3000; size < 3007; ++size) made += watched.Count(size);
        for (const events::Event& event : watched.Of(EventKind::Freed)) {
            inferred += event.Has(events::EventFlag::Inferred);
        }
        CHECK(made == 2 * 3000);
        CHECK(inferred == 0);
    }
}

TEST_CASE("two builds of the shim in one program tell of each block once") {
    const support::ScratchFolder folder;
    const std::string other = folder / "libresidue-preload-other.so";
    std::filesystem::copy_file(Options().shim, other);
    ::setenv("LD_PRELOAD", other.c_str(), 1);
    const Watched watched({"threads", "2"});
    ::unsetenv("LD_PRELOAD");
    std::size_t made = 0;
    for (std::uint64_t size = 3000; size < 3007; ++size) made += watched.Count(size);
    CHECK(made == 2 * 2000);
    CHECK(watched.Of(EventKind::FreeFailed).empty());
}

TEST_CASE("a lane that is longer than what is prepared of it at once is whole") {
    capture::CaptureOptions options = Options();
    options.channel.plan.largeRecords = 1 << 14;  // twice
    const Watched watched({"many", "30000"}, options);
    CHECK(watched.status.counted.dropped == 0);
    CHECK(watched.status.counted.odd == 0);
    CHECK(watched.Of(EventKind::Allocated).size() >= 30'000);
}

TEST_CASE("threads by the thousand take their lanes over", "[threads]") {
    const Watched watched({"short-threads", "1500"});
    CHECK(watched.Count(3501) == 1500);
    CHECK(watched.Dead(3501) == 1500);
    CHECK(watched.status.counted.dropped == 0);
    CHECK(watched.status.counted.threads >= 1500);
}

TEST_CASE("children of the program leave no trace", "[threads]") {
    const std::string mode = GENERATE("fork", "raw-fork", "spawns");
    CAPTURE(mode);
    const Watched watched({mode});
    CHECK(watched.status.ended->exitCode == 0);
    CHECK(watched.Count(4003) == 0);
    CHECK(watched.Count(mode == "fork" ? 4005 : mode == "raw-fork" ? 4007 : 4009) == 1);
    CHECK(watched.status.counted.dropped == 0);
}

TEST_CASE("a program that becomes another one goes on as that", "[threads]") {
    const Watched watched({"execs"});
    CHECK(watched.status.ended->exitCode == 7);
    CHECK(watched.Dead(9007) == 1);   // with its memory
    CHECK(watched.Count(1001) == 1);
    CHECK(watched.Of(EventKind::AllocatorCreated).size() == 2);
    CHECK(watched.Of(EventKind::AllocatorDestroyed).size() == 1);
}

TEST_CASE("whatever happens in a program, the recorder and it survive what it would survive alone", "[threads]") {
    SECTION("signal handlers that allocate") {
        const Watched watched({"signals"});
        CHECK(watched.status.ended->exitCode == 0);
        CHECK(watched.Count(5003) == 200);
        CHECK(watched.Count(5001) == 200);
    }
    SECTION("all descriptors closed") {
        const Watched watched({"closing"});
        CHECK(watched.status.ended->exitCode == 3);
        CHECK(watched.Count(6001) == 10);
    }
    SECTION("killed: every published event is there") {
        const Watched watched({"killed"});
        CHECK(watched.status.ended->signal == SIGKILL);
        CHECK(watched.Count(6003) == 1000);
    }
    SECTION("a heap that it smashed itself") {
        const Watched watched({"smashed"});
        CHECK(watched.status.ended->signal == SIGABRT);
        CHECK(watched.Count(64) >= 1);
    }
    SECTION("before main and after it, at the end of threads") {
        const Watched watched({"late"});
        CHECK(watched.status.ended->exitCode == 0);
        CHECK(watched.Count(7001) == 3);
        CHECK(watched.Dead(7001) == 3);
        CHECK(watched.Count(7003) == 3);
        CHECK(watched.status.counted.dropped == 0);
    }
    SECTION("frame pointers that point nowhere") {
        for (const auto how : {capture::Unwinding::Auto, capture::Unwinding::FramePointers}) {
            capture::CaptureOptions options = Options();
            options.channel.unwinding = how;
            const Watched watched({"garbage"}, options);
            CHECK(watched.status.ended->exitCode == 0);
            CHECK(watched.Count(8001) == 5);
        }
    }
    SECTION("threads whose first allocation is the C library's, under a lock of theirs") {
        const Watched watched({"asks-about-itself"});
        CHECK(watched.status.ended->exitCode == 0);
        CHECK(watched.status.counted.threads == 5);
    }
    SECTION("libraries that come and go") {
        const Watched watched({"opens"});
        CHECK(watched.status.ended->exitCode == 0);
        CHECK(watched.Count(8003) == 1);
    }
}

TEST_CASE("the regions that a program was seen to have hold its blocks, and nothing is known of holes", "[threads]") {
    log::EventLog log;
    auto capture = Capture::Start({kSubject, "sleeps"}, Options(), log);
    REQUIRE(capture);
    const auto regionOf = [](const log::LogView& view, std::uint64_t address) {
        bool inside = false;
        for (std::uint64_t i = 0; i < view.SampledRegions(); ++i) {
            const events::Event event = view.At(view.SampledRegion(i)).event;
            CHECK(event.IsSampledRegion());
            if (address - event.address < event.size) inside = event.kind == EventKind::RegionGrown;
        }
        return inside;
    };
    std::uint64_t kept = 0;  // a block that it keeps
    for (int i = 0; i < 2000 && (kept == 0 || !regionOf(log.View(), kept)); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        const log::LogView view = log.View();
        for (std::uint32_t id = 1; id <= view.Blocks() && kept == 0; ++id) {
            if (view.Birth(BlockId{id}).event.size == 9003) kept = view.Birth(BlockId{id}).event.address;
        }
    }
    (*capture)->Kill(SIGKILL);
    (*capture)->Wait();
    const log::LogView view = log.View();
    REQUIRE(kept != 0);
    CHECK(regionOf(view, kept));
    CHECK_FALSE(regionOf(view, 0x1000));
    model::HeapModel heap;
    REQUIRE(heap.Advance(view, view.Rows(), ~std::uint64_t{0}));
    CHECK(heap.Sum().blocks > 0);
    CHECK_FALSE(heap.Sum().heapKnown);
}

TEST_CASE("a call trace names the functions of the program", "[threads]") {
    const Watched watched({"leaks"});
    bool found = false;
    for (const events::Event& event : watched.Of(EventKind::Allocated)) {
        if (event.size != 9001) continue;
        found = true;
        std::string names;
        for (const auto& frame : watched.view.Frames(event.trace)) names += frame.function + "\n";
        INFO(names);
        CHECK(names.find("InnerLeak") != std::string::npos);
        CHECK(names.find("OuterLeak") != std::string::npos);
        CHECK(names.find("main") != std::string::npos);
        CHECK(watched.view.TopFrame(event.trace).file.find("subject.cpp") != std::string::npos);
    }
    CHECK(found);
    capture::CaptureOptions options = Options();
    options.channel.unwinding = capture::Unwinding::Off;
    const Watched without({"leaks"}, options);
    CHECK(without.view.Traces() == 0);
    CHECK(without.Count(9001) == 1);
}

TEST_CASE("where nobody reads, the program waits a little in all, and what is lost is told", "[threads]") {
    capture::CaptureOptions options = Options();
    options.channel.plan.largeRecords = 64;
    options.channel.plan.smallRecords = 64;
    // As soon as something waits, nothing more is taken; and rows are not made while it runs.
    options.mostWaiting = 1;
    std::atomic<Capture*> running{nullptr};
    options.afterRound = [&running] {
        Capture* capture = nullptr;
        while ((capture = running.load()) == nullptr || capture->Now().running) std::this_thread::yield();
    };
    options.channel.whenFull = GENERATE(capture::WhenFull::Block, capture::WhenFull::Drop);
    options.channel.patienceNanoseconds = 20'000'000;
    log::EventLog log;
    auto capture = Capture::Start({kSubject, "many", "20000"}, options, log);
    REQUIRE(capture);
    running = capture->get();
    (*capture)->Wait();
    const Capture::Status status = (*capture)->Now();
    CHECK(status.ended->exitCode == 0);
    const log::LogView view = log.View();
    std::uint64_t lost = 0;
    for (Row row{}; row < view.Rows(); ++row) {
        if (view.At(row).event.kind == EventKind::Gap) lost += view.At(row).event.Dropped();
    }
    CHECK(lost == status.counted.dropped);
    CHECK(lost > 39'000);
    CHECK(view.Rows().value + lost >= 40'000);
    const std::uint64_t waited = status.counted.waited;
    if (options.channel.whenFull == capture::WhenFull::Drop) CHECK(waited == 0);
    else CHECK(waited >= 20'000'000);
}

TEST_CASE("that a program has started others is told, where they are not followed") {
    CHECK(Watched({"fork"}).status.counted.others);
    CHECK(Watched({"spawns"}).status.counted.others);
    CHECK_FALSE(Watched({"leaks"}).status.counted.others);
}

TEST_CASE("where the program waits for as long as it takes, nothing is lost", "[threads]") {
    capture::CaptureOptions options = Options();
    options.channel.plan.largeRecords = 64;
    options.channel.plan.smallRecords = 64;
    options.mostWaiting = 1;
    options.eagerFrom = GENERATE(std::uint64_t{0}, std::uint64_t{1} << 30);
    options.afterRound = [] { std::this_thread::sleep_for(std::chrono::microseconds(100)); };
    options.channel.whenFull = capture::WhenFull::Wait;
    options.channel.patienceNanoseconds = 0;
    log::EventLog log;
    auto capture = Capture::Start({kSubject, "many", "5000"}, options, log);
    REQUIRE(capture);
    (*capture)->Wait();
    const Capture::Status status = (*capture)->Now();
    CHECK(status.ended->exitCode == 0);
    CHECK(status.counted.dropped == 0);
    CHECK(status.counted.waited > 0);
    CHECK(log.View().Rows().value >= 10'000);
}

TEST_CASE("who does not wait for the rest is told what is missing, and has what there is", "[threads]") {
    capture::CaptureOptions options = Options();
    options.eagerFrom = GENERATE(std::uint64_t{0}, std::uint64_t{1} << 30);
    options.channel.whenFull = capture::WhenFull::Wait;
    std::atomic<bool> slow{true};
    options.afterRound = [&slow] {
        for (int i = 0; i < 2000 && slow; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    log::EventLog log;
    auto capture = Capture::Start({kSubject, "many", "200000"}, options, log);
    REQUIRE(capture);
    while ((*capture)->Now().running || (*capture)->Now().counted.taken < 400'000) std::this_thread::yield();
    (*capture)->LeaveOutTheRest();
    slow = false;
    (*capture)->Wait();
    CHECK((*capture)->Now().waiting > 0);
    CHECK(log.Closed());
    CHECK(log.View().Rows().value < 400'000);
    CHECK(log::testing::Illegal(log.View()).empty());
    bool told = false;
    for (const Warning& warning : (*capture)->Warnings()) {
        told = told || warning.text.find("told not to wait") != std::string::npos;
    }
    CHECK(told);
}

TEST_CASE("rows are made by the calm one or the eager one, in order and once", "[threads]") {
    capture::CaptureOptions options = Options();
    // All on either side of what wakes the eager one, and much of both.
    options.eagerFrom = GENERATE(std::uint64_t{1} << 30, std::uint64_t{20'000}, std::uint64_t{1});
    options.channel.whenFull = capture::WhenFull::Wait;
    log::EventLog log;
    auto capture = Capture::Start({kSubject, "many", "100000"}, options, log);
    REQUIRE(capture);
    (*capture)->Wait();
    CHECK((*capture)->Now().counted.dropped == 0);
    CHECK((*capture)->Now().waiting == 0);
    const log::LogView view = log.View();
    CHECK(view.Rows().value >= 200'000);
    std::uint64_t last = 0, wrong = 0;
    for (Row row{}; row < view.Rows(); ++row) {
        const events::Event event = view.At(row).event;
        if (event.stamp < last || event.kind == EventKind::FreeFailed) ++wrong;
        last = event.stamp;
    }
    CHECK(wrong == 0);
}

TEST_CASE("a recording ends at its limit or when it is told to, and the program goes on", "[threads]") {
    SECTION("its limit") {
        capture::CaptureOptions options = Options();
        options.mostLog = 1 << 20;
        options.channel.patienceNanoseconds = 50'000'000;
        const Watched watched({"many", "400000"}, options);
        CHECK(watched.status.reachedLimit);
        CHECK(watched.view.Rows().value < 400'000);
    }
    SECTION("what it may take of memory and disk together") {
        capture::CaptureOptions options = Options();
        options.spillBeyond = 0;
        options.mostInAll = 40 << 20;  // a slab of the file, and some
        options.channel.patienceNanoseconds = 50'000'000;
        const Watched watched({"many", "20000000"}, options);
        CHECK(watched.status.reachedLimit);
        CHECK(watched.view.Rows().value < 20'000'000);
        REQUIRE(watched.warnings.size() >= 1);
        CHECK_THAT(watched.warnings.back().text, Catch::Contains("its limit of 41943040 bytes"));
    }
    SECTION("told to, while it allocates as fast as it can") {
        log::EventLog log;
        auto capture = Capture::Start({kSubject, "many", "2000000000"}, Options(), log);
        REQUIRE(capture);
        while (log.View().Rows().value < 200) std::this_thread::yield();
        (*capture)->Detach();
        (*capture)->Wait();  // comes back: a busy program cannot keep the recording going
        CHECK((*capture)->Now().running);
        CHECK(log.Closed());
        // It writes into no lane that nobody reads: one would be full within milliseconds.
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        CHECK((*capture)->Now().fill < 0.9);
        (*capture)->Kill(SIGKILL);
    }
    SECTION("told to") {
        log::EventLog log;
        auto capture = Capture::Start({kSubject, "sleeps"}, Options(), log);
        REQUIRE(capture);
        while (log.View().Rows().value < 200) std::this_thread::yield();
        (*capture)->Detach();
        while ((*capture)->Now().recording) std::this_thread::yield();
        CHECK((*capture)->Now().running);
        CHECK(log.Closed());
        CHECK(::kill((*capture)->Now().program, 0) == 0);
        (*capture)->Kill(SIGKILL);
        (*capture)->Wait();
    }
}
