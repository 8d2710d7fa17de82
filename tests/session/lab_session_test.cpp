// The lab as a session: built, run, watched.
#include "session/lab_session.hpp"

#include <chrono>
#include <functional>
#include <thread>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using namespace residue::session;
using LabPhase = LabState::Phase;
namespace fs = std::filesystem;

namespace {

const std::string kStudents = std::string(RESIDUE_SOURCE_DIR) + "/tests/lab/students/";
const char* const kTrace = "1 3 6 0\na 0 64\na 1 128\nf 0\na 2 32\nf 1\nf 2\n";
const char* const kShort = "1 1 2 0\na 0 40\nf 0\n";

// An allocator that only goes up, and gives `more` bytes more than it is asked for.
std::string Bump(const std::string& more) {
    return "#include \"mm.h\"\n#include \"memlib.h\"\nint mm_init(void) { return 0; }\n"
           "void *mm_malloc(size_t size) { return mem_sbrk((int)(((size + 7) & ~7ul) + " +
           more +
           ")); }\nvoid mm_free(void *p) { (void)p; }\n"
           "void *mm_realloc(void *p, size_t size) { (void)p; return mm_malloc(size); }\n";
}

struct Desk {
    support::ScratchFolder folder;
    std::string student = folder.Write("mm.c", Bump("0"));
    LabOptions options;

    Desk() {
        options.student = student;
        options.traces = {folder.Write("one.rep", kTrace), folder.Write("two.rep", kShort)};
        options.settings.run.timedRuns = 0;
        options.settings.run.needsLandlock = options.settings.build.needsLandlock = lab::HasLandlock();
    }
    // As editors do that write a new file and rename it.
    void Save(const std::string& text) {
        const std::string fresh = folder.Write("mm.c.new", text);
        fs::rename(fresh, student);
    }
};

// Goes on as the window does, until it holds.
bool Go(std::unique_ptr<Session>& session, const std::function<bool(Session&)>& until) {
    for (int i = 0; i < 4000; ++i) {
        session->Tick(0.01);
        if (auto newer = session->GetLab()->TakeNewer()) session = std::move(newer);
        if (until(*session)) {
            session->Tick(0);  // what was loaded since the one before can be sought in
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

const LabState& StateOf(Session& session) {
    return *session.GetLab()->State();
}
std::uint64_t HeapOf(Session& session) {
    const auto& picture = session.GetLab()->Picture();
    return picture == nullptr ? 0 : picture->fall.heapBytes;
}
// The work is done, and the picture that came of it is loaded: that is another thread's.
bool IsDone(Session& session) {
    return session.Status().phase == session::Phase::Ready && !session.Working() &&
           StateOf(session).phase == LabPhase::Done;
}

}  // namespace

TEST_CASE("A lab builds, runs all its traces and shows the first one's run") {
    const Desk desk;
    auto session = Session::OpenLab(desk.options);
    session->WaitUntilLoaded();
    session->Tick(0);
    REQUIRE(session->Status().phase == session::Phase::Ready);
    const LabState& state = StateOf(*session);
    CHECK(state.phase == LabPhase::Done);
    CHECK(state.allValid);
    CHECK(state.source == "mm.c");
    REQUIRE(state.rows.size() == 2);
    CHECK(state.rows[0].name == "one.rep");
    CHECK(state.rows[0].ops == 6);
    CHECK(state.rows[0].utilisation == 192.0 / 224);
    CHECK(state.rows[1].utilisation == 1);
    CHECK(session->End() == Position{6});
    CHECK(HeapOf(*session) == 224);
    CHECK(session->GetLab()->Picture()->curve.size() == 6);
    CHECK(session->Title() == "mm.c");
}

TEST_CASE("A save gives a new picture, with the playhead at the same operation") {
    Desk desk;
    auto session = Session::OpenLab(desk.options);
    REQUIRE(Go(session, IsDone));
    session->SeekTo(Position{3});
    std::atomic<int> told = 0;
    session->GetLab()->WhenChanged([&] { ++told; });
    desk.Save(Bump("16"));
    // Nobody needs to look again and again: it says so.
    for (int i = 0; i < 4000 && told == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(told > 0);
    REQUIRE(Go(session, [](Session& s) { return HeapOf(s) == 224 + 3 * 16 && IsDone(s); }));
    CHECK(session->Now() == Position{3});
    CHECK(session->End() == Position{6});
    CHECK(StateOf(*session).builds == 2);
    // Written in place, too; and by a header beside it.
    desk.folder.Write("mm.c", Bump("MORE") + "/**/\n");
    desk.folder.Write("more.h", "#define MORE 32\n");
    desk.Save("#include \"more.h\"\n" + Bump("MORE"));
    REQUIRE(Go(session, [](Session& s) { return HeapOf(s) == 224 + 3 * 32; }));
    desk.folder.Write("more.h", "#define MORE 8\n");
    CHECK(Go(session, [](Session& s) { return HeapOf(s) == 224 + 3 * 8; }));
    session->GetLab()->WhenChanged({});
}

TEST_CASE("Code that does not compile leaves the last picture, and the compiler's text is there") {
    Desk desk;
    auto session = Session::OpenLab(desk.options);
    REQUIRE(Go(session, IsDone));
    session->SeekTo(Position{2});
    desk.Save("int mm_init(void) { return oops; }\n");
    REQUIRE(Go(session, [](Session& s) { return StateOf(s).phase == LabPhase::DoesNotBuild; }));
    CHECK(StateOf(*session).messages.find("oops") != std::string::npos);
    CHECK(HeapOf(*session) == 224);
    CHECK(session->Now() == Position{2});
    CHECK(StateOf(*session).rows[0].ran == false);
    desk.Save(Bump("8"));
    REQUIRE(Go(session, [](Session& s) { return HeapOf(s) == 224 + 24; }));
    CHECK(session->Now() == Position{2});
}

TEST_CASE("A lab whose code never compiled is an empty session until it does") {
    Desk desk;
    desk.Save("nothing\n");
    auto session = Session::OpenLab(desk.options);
    session->WaitUntilLoaded();
    session->Tick(0);
    CHECK(session->Status().phase == session::Phase::Ready);
    CHECK(session->End() == Position{0});
    CHECK(session->GetLab()->Picture() == nullptr);
    CHECK(StateOf(*session).phase == LabPhase::DoesNotBuild);
    desk.Save(Bump("0"));
    REQUIRE(Go(session, [](Session& s) { return HeapOf(s) == 224; }));
}

TEST_CASE("Another trace is chosen: its run is shown") {
    const Desk desk;
    auto session = Session::OpenLab(desk.options);
    REQUIRE(Go(session, IsDone));
    session->SeekTo(Position{5});
    session->GetLab()->ChooseTrace(1);
    session->GetLab()->ChooseTrace(7);  // there is none
    REQUIRE(Go(session, [](Session& s) { return s.GetLab()->Picture()->trace == 1; }));
    CHECK(session->End() == Position{2});
    CHECK(session->Now() == Position{2});
    CHECK(StateOf(*session).chosen == 1);
    REQUIRE(Go(session, IsDone));
    CHECK(StateOf(*session).rows[0].ran);
}

TEST_CASE("What is wrong with a run, and with a trace, is told beside the others") {
    Desk desk;
    desk.options.student = kStudents + "buggy.c";
    desk.options.settings.build.flags = {"-DBUG=3"};
    desk.options.traces.push_back(desk.folder / "missing.rep");
    auto session = Session::OpenLab(desk.options);
    session->WaitUntilLoaded();
    session->Tick(0);
    const LabState& state = StateOf(*session);
    REQUIRE(state.rows.size() == 3);
    CHECK(state.phase == LabPhase::Done);
    CHECK(state.rows[2].notRun.find("missing.rep") != std::string::npos);
    REQUIRE(state.Findings() == 1);
    CHECK(state.rows[0].problem->op.has_value());
    CHECK_FALSE(state.allValid);
    CHECK(session->View().Rows().value > 0);
}

TEST_CASE("A lab can be left at any moment, and no student is a failure") {
    for (int i = 0; i < 4; ++i) {
        const Desk desk;
        auto session = Session::OpenLab(desk.options);
        std::this_thread::sleep_for(std::chrono::milliseconds(40 * i));
        session->Cancel();
    }
    LabOptions nothing;
    nothing.student = "/nowhere/mm.c";
    nothing.traces = {"/nowhere/t.rep"};
    auto session = Session::OpenLab(nothing);
    session->WaitUntilLoaded();
    session->Tick(0);
    CHECK(StateOf(*session).phase == LabPhase::Failed);
    REQUIRE(StateOf(*session).failure);
    CHECK(StateOf(*session).failure->Text().find("/nowhere/mm.c") != std::string::npos);
}

TEST_CASE("An endless loop does not hold a save up") {
    Desk desk;
    desk.options.settings.run.timeout = std::chrono::seconds(100);
    desk.Save(Bump("0") + "__attribute__((constructor)) static void hang(void) { for (;;) __asm__ volatile(\"\"); }\n");
    auto session = Session::OpenLab(desk.options);
    REQUIRE(Go(session, [](Session& s) { return StateOf(s).phase == LabPhase::Running; }));
    desk.Save(Bump("0"));
    CHECK(Go(session, IsDone));
}
