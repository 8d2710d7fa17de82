// The subject as a program that runs already, on its own, with a pipe at each end.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include "support/catch.hpp"

namespace capture_tests {

class RunningSubject {
public:
    explicit RunningSubject(const char* mode) {
        std::array<int, 2> in{}, out{};
        REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
        REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
        process_ = ::fork();
        if (process_ == 0) {
            ::dup2(in[0], STDIN_FILENO);
            ::dup2(out[1], STDOUT_FILENO);
            ::unsetenv("LD_PRELOAD");  // where this test is watched itself: the shim is not to be there before it comes
            ::execl(RESIDUE_BIN_DIR "/capture_subject", "capture_subject", mode, nullptr);
            ::_exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        input_ = in[1];
        output_ = out[0];
        REQUIRE(process_ > 0);
        REQUIRE(ReadLine() == "ready");
    }
    ~RunningSubject() {
        if (process_ > 0) {
            ::kill(process_, SIGKILL);
            ::waitpid(process_, nullptr, 0);
        }
        CloseInput();
        ::close(output_);
    }
    RunningSubject(const RunningSubject&) = delete;
    RunningSubject& operator=(const RunningSubject&) = delete;

    pid_t Process() const { return process_; }
    // Says it to the subject and waits for its answer.
    std::string Ask(const std::string& command) {
        const std::string line = command + "\n";
        REQUIRE(::write(input_, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
        return ReadLine();
    }
    void CloseInput() {
        if (input_ >= 0) ::close(input_);
        input_ = -1;
    }
    // Its exit code; 1000 and the signal that killed it. It is to end by itself soon.
    int End() {
        CloseInput();
        int status = 0;
        REQUIRE(::waitpid(process_, &status, 0) == process_);
        process_ = 0;
        return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    // 'S' sleeps, 'R' runs, 'T' and 't' are stopped, 'Z' has ended.
    char State() const {
        std::ifstream file("/proc/" + std::to_string(process_) + "/stat");
        std::string text;
        std::getline(file, text);
        const auto at = text.rfind(')');
        return at == std::string::npos ? '?' : text[at + 2];
    }

private:
    std::string ReadLine() const {
        std::string line;
        char c = 0;
        while (::read(output_, &c, 1) == 1 && c != '\n') line += c;
        return line;
    }
    pid_t process_ = 0;
    int input_ = -1, output_ = -1;
};

}  // namespace capture_tests
