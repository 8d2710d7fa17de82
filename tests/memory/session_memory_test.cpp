// Traces, replays, exports, sessions, saver, sandbox and report with every n-th allocation from the C++ heap failing.
#include <algorithm>
#include <chrono>
#include <thread>

#include "alloc/os/default_allocator.hpp"
#include "cli/report_data.hpp"
#include "events/sinks.hpp"
#include "export/trace_writer.hpp"
#include "import/trace.hpp"
#include "memory/failing_new.hpp"
#include "replay/replay.hpp"
#include "session/sandbox.hpp"
#include "session/saver.hpp"
#include "session/session.hpp"
#include "support/catch.hpp"
#include "support/quiet_errors.hpp"
#include "support/scratch_folder.hpp"

using namespace residue;
using namespace memory_tests;

namespace {

constexpr const char* kRep =
    "20000\n6\n14\n1\n"
    "a 0 512\na 1 128\na 2 512\nf 1\na 3 64\nr 0 1024\nf 2\nf 9\na 4 3000\na 5 40\nf 4\nr 5 80\nf 5\nf 3\n";
constexpr const char* kScript = "a 0 512\na 1 128\nr 0 600\nf 1\na 2 30\nf 7\nf 0\n";

std::uint64_t Read(import::TraceReader& reader, bool& failed) {
    const auto figures = import::ReadFigures(reader, nullptr);
    failed = !figures;
    return figures ? figures->totalBytes * 31 + figures->operations * 7 + figures->peakLiveBytes : 0;
}

const char* const kAllocators[] = {"first-fit", "arena", "default", "system", "residue"};

// Like the report: to the end, to the peak, to the errors.
std::optional<std::uint64_t> Visit(session::Session& session, bool& out) {
    session.WaitUntilLoaded();
    const session::LoadStatus status = session.Status();
    if (status.phase != session::Phase::Ready) {
        out = status.failure && status.failure->what == "out of memory";
        return std::nullopt;
    }
    while (!session.Tick(0, 50)) {
    }
    // Where there was no memory for a lane events were dropped, and the log tells it.
    if (session.Series().UncertainFrom()) return std::nullopt;
    session.JumpToPeak();
    while (!session.Tick(0, 50)) {
    }
    std::uint64_t sum = session.PresentMetrics().liveBytes;
    session.SeekTo(session.End());
    while (!session.Tick(0, 50)) {
    }
    sum = sum * 31 + session.PresentLeaks().size() + session.Warnings().size();
    return sum + session.View().Rows().value;
}

}  // namespace

TEST_CASE("a trace that memory runs out for is an error or bad_alloc, from bytes and from a file") {
    const support::ScratchFolder folder;
    for (const auto& [name, text] : {std::pair{"small.rep", kRep}, std::pair{"small.script", kScript}}) {
        const std::string path = folder.Write(name, text);
        UntilNoneFails([&, bytes = text](FailingNew& heap) -> std::optional<std::uint64_t> {
            heap.Arm();
            auto reader = import::OpenTraceBytes("a name that needs memory of its own.rep", bytes);
            if (!reader) return std::nullopt;
            bool failed = false;
            const std::uint64_t sum = Read(**reader, failed);
            return failed ? std::nullopt : std::optional(sum + (*reader)->Warnings().size());
        });
        const auto descriptors = [] {
            std::size_t count = 0;
            for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) count += entry.exists();
            return count;
        };
        const std::size_t before = descriptors();
        UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
            heap.Arm();
            auto reader = import::OpenTrace(path);
            if (!reader) return std::nullopt;
            bool failed = false;
            const std::uint64_t sum = Read(**reader, failed);
            return failed ? std::nullopt : std::optional(sum);
        });
        CHECK(descriptors() == before);
    }
}

TEST_CASE("a replay that memory runs out for ends, and its allocator with it") {
    const support::QuietErrors quiet;  // the duck's
    for (const char* allocator : kAllocators) {
        INFO(allocator);
        UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
            heap.Arm();
            auto first = import::OpenTraceBytes("small.rep", kRep);
            if (!first) return std::nullopt;
            const auto figures = import::ReadFigures(**first, nullptr);
            if (!figures) return std::nullopt;
            auto replay = replay::Replay::Create(*figures, {.allocator = allocator, .capacity = std::nullopt});
            if (!replay) return std::nullopt;
            auto second = import::OpenTraceBytes("small.rep", kRep);
            if (!second) return std::nullopt;
            events::NullSink sink;
            const std::atomic<bool> cancelled{false};
            if (!(*replay)->Run(**second, sink, cancelled, nullptr)) return std::nullopt;
            return figures->operations;
        });
    }
}

TEST_CASE("a session that memory runs out for has failed and says so; its threads end") {
    const support::ScratchFolder folder;
    const std::string trace = folder.Write("small.rep", kRep);
    const std::string recording = folder / "small.residue";
    {
        const auto session = session::Session::Open(trace);
        session->WaitUntilLoaded();
        session->Tick(0);
        session::Saver saver;
        REQUIRE(saver.Start(session->View(), recording));
        while (!saver.Take()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (const std::string& path : {trace, recording}) {
        INFO(path);
        std::size_t said = 0;
        UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
            heap.Arm();
            const auto session = session::Session::Open(path);
            bool out = false;
            const auto result = Visit(*session, out);
            said += out ? 1 : 0;
            return result;
        });
        CHECK(said > 0);
    }
}

TEST_CASE("a report that memory runs out for is a failure, the figures of the trace alone, or bad_alloc") {
    const support::ScratchFolder folder;
    const std::string trace = folder.Write("small.rep", kRep);
    std::size_t figuresAlone = 0;
    UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
        heap.Arm();
        const auto session = session::Session::Open(trace);
        session->WaitUntilLoaded();
        const auto report = cli::MakeReport(*session);
        if (!report || !*report) return std::nullopt;
        // (ReportJson is left out: nlohmann's list constructor loses a block of its own when memory runs out in it.)
        const std::string text = cli::ReportText(**report, false);
        if (!(*report)->heap) {
            figuresAlone += (*report)->reason.find("out of memory") != std::string::npos;
            return std::nullopt;
        }
        const auto lost = [](const Warning& warning) { return warning.text.find("events were lost") == 0; };
        if (std::any_of((*report)->warnings.begin(), (*report)->warnings.end(), lost)) return std::nullopt;
        return text.size();
    });
    CHECK(figuresAlone > 0);
}

TEST_CASE("an export that memory runs out for leaves no half of a file") {
    const support::ScratchFolder folder;
    const std::string trace = folder.Write("small.rep", kRep);
    const std::string out = folder / "out.rep";
    const auto session = session::Session::Open(trace);
    session->WaitUntilLoaded();
    session->Tick(0);
    std::uint64_t whole = 0;
    UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
        std::filesystem::remove(out);
        heap.Arm();
        std::optional<std::uint64_t> result;
        try {
            const auto written = exports::WriteRep(session->View(), out);
            if (written) result = 1;
        } catch (const std::bad_alloc&) {
        }
        heap.Disarm();
        std::size_t files = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder.Path())) files += entry.exists();
        REQUIRE(files == (result ? 2 : 1));
        if (result) {
            const std::uint64_t bytes = std::filesystem::file_size(out);
            REQUIRE((whole == 0 || bytes == whole));
            whole = bytes;
        }
        return result;
    });
}

TEST_CASE("a saver that memory runs out for says so") {
    const support::ScratchFolder folder;
    const std::string trace = folder.Write("small.rep", kRep);
    const std::string out = folder / "out.residue";
    const auto session = session::Session::Open(trace);
    session->WaitUntilLoaded();
    session->Tick(0);
    std::size_t said = 0;
    UntilNoneFails([&](FailingNew& heap) -> std::optional<std::uint64_t> {
        heap.Arm();
        session::Saver saver;
        if (!saver.Start(session->View(), out)) return std::nullopt;
        for (;;) {
            const auto done = saver.Take();
            if (!done) {
                std::this_thread::yield();
                continue;
            }
            said += done->failure && done->failure->what == "out of memory";
            return done->failure ? std::nullopt : std::optional<std::uint64_t>(1);
        }
    });
    CHECK(said > 0);
}

TEST_CASE("a sandbox that memory runs out for fails, and ends when it is told to") {
    UntilNoneFails(
        [&](FailingNew& heap) -> std::optional<std::uint64_t> {
            heap.Arm();
            const auto session = session::Session::OpenSandbox();
            session::Sandbox& sandbox = *session->GetSandbox();
            sandbox.Create("first-fit", 4096);
            for (int i = 0; i < 5; ++i) sandbox.Allocate(100, 8);
            sandbox.DoubleFree();
            const auto give = std::chrono::steady_clock::now() + std::chrono::seconds(2);
            while (std::chrono::steady_clock::now() < give) {
                session->Tick(0, 1000);
                if (session->Status().phase == session::Phase::Failed) return std::nullopt;
                // Created; five blocks; one more and its free; the second free of it.
                if (session->View().Rows().value >= 9) return session->View().Rows().value;
                std::this_thread::yield();
            }
            return std::nullopt;
        },
        3);
}

TEST_CASE("the leak report has each buffer's first line where there is no memory for its call trace") {
    // A writer that needs no memory.
    struct Report {
        char text[1 << 16];
        std::size_t used = 0;
    };
    static Report report;
    UntilNoneFails([](FailingNew& heap) -> std::optional<std::uint64_t> {
        report.used = 0;
        alloc::DefaultAllocatorSettings settings;
        settings.writer = [](void*, const char* text, std::size_t length) {
            std::copy_n(text, std::min(length, sizeof report.text - report.used), report.text + report.used);
            report.used += length;
        };
        alloc::DefaultAllocator<alloc::Profile::Debug> allocator(settings);
        (void)alloc::Allocate<int>(&allocator, 3);
        (void)alloc::Allocate<int>(&allocator, 3);
        heap.Arm();
        const std::size_t leaks = alloc::DestroyDefaultAllocator(&allocator);
        heap.Disarm();
        const std::string_view said(report.text, report.used);
        REQUIRE(leaks == 2);
        REQUIRE(said.starts_with("Unfreed buffer @ 0x"));
        REQUIRE(said.find("Unfreed buffer @ 0x") != said.rfind("Unfreed buffer @ 0x"));
        return 2;
    });
}
