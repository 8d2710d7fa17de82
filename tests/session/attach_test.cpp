// A program that runs already, as a session.
#include "capture/running_subject.hpp"
#include "sandbox_support.hpp"
#include "session/program.hpp"
#include "support/catch.hpp"

using namespace residue;
using capture_tests::RunningSubject;
using session::Session;

namespace {

capture::CaptureOptions Options() {
    capture::CaptureOptions options;
    options.shim = RESIDUE_BIN_DIR "/libresidue-preload.so";
    return options;
}

}  // namespace

TEST_CASE("a program that runs already is watched from there on, and says that it is") {
    RunningSubject subject("attached-threads");
    {
        const auto session = Session::AttachTo(subject.Process(), Options());
        CHECK(session->Title() == "capture_subject");
        REQUIRE(session::test::Until(*session, [&] { return session->End().value > 100; }));
        CHECK(session->GetProgram()->ProgramState().midLife);
        CHECK(session->Subtitle().find("attached in mid-life") != std::string::npos);
        REQUIRE_FALSE(session->Warnings().empty());
        CHECK(session->Warnings()[0].text == capture::kMidLifeWarning);
        session->GetProgram()->StopRecording();
        REQUIRE(session::test::Until(*session, [&] { return !session->IsLive(); }));
        CHECK(session->Subtitle() == "recorded live, from mid-life on · left while it ran");
    }
    CHECK(subject.End() == 11);
}

TEST_CASE("one that cannot be attached to says why") {
    const auto session = Session::AttachTo(0x7FFFFFFF, Options());
    CHECK(session->Status().phase == session::Phase::Failed);
    REQUIRE(session->Status().failure);
    CHECK(session->Status().failure->what == "there is no such process");
}
