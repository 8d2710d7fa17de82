// A program to be watched: each mode does one thing that the recorder must see, or survive. Built plainly, without
// sanitizers: they would stand before the allocator themselves.
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

void* volatile sink;  // so that no allocation is optimised away

void Take(std::size_t size) {
    sink = std::malloc(size);
    std::free(sink);
}

// Every function once, each with a size of its own.
int Kinds() {
    sink = std::malloc(1001);
    void* const zeroed = std::calloc(3, 401);           // 1203
    void* grown = std::malloc(1005);
    grown = std::realloc(grown, 1007);
    grown = reallocarray(grown, 4, 252);                // 1008
    void* aligned = nullptr;
    if (posix_memalign(&aligned, 256, 1009) != 0) return 1;
    void* const again = std::aligned_alloc(64, 1024 + 64);
    void* const old = memalign(128, 1011);
    void* const page = valloc(1013);
    void* const pages = pvalloc(1015);                  // 4096
    int* const made = new int[300];                     // 1200
    sink = std::realloc(nullptr, 1017);
    std::free(std::realloc(std::malloc(1019), 0));
    for (void* block : {zeroed, grown, aligned, again, old, page, pages}) std::free(block);
    delete[] made;
    std::free(nullptr);
    return 7;
}

int Failing() {
    sink = std::malloc(~std::size_t{0} / 4);            // too much for any machine
    void* const block = std::malloc(2001);
    if (std::realloc(block, ~std::size_t{0} / 4) != nullptr) return 1;
    volatile std::size_t three = 3;                     // or the compiler warns of what is meant
    sink = std::calloc(~std::size_t{0} / 2, three);     // overflows
    std::free(block);
    return sink == nullptr ? 0 : 2;
}

// Blocks that one thread allocates and another frees.
int Threads(int count, int rounds) {
    std::vector<std::atomic<void*>> slots(64);
    std::vector<std::thread> threads;
    for (int t = 0; t < count; ++t) {
        threads.emplace_back([&slots, t, rounds] {
            unsigned random = static_cast<unsigned>(t) * 2654435761u + 1;
            for (int i = 0; i < rounds; ++i) {
                random = random * 1664525u + 1013904223u;
                void* const mine = std::malloc(3000 + random % 7);
                std::free(slots[(random >> 8) % slots.size()].exchange(mine));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (auto& slot : slots) std::free(slot.load());
    return 0;
}

// One thread for a while, which exchanges blocks with another one as soon as there is one.
int SecondThread(int rounds) {
    std::vector<std::atomic<void*>> slots(8);
    const auto exchange = [&slots](unsigned random, int count) {
        for (int i = 0; i < count; ++i) {
            random = random * 1664525u + 1013904223u;
            std::free(slots[(random >> 8) % slots.size()].exchange(std::malloc(3000 + random % 7)));
        }
    };
    std::thread second([&] { exchange(7, rounds); });
    exchange(1, rounds);
    second.join();
    for (auto& slot : slots) std::free(slot.load());
    return 0;
}

// Threads whose first allocation is made by the C library, which holds a lock of theirs.
int AsksAboutItself() {
    for (int i = 0; i < 4; ++i) {
        pthread_t thread{};
        const auto ask = [](void*) -> void* {
            pthread_attr_t attributes;
            void* low = nullptr;
            std::size_t bytes = 0;
            if (pthread_getattr_np(pthread_self(), &attributes) != 0) return nullptr;
            pthread_attr_getstack(&attributes, &low, &bytes);
            pthread_attr_destroy(&attributes);
            return low;
        };
        void* found = nullptr;
        if (pthread_create(&thread, nullptr, ask, nullptr) != 0 || pthread_join(thread, &found) != 0) return 1;
        if (found == nullptr) return 2;
    }
    return 0;
}

int ShortThreads(int count) {
    for (int i = 0; i < count; ++i) {
        std::thread([] { sink = std::malloc(3501); }).join();
        std::free(sink);
    }
    return 0;
}

int Fork() {
    sink = std::malloc(4001);
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 1000; ++i) Take(4003);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    sink = std::malloc(4005);
    return status;
}

// A fork that the C library does not know of.
int RawFork() {
    const auto child = static_cast<pid_t>(syscall(SYS_fork));
    if (child == 0) {
        for (int i = 0; i < 1000; ++i) Take(4003);
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    sink = std::malloc(4007);
    return 0;
}

// A child that frees what it inherited, whose child does the same and outlives it, and a child that becomes another.
int Heirs() {
    void* const first = std::malloc(4011);
    void* second = std::malloc(4013);
    if (fork() == 0) {
        std::free(first);
        second = std::realloc(second, 4015);
        if (fork() == 0) {
            usleep(50'000);
            std::free(second);
            Take(4017);
            _exit(0);
        }
        std::free(second);
        _exit(0);
    }
    wait(nullptr);
    if (fork() == 0) {
        std::free(first);
        execl("/bin/true", "true", nullptr);
        _exit(1);
    }
    int status = 0;
    wait(&status);
    return status;
}

int SpawnsMany() {
    for (int i = 0; i < 20; ++i) {
        const pid_t child = vfork();
        if (child == 0) {
            execl("/bin/true", "true", nullptr);
            _exit(1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (status != 0) return 1;
    }
    sink = std::malloc(4009);
    return std::system("exit 3") == 3 * 256 ? 0 : 2;
}

volatile sig_atomic_t handled = 0;
void Handle(int) {
    handled = handled + 1;
    std::free(std::malloc(5001));  // no program should; many do
}

// Handlers that come while it allocates, on their own stack.
int Signals() {
    static char stack[65536];
    stack_t alternate{};
    alternate.ss_sp = stack;
    alternate.ss_size = sizeof(stack);
    sigaltstack(&alternate, nullptr);
    struct sigaction action {};
    action.sa_handler = Handle;
    action.sa_flags = SA_ONSTACK | SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    for (int i = 0; i < 200; ++i) {
        Take(5003);
        raise(SIGUSR1);
    }
    return handled == 200 ? 0 : 1;
}

int Closing() {
    for (int file = 0; file < 1024; ++file) close(file);
    for (int i = 0; i < 10; ++i) sink = std::malloc(6001);
    return 3;
}

int Killed() {
    for (int i = 0; i < 1000; ++i) sink = std::malloc(6003);
    raise(SIGKILL);
    return 0;
}

int Smashed() {
    auto* const block = static_cast<char*>(std::malloc(64));
    std::memset(block, 0x41, 256);
    char* const next = static_cast<char*>(std::malloc(64));
    std::free(next);
    std::free(block);
    std::free(block);
    return 0;
}

struct Late {
    void* block = std::malloc(7001);
    ~Late() {
        std::free(block);
        Take(7003);
    }
};
Late late;                  // before main, after it
thread_local Late perThread;

int LateOnes() {
    std::thread([] { sink = &perThread; }).join();
    sink = &perThread;
    return 0;
}

// Frame pointers that point nowhere.
int Garbage() {
#if defined(__x86_64__)
    for (const unsigned long wrong : {1ul, 0x1000ul, 0x7ffffffff000ul, ~0ul, 0xdeadbeefdeadbeeful}) {
        void* block = nullptr;
        asm volatile(
            "pushq %%rbp\n\tsubq $128, %%rsp\n\tmovq %%rsp, %%rbx\n\tandq $-16, %%rsp\n\tmovq %[wrong], %%rbp\n\t"
            "movq $8001, %%rdi\n\tcall malloc@PLT\n\tmovq %%rbx, %%rsp\n\taddq $128, %%rsp\n\tpopq %%rbp"
            : "=a"(block)
            : [wrong] "r"(wrong)
            : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
        std::free(block);
    }
#endif
    return 0;
}

int Opens() {
    void* const library = dlopen("libz.so.1", RTLD_NOW);
    if (library == nullptr) return 0;
    using Version = const char* (*)();
    const auto version = reinterpret_cast<Version>(dlsym(library, "zlibVersion"));
    if (version == nullptr || version()[0] == 0) return 1;
    dlclose(library);
    sink = std::malloc(8003);
    return 0;
}

[[gnu::noinline]] void InnerLeak() { sink = std::malloc(9001); }
[[gnu::noinline]] void OuterLeak() {
    InnerLeak();
    asm volatile("");
}

// A program as most are: blocks of all sizes that live for a while, and work on what is in them between two calls.
int Work(int count) {
    std::vector<std::pair<unsigned char*, std::size_t>> blocks(1000);
    unsigned random = 1, sum = 0;
    for (int i = 0; i < count; ++i) {
        random = random * 1664525u + 1013904223u;
        auto& [block, bytes] = blocks[(random >> 8) % blocks.size()];
        for (std::size_t at = 0; at < bytes; ++at) sum = sum * 31 + block[at];
        std::free(block);
        bytes = 16 + (random >> 16) % 240;
        block = static_cast<unsigned char*>(std::malloc(bytes));
        for (std::size_t at = 0; at < bytes; ++at) block[at] = static_cast<unsigned char>(at + sum);
    }
    for (auto& each : blocks) std::free(each.first);
    return sum == 1 ? 1 : 0;
}

int Many(long count) {
    for (long i = 0; i < count; ++i) Take(static_cast<std::size_t>(16 + i % 100));
    return 0;
}

}  // namespace

// Pools of its own: pools.cpp.
int PoolThreads();
int PoolGarbage();
int PoolMany();

// Those that are attached to: attached.cpp.
int AttachedThreads();
int AttachedWaiting();
int AttachedBusy();
int AttachedInHandler();

int main(int count, char** arguments) {
    const std::string mode = count > 1 ? arguments[1] : "";
    const int number = count > 2 ? std::atoi(arguments[2]) : 0;
    if (mode == "kinds") return Kinds();
    if (mode == "work") return Work(number);
    if (mode == "failing") return Failing();
    if (mode == "threads") return Threads(number, count > 3 ? std::atoi(arguments[3]) : 2000);
    if (mode == "second-thread") return SecondThread(number);
    if (mode == "asks-about-itself") return AsksAboutItself();
    if (mode == "short-threads") return ShortThreads(number);
    if (mode == "fork") return Fork();
    if (mode == "raw-fork") return RawFork();
    if (mode == "heirs") return Heirs();
    if (mode == "spawns") return SpawnsMany();
    if (mode == "signals") return Signals();
    if (mode == "closing") return Closing();
    if (mode == "killed") return Killed();
    if (mode == "smashed") return Smashed();
    if (mode == "late") return LateOnes();
    if (mode == "garbage") return Garbage();
    if (mode == "opens") return Opens();
    if (mode == "leaks") {
        OuterLeak();
        return 0;
    }
    if (mode == "pool-threads") return PoolThreads();
    if (mode == "pool-garbage") return PoolGarbage();
    if (mode == "pool-many") return PoolMany();
    if (mode == "attached-threads") return AttachedThreads();
    if (mode == "attached-waiting") return AttachedWaiting();
    if (mode == "attached-busy") return AttachedBusy();
    if (mode == "attached-handler") return AttachedInHandler();
    if (mode == "many") return Many(number);
    if (mode == "sleeps") {
        sink = std::malloc(9003);
        std::puts("ready");
        std::fflush(stdout);
        while (true) {
            Take(9005);
            usleep(1000);
        }
    }
    if (mode == "execs") {
        sink = std::malloc(9007);
        execl(arguments[0], arguments[0], "kinds", nullptr);
        return 1;
    }
    std::fputs("unknown mode\n", stderr);
    return 2;
}
