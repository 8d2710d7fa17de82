#include "scenario/run.hpp"

#include <pthread.h>

#include <algorithm>
#include <new>

#include "scenario/detail/interpreter.hpp"

namespace residue::scenario {
namespace {

constexpr std::size_t kStackBytes = std::size_t{128} << 20;  // 16 KiB for each of the interpreter's levels

struct Job {
    const Program& program;
    const RunOptions& options;
    const RunHooks& hooks;
    RunResult result;
};

RunResult Failed(const Program& program, std::string what, std::string expected) {
    RunResult result;
    result.ending = Ending::Error;
    Diagnostic error;
    error.place.file = program.Files()[0].name;
    error.message = std::move(what);
    error.expected = std::move(expected);
    result.error = std::move(error);
    return result;
}

void Work(Job& job) {
    auto memory = detail::ScriptMemory::Reserve();
    if (!memory) {
        job.result = Failed(job.program, memory.error().what, memory.error().expected);
        return;
    }
    try {
        detail::Interpreter interpreter(job.program, job.options, job.hooks, std::move(*memory));
        job.result = interpreter.Run();
    } catch (const std::bad_alloc&) {
        job.result = Failed(job.program, "out of memory", "");
    }
}

void* OnThread(void* job) {
    Work(*static_cast<Job*>(job));
    return nullptr;
}

}  // namespace

bool RunResult::Passed() const {
    const bool ended = ending == Ending::Finished || (ending == Ending::Error && errorExpected);
    return ended && std::all_of(expectations.begin(), expectations.end(),
                                [](const ExpectationResult& each) { return each.met; });
}

RunResult Run(const Program& program, const RunOptions& options, const RunHooks& hooks) {
    RunOptions cut = options;
    cut.memoryBudget = std::min(options.memoryBudget, std::uint64_t{512} << 20);
    Job job{program, cut, hooks, {}};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    pthread_t thread{};
    const int made = pthread_create(&thread, &attributes, OnThread, &job);
    pthread_attr_destroy(&attributes);
    if (made != 0) return Failed(program, "there is no room for the interpreter's thread", "128 MiB of address space");
    pthread_join(thread, nullptr);
    return std::move(job.result);
}

}  // namespace residue::scenario
