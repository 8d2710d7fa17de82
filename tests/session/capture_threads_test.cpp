// A real program as a session.
#include <signal.h>
#include <sys/wait.h>

#include "sandbox_support.hpp"
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
