// A real program as a session.
#include <signal.h>
#include <sys/wait.h>

#include <set>

#include "sandbox_support.hpp"
#include "session/processes.hpp"
#include "session/program.hpp"
#include "support/catch.hpp"

using namespace residue;
using session::Session;

namespace {

const std::string kSubject = RESIDUE_BIN_DIR "/capture_subject";

capture::CaptureOptions Options() {
    capture::CaptureOptions options;
    options.shim = RESIDUE_BIN_DIR "/libresidue-preload.so";
    options.channel.patienceNanoseconds = 10'000'000'000;
    return options;
}

// Nothing more comes, and what came last has been taken in: it may have come after the tick that was under way.
bool Ends(Session& session) {
    const bool ended = session::test::Until(session, [&] { return !session.IsLive(); });
    session.Tick(0.005, 1'000'000);
    return ended;
}

}  // namespace

TEST_CASE("a program is watched while it runs, and can be looked at when it has ended", "[threads]") {
    const auto session = Session::OpenProgram({kSubject, "threads", "2"}, Options());
    CHECK(session->Title() == "capture_subject");
    REQUIRE(session->GetProgram() != nullptr);
    REQUIRE(Ends(*session));
    CHECK(session->Status().phase == session::Phase::Ready);
    const auto state = session->GetProgram()->ProgramState();
    CHECK_FALSE(state.running);
    CHECK(state.ended == "exit code 0");
    CHECK(state.lost == 0);
    CHECK(state.threads == 3);
    CHECK(state.received >= 2 * 2000 * 2 - 64);
    CHECK(session->Subtitle() == "recorded live · exit code 0");
    CHECK(session->Series().Built() == session->End());
    CHECK(session->FollowsEnd());
    CHECK(session->Now() == session->End());
    session->SeekTo(Position{100});
    REQUIRE(session::test::Until(*session, [&] { return session->Settled(); }));
    CHECK(session->Heap().Sum().payload == session->Series().At(Position{100}).liveMax);
}

TEST_CASE("a recording is ended without the program, and leaving it leaves the program alone", "[threads]") {
    int process = 0;
    {
        const auto session = Session::OpenProgram({kSubject, "sleeps"}, Options());
        REQUIRE(session::test::Until(*session, [&] { return session->End().value > 100; }));
        CHECK(session->IsLive());
        process = session->GetProgram()->ProgramState().process;
        session->GetProgram()->StopRecording();
        REQUIRE(Ends(*session));
        CHECK(session->GetProgram()->ProgramState().running);
        CHECK_FALSE(session->GetProgram()->ProgramState().recording);
        CHECK(session->Subtitle() == "recorded live · left while it ran");
    }
    CHECK(::kill(process, 0) == 0);
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
}

TEST_CASE("a program can be asked to end", "[threads]") {
    const auto session = Session::OpenProgram({kSubject, "sleeps"}, Options());
    REQUIRE(session::test::Until(*session, [&] { return session->End().value > 10; }));
    session->GetProgram()->EndProgram();
    REQUIRE(Ends(*session));
    CHECK(session->GetProgram()->ProgramState().ended == "killed by signal 15 (Terminated)");
}

TEST_CASE("a program that cannot be started says why", "[threads]") {
    const auto session = Session::OpenProgram({"no-such-program-here"}, Options());
    CHECK(session->Status().phase == session::Phase::Failed);
    REQUIRE(session->Status().failure);
    CHECK(session->Status().failure->what == "there is no program of that name");
    CHECK_FALSE(session->IsLive());
    session->Tick(0.1);
}

namespace {

// The program of a mode, with what it started, until all of it has ended.
struct Family {
    explicit Family(const char* mode, capture::CaptureOptions options = Options())
        : processes(options.mostLog, options.mostInAll) {
        options.channel.follow = true;
        shown = Session::OpenProgram({kSubject, mode}, options);
    }
    bool Ends(std::size_t count) {
        const bool ended = session::test::Until(*shown, [&] {
            processes.Tick(*shown, 1);
            return processes.Count() == count && !processes.AnyLive(*shown);
        });
        processes.Tick(*shown, 1);
        return ended;
    }
    std::unique_ptr<Session> shown;
    session::Processes processes;
};

}  // namespace

TEST_CASE("processes that a program starts are sessions beside it, of which one is shown", "[threads]") {
    Family family("heirs");
    session::Processes& processes = family.processes;
    CHECK(processes.Count() == 1);
    REQUIRE(family.Ends(4));  // a child, its child, and one that becomes /bin/true
    CHECK(processes.Shown() == 0);
    const int first = family.shown->GetProgram()->ProgramState().process;
    std::vector<int> numbers;
    for (std::size_t i = 0; i < 4; ++i) {
        const session::Processes::Process process = processes.At(i, *family.shown);
        CHECK_FALSE(process.state.running);
        CHECK(process.state.lost == 0);
        CHECK((process.calls > 0 || process.name == "true"));  // which allocates nothing
        CHECK(process.state.ended == (i == 0 ? "exit code 0" : "ended"));
        numbers.push_back(process.state.process);
    }
    CHECK(numbers[0] == first);
    CHECK(std::set<int>(numbers.begin(), numbers.end()).size() == 4);
    const auto isTrue = [&](std::size_t i) { return processes.At(i, *family.shown).name == "true"; };
    CHECK(isTrue(1) + isTrue(2) + isTrue(3) == 1);

    family.shown = processes.Show(2, std::move(family.shown));
    CHECK(processes.Shown() == 2);
    CHECK(family.shown->GetProgram()->ProgramState().process == numbers[2]);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(processes.At(i, *family.shown).state.process == numbers[i]);
    }
    REQUIRE(session::test::Until(*family.shown, [&] { return family.shown->Settled(); }));
    CHECK(family.shown->Now() == family.shown->End());  // it follows its end, as the program does
    family.shown = processes.Show(99, std::move(family.shown));
    REQUIRE(family.shown != nullptr);
    CHECK(processes.Shown() == 2);

    CHECK(processes.Clear().size() == 3);
    CHECK(processes.Count() == 1);
    CHECK(processes.Shown() == 0);
}

TEST_CASE("without being followed, children are not seen", "[threads]") {
    const auto session = Session::OpenProgram({kSubject, "heirs"}, Options());
    REQUIRE(Ends(*session));
    CHECK(session->GetProgram()->TakeProcesses().empty());
}

TEST_CASE("processes that are watched together keep within one limit of memory", "[threads]") {
    capture::CaptureOptions options = Options();
    Family family("sleeps", options);
    REQUIRE(session::test::Until(*family.shown, [&] { return family.shown->End().value > 10; }));
    session::Processes processes(1);  // less than any log takes
    processes.Tick(*family.shown, 1);
    REQUIRE(Ends(*family.shown));
    CHECK_FALSE(family.shown->GetProgram()->ProgramState().recording);
    CHECK(family.shown->GetProgram()->ProgramState().running);
    REQUIRE(family.shown->Warnings().size() == 1);
    CHECK_THAT(family.shown->Warnings()[0].text, Catch::Contains("limit"));
    ::kill(family.shown->GetProgram()->ProgramState().process, SIGKILL);
}
