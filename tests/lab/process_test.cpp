#include "lab/process.hpp"

#include <signal.h>

#include "lab/lab_support.hpp"

using namespace residue;
using namespace residue::lab;
using namespace lab_tests;

namespace {

ChildOptions Shell(const std::string& script) {
    ChildOptions options;
    options.command = {"/bin/sh", "-c", script};
    options.deadline = std::chrono::seconds(60);
    return options;
}

}  // namespace

TEST_CASE("Output, errors and the exit code come back, the environment is what was given") {
    auto options = Shell("echo out; echo err >&2; env | grep -v PWD | sort; exit 7");
    options.environment = {"A=b"};
    const auto end = RunChild(options);
    REQUIRE(end);
    CHECK(end->exitCode == 7);
    CHECK(end->signal == 0);
    CHECK(Contains(end->output, "out\nerr\nA=b\n"));
}

TEST_CASE("Output without an end is cut and counted, and the deadline ends it") {
    auto options = Shell("while :; do echo again and again; done");
    options.mostOutput = 100;
    options.deadline = std::chrono::milliseconds(200);
    const auto end = RunChild(options);
    REQUIRE(end);
    CHECK(end->tooSlow);
    CHECK(end->signal == SIGKILL);
    CHECK(end->output.size() == 100);
    CHECK(end->leftOut > 0);
}

TEST_CASE("It may say where it is before it is ended") {
    auto options = Shell("trap 'echo here; exit 3' USR1; while :; do :; done");
    options.deadline = std::chrono::milliseconds(1000);
    options.signalAtDeadline = SIGUSR1;
    const auto end = RunChild(options);
    REQUIRE(end);
    CHECK(end->tooSlow);
    CHECK(end->exitCode == 3);
    CHECK(end->output == "here\n");
}

TEST_CASE("What it left running in its group ends with it, and does not hold the pipe open") {
    const auto end = RunChild(Shell("sleep 1000 & echo done"));
    REQUIRE(end);
    CHECK(end->exitCode == 0);
    CHECK(end->output == "done\n");
}

TEST_CASE("Only the descriptors that were given are open") {
    const int file = fileno(stdin);
    auto options = Shell("ls /proc/self/fd | tr '\\n' ' '");
    options.descriptors = {{file, 3}};
    const auto end = RunChild(options);
    REQUIRE(end);
    CHECK(end->output == "0 1 2 3 4 ");  // 4: the folder that ls reads
}

TEST_CASE("What cannot be started is said, what is cancelled ends") {
    ChildOptions options;
    options.command = {"/nowhere/at/all"};
    CHECK(RunChild(options).error().what == "cannot be started: No such file or directory");
    std::atomic<bool> cancelled{true};
    auto endless = Shell("sleep 1000");
    endless.cancelled = &cancelled;
    CHECK(RunChild(endless)->cancelled);
}
