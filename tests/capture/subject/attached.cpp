// Modes in which the subject is attached to while it runs. Each checks that it does not notice, and says so by its exit
// code: 11, else which of its threads did.
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kUnnoticed = 11, kSlept = 21, kPolled = 22, kComputed = 23, kSmashed = 24;

std::atomic<bool> over{false};
std::atomic<int> result{kUnnoticed};
volatile sig_atomic_t toEnd = 0;
void End(int) {
    toEnd = 1;
}

// Blocks that keep what was written into them.
void Churn(std::size_t size) {
    std::vector<char*> blocks(32);
    for (unsigned round = 0; !over; ++round) {
        char*& block = blocks[round % blocks.size()];
        if (block != nullptr && (block[0] != block[size - 1] || block[0] != static_cast<char>(round % 32))) {
            result = kSmashed;
        }
        std::free(block);
        block = static_cast<char*>(round % 3 == 0 ? std::calloc(1, size) : std::malloc(size));
        std::memset(block, static_cast<char>(round % 32), size);
        if (round % 256 == 0) usleep(500);  // the tests share the machine
    }
    for (char* const block : blocks) std::free(block);
}

void Sleep() {
    while (!over) {
        const timespec time{0, 2'000'000};
        if (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr) != 0) result = kSlept;
    }
}

void Poll() {
    const int file = epoll_create1(0);
    epoll_event event{};
    while (!over) {
        if (epoll_wait(file, &event, 1, 2) != 0) result = kPolled;
    }
    close(file);
}

// Found through the subject's own RUNPATH, which the loader knows by who calls dlopen.
bool OpenPlugin() {
    void* const plugin = dlopen("libcapture_plugin.so", RTLD_NOW);
    if (plugin == nullptr) return false;
    const auto take = reinterpret_cast<void (*)(std::size_t)>(dlsym(plugin, "PluginTake"));
    if (take == nullptr) return false;
    take(4177);
    return true;
}

[[gnu::noinline]] bool Obey(const std::string& command, void*& old, void*& resized) {
    if (command == "free") {
        std::free(old);
        old = nullptr;
    } else if (command == "resize") {
        resized = std::realloc(resized, 4166);
    } else if (command == "plugin") {
        return OpenPlugin();
    } else if (command == "take") {
        std::free(std::malloc(4188));
    }
    return true;
}

}  // namespace

// Threads that allocate, sleep and wait, and commands on its input.
int AttachedThreads() {
    void* old = std::malloc(4155);
    void* resized = std::malloc(4160);
    std::vector<std::thread> threads;
    threads.emplace_back(Churn, 4101);
    threads.emplace_back(Churn, 4103);
    threads.emplace_back(Sleep);
    threads.emplace_back(Poll);
    std::puts("ready");
    std::fflush(stdout);
    char line[64];
    while (std::fgets(line, sizeof(line), stdin) != nullptr) {
        const std::string command(line, std::strcspn(line, "\n"));
        std::puts(Obey(command, old, resized) ? "yes" : "no");
        std::fflush(stdout);
    }
    over = true;
    for (std::thread& thread : threads) thread.join();
    std::free(old);
    std::free(resized);
    return result;
}

// One thread that waits in a call that a stop makes answer "interrupted".
int AttachedWaiting() {
    const int file = epoll_create1(0);
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(file, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    std::puts("ready");
    std::fflush(stdout);
    std::free(std::malloc(4201));
    const int got = epoll_wait(file, &event, 1, -1);
    for (int i = 0; i < 50; ++i) std::free(std::malloc(4203));
    return got == 1 ? kUnnoticed : kPolled;
}

// One thread that never waits: its registers are all in use wherever it is stopped.
int AttachedBusy() {
    struct sigaction action {};
    action.sa_handler = End;
    sigaction(SIGUSR1, &action, nullptr);
    std::puts("ready");
    std::fflush(stdout);
    const auto compute = [](std::uint64_t seed) {
        double a = static_cast<double>(seed), b = 1.5, c = 0.25, d = 3;
        std::uint64_t x = seed, y = 88172645463325252ull;
        for (int i = 0; i < 20'000; ++i) {
            a = a * 0.9999 + b, b = b * 0.5 + c, c = c + 1e-6 * d, d = d * 0.999 + 0.001;
            x ^= x << 13, x ^= x >> 7, x ^= x << 17, y += x * 3;
        }
        return static_cast<std::uint64_t>((a + b + c + d) * 1e6) ^ x ^ y;
    };
    volatile std::uint64_t seed = 17;  // or it is computed once for all
    const std::uint64_t right = compute(seed);
    while (toEnd == 0) {
        errno = 77;
        if (compute(seed) != right || errno != 77) return kComputed;
        std::free(std::malloc(4301));
    }
    return kUnnoticed;
}

namespace {
void HandleForever(int) {
    while (true) pause();
}
}  // namespace

// A signal handler may have come anywhere, in the middle of malloc too.
int AttachedInHandler() {
    signal(SIGUSR2, HandleForever);
    std::puts("ready");
    std::fflush(stdout);
    raise(SIGUSR2);
    return 1;
}
