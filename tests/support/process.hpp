// Runs a program and keeps what it printed. For tests of the real programs.
//
//     const auto run = support::Run({binFolder + "/residue", "report", file});
//     REQUIRE(run.exitCode == 0);
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace support {

struct Finished {
    int exitCode = -1;  // 128 + the signal if one ended it; 127 if it could not be started
    std::string output;
    std::string errors;
};

struct RunOptions {
    std::vector<std::pair<std::string, std::string>> environment{};  // set on top of ours
    std::string folder{};                                            // to start in; empty: ours
    int interruptAfterMs = -1;                                       // sends SIGINT then; < 0: never
};

inline Finished Run(const std::vector<std::string>& command, const RunOptions& options = {}) {
    int out[2], err[2];
    if (pipe(out) != 0 || pipe(err) != 0) return {};
    const pid_t child = fork();
    if (child == 0) {
        const int input = open("/dev/null", O_RDONLY);
        dup2(input, 0), dup2(out[1], 1), dup2(err[1], 2);
        for (const int end : {input, out[0], out[1], err[0], err[1]}) close(end);
        for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
        if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(127);
        std::vector<char*> arguments;
        for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    close(out[1]), close(err[1]);
    Finished result;
    pollfd ends[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
    std::string* texts[2] = {&result.output, &result.errors};
    int timeout = options.interruptAfterMs;
    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        if (poll(ends, 2, timeout) == 0) {
            kill(child, SIGINT);
            timeout = -1;
        }
        for (int i = 0; i < 2; ++i) {
            if (ends[i].fd < 0 || ends[i].revents == 0) continue;
            char buffer[4096];
            const ssize_t count = read(ends[i].fd, buffer, sizeof buffer);
            if (count > 0) {
                texts[i]->append(buffer, static_cast<std::size_t>(count));
            } else {
                close(ends[i].fd);
                ends[i].fd = -1;
            }
        }
    }
    int status = 0;
    waitpid(child, &status, 0);
    result.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

}  // namespace support
