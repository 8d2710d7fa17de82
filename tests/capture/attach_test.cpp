// Programs that run already are attached to, and left again.
#include "capture/attach.hpp"

#include <sys/prctl.h>
#include <sys/ptrace.h>

#include <chrono>
#include <functional>
#include <thread>

#include "capture/capture.hpp"
#include "log/events.hpp"
#include "running_subject.hpp"
#include "support/catch.hpp"

using namespace residue;
using capture::Capture;
using capture_tests::RunningSubject;
using events::EventKind;

namespace {

capture::CaptureOptions Options() {
    capture::CaptureOptions options;
    options.shim = RESIDUE_BIN_DIR "/libresidue-preload.so";
    options.channel.patienceNanoseconds = 10'000'000'000;  // sanitizers are slow; nothing may be lost here
    return options;
}

// A recording of something that runs.
struct Attached {
    log::EventLog log;
    std::unique_ptr<Capture> capture;

    explicit Attached(const RunningSubject& subject) {
        auto made = Capture::AttachTo(subject.Process(), Options(), log);
        INFO((made ? "" : made.error().Text()));
        REQUIRE(made);
        capture = std::move(*made);
        CHECK(capture->Now().midLife);
    }
    void WaitForRows(std::uint64_t rows) const {
        while (log.View().Rows().value < rows && capture->Now().recording) std::this_thread::yield();
    }
    std::size_t Count(std::uint64_t size) const {
        const log::LogView view = log.View();
        std::size_t count = 0;
        for (std::uint32_t id = 1; id <= view.Blocks(); ++id) count += view.Birth(BlockId{id}).event.size == size;
        return count;
    }
    void WaitForOne(std::uint64_t size) const {
        while (Count(size) == 0) std::this_thread::yield();
    }
    void Leave() {
        capture->Detach();
        capture->Wait();
        CHECK(log.Closed());
        CHECK(log.View().ErrorCount() == 0);
        CHECK(log::testing::Illegal(log.View()) == "");
    }
};

std::string TroubleWith(pid_t process) {
    const auto fit = capture::CheckAttachable(process);
    return fit ? "" : fit.error().Text();
}

bool Says(const std::string& text, const char* part) {
    CAPTURE(text);
    return text.find(part) != std::string::npos;
}

// A child that does something and then waits to be killed.
class Idler {
public:
    explicit Idler(const std::function<void()>& before) {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        process = ::fork();
        if (process == 0) {
            before();
            (void)!::write(ends[1], "r", 1);
            while (true) ::pause();
        }
        char ready = 0;
        ::close(ends[1]);
        (void)!::read(ends[0], &ready, 1);
        ::close(ends[0]);
    }
    ~Idler() {
        ::kill(process, SIGKILL);
        ::waitpid(process, nullptr, 0);
    }
    Idler(const Idler&) = delete;
    Idler& operator=(const Idler&) = delete;
    pid_t process = 0;
};

}  // namespace

TEST_CASE("a program is attached to while it runs, and goes on unharmed when it is left") {
    RunningSubject subject("attached-threads");
    {
        Attached attached(subject);
        attached.WaitForRows(5000);
        CHECK(attached.Count(4101) > 0);
        CHECK(attached.Count(4103) > 0);
        CHECK(attached.Count(4155) == 0);     // from before
        CHECK(subject.Ask("free") == "yes");  // no mistake of the program's
        CHECK(subject.Ask("resize") == "yes");
        attached.WaitForOne(4166);  // known from there on
        CHECK(attached.log.View().Source().provenance == capture::kFromMidLife);
        CHECK(attached.log.View().Source().name == "capture_subject");
        attached.Leave();
        CHECK(attached.capture->Now().running);
        CHECK(attached.capture->Now().counted.dropped == 0);
        bool said = false;
        for (const Warning& warning : attached.capture->Warnings()) said = said || Says(warning.text, "it ran before");
        CHECK(said);
    }
    CHECK(subject.Ask("take") == "yes");
    CHECK(subject.End() == 11);
}

TEST_CASE("call traces of a program that was attached to name its functions") {
    RunningSubject subject("attached-threads");
    Attached attached(subject);
    CHECK(subject.Ask("take") == "yes");
    attached.WaitForOne(4188);
    attached.Leave();
    std::string names;
    const log::LogView view = attached.log.View();
    for (Row row{}; row < view.Rows(); ++row) {
        const events::Event event = view.At(row).event;
        if (event.kind != EventKind::Allocated || event.size != 4188) continue;
        for (const auto& frame : view.Frames(event.trace)) names += frame.function + "\n";
    }
    CHECK(Says(names, "Obey"));
    CHECK(Says(names, "main"));
}

TEST_CASE("what a program loads after it was attached to is seen, and found where the program itself finds it") {
    RunningSubject subject("attached-threads");
    Attached attached(subject);
    REQUIRE(subject.Ask("plugin") == "yes");
    attached.WaitForOne(4177);
    attached.Leave();
    CHECK(subject.End() == 11);
}

TEST_CASE("a program can be attached to again, by one recorder at a time") {
    RunningSubject subject("attached-threads");
    for (int times = 0; times < 3; ++times) {
        Attached attached(subject);
        attached.WaitForRows(1000);
        log::EventLog other;
        const auto second = Capture::AttachTo(subject.Process(), Options(), other);
        REQUIRE_FALSE(second);
        CHECK(Says(second.error().Text(), "is watched already"));
        CHECK(subject.Ask("take") == "yes");
        attached.WaitForOne(4188);
        attached.Leave();
    }
    CHECK(subject.End() == 11);
}

TEST_CASE("its end is the end of the recording") {
    RunningSubject subject("attached-threads");
    Attached attached(subject);
    attached.WaitForRows(1000);
    CHECK(subject.End() == 11);
    attached.capture->Wait();
    const Capture::Status status = attached.capture->Now();
    CHECK_FALSE(status.running);
    REQUIRE(status.ended);
    CHECK_FALSE(status.ended->known);
}

TEST_CASE("a thread that makes the detour has all its registers again, and calls that it waited in go on") {
    SECTION("never waiting") {
        RunningSubject subject("attached-busy");
        for (int times = 0; times < 10; ++times) {
            Attached attached(subject);
            attached.WaitForRows(50);
            attached.Leave();
        }
        ::kill(subject.Process(), SIGUSR1);
        CHECK(subject.End() == 11);
    }
    SECTION("waiting in a call that says when it was interrupted") {
        RunningSubject subject("attached-waiting");
        for (int times = 0; times < 3; ++times) Attached(subject).Leave();
        Attached attached(subject);
        CHECK(subject.End() == 11);
        attached.capture->Wait();
        CHECK(attached.Count(4203) == 50);
        CHECK(attached.Count(4201) == 0);
    }
}

TEST_CASE("a recorder that is killed, at whatever moment, leaves the program running, and another one can come") {
    RunningSubject subject("attached-threads");
    for (int delay = 0; delay < 40; ++delay) {  // milliseconds; some are before it is in, some after
        const pid_t recorder = ::fork();
        if (recorder == 0) {
            log::EventLog log;
            auto capture = Capture::AttachTo(subject.Process(), Options(), log);
            while (true) ::pause();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(delay * 2));
        ::kill(recorder, SIGKILL);
        ::waitpid(recorder, nullptr, 0);
        CHECK(subject.Ask("take") == "yes");
        CHECK(std::string("RSD").find(subject.State()) != std::string::npos);
    }
    Attached attached(subject);
    CHECK(subject.Ask("take") == "yes");
    attached.WaitForOne(4188);
    attached.Leave();
    CHECK(subject.End() == 11);
}

TEST_CASE("nobody is sent into the loader from a signal handler, which may have come in the middle of malloc") {
    const RunningSubject subject("attached-handler");
    auto channel = capture::Channel::Make({});
    REQUIRE(channel);
    const auto attached =
        capture::Attach(subject.Process(), **channel, Options().shim, {.place = std::chrono::milliseconds(300)});
    REQUIRE_FALSE(attached);
    CHECK(Says(attached.error().Text(), "none of its threads came to a place"));
    CHECK(std::string("RS").find(subject.State()) != std::string::npos);
}

TEST_CASE("what cannot be attached to says why") {
    SECTION("numbers") {
        for (const char* const text : {"", "none", "-3", "0", "99999999999", "12x"}) {
            CAPTURE(text);
            const auto process = capture::ParseProcess(text);
            REQUIRE_FALSE(process);
            CHECK(Says(process.error().Text(), "is no process"));
        }
        CHECK(capture::ParseProcess("42"));
    }
    SECTION("no process, or not one that runs") {
        CHECK(Says(TroubleWith(0x7FFFFFFF), "there is no such process"));
        CHECK(Says(TroubleWith(::getpid()), "is this program itself"));
        const pid_t ended = ::fork();
        if (ended == 0) ::_exit(0);
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(ended), &info, WEXITED | WNOWAIT);
        CHECK(Says(TroubleWith(ended), "has ended"));
        ::waitpid(ended, nullptr, 0);
        const RunningSubject subject("attached-threads");
        ::kill(subject.Process(), SIGSTOP);
        while (subject.State() != 'T') std::this_thread::yield();
        CHECK(Says(TroubleWith(subject.Process()), "is stopped"));
        ::kill(subject.Process(), SIGCONT);
    }
    SECTION("a thread") {
        pid_t thread = 0;
        std::thread([&] {
            thread = ::gettid();
            CHECK(Says(TroubleWith(thread), "is a thread of process"));
        }).join();
    }
    SECTION("traced already") {
        const Idler traced([] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); });
        CHECK(Says(TroubleWith(traced.process), "is traced by process"));
    }
    SECTION("another user's") {
        if (::geteuid() != 0) return;
        const Idler other([] { (void)!::setresuid(12345, 12345, 12345); });
        CHECK(Says(TroubleWith(other.process), "runs as user 12345"));
    }
    SECTION("a part of the kernel") {
        if (::geteuid() == 0 && ::kill(2, 0) == 0) CHECK_FALSE(TroubleWith(2).empty());
    }
}
