#include "lab/findings.hpp"

#include <cstring>
#include <random>

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;

TEST_CASE("A report of random bytes gives a problem, or none, and no more") {
    const LabTrace trace = TraceOf("a 0 16\nr 0 32\nf 0\n");
    std::mt19937 random(7);
    ChildEnd end;
    end.exitCode = 0;
    for (int round = 0; round < 2000; ++round) {
        Report report;
        auto* const bytes = reinterpret_cast<unsigned char*>(&report);
        for (std::size_t i = 0; i < sizeof(report); ++i) bytes[i] = static_cast<unsigned char>(random());
        report.finding = static_cast<Finding>(random() % 20);
        report.phase = static_cast<Phase>(random() % 6);
        report.pass = static_cast<Pass>(random() % 6);
        report.doing = static_cast<Doing>(random() % 8);
        report.op = random() % 5;
        const auto problem = Describe(report, end, trace, {}, 8);
        if (problem && problem->op) CHECK(*problem->op < trace.ops.size());
    }
}

TEST_CASE("A process that ended without a word is told by how it ended") {
    const LabTrace trace = TraceOf("a 0 16\n");
    Report report{};
    report.phase = Phase::Running;
    report.doing = Doing::Free;
    ChildEnd end;
    end.exitCode = 0;
    CHECK(Describe(report, end, trace, {}, 8)->message == "the program was ended with exit code 0 in mm_free");
    end.signal = 11;
    CHECK(Contains(Describe(report, end, trace, {}, 8)->message, "signal 11"));
    report.phase = Phase::Done;
    end.signal = 0;
    CHECK(Describe(report, end, trace, {}, 8));  // done, with passes missing
    report.passesDone = kPasses;
    CHECK(!Describe(report, end, trace, {}, 8));
}
