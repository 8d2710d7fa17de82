// make_traces FOLDER          runs every program on a DefaultAllocator, records it, and writes FOLDER/NAME.rep
// make_traces --check FOLDER  the same, into a folder of its own, and compares byte for byte; exit 1 where they differ
//
// The way is the one that every recording goes: allocator, events, appender, log, export.

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "alloc/os/default_allocator.hpp"
#include "events/sinks.hpp"
#include "export/trace_writer.hpp"
#include "log/appender.hpp"
#include "program.hpp"

namespace {

using namespace residue;

int Complain(const std::string& text) {
    std::fprintf(stderr, "make_traces: %s\n", text.c_str());
    return 1;
}

std::string Bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Outcome<void> Record(const scenarios::Program& program, const std::filesystem::path& to) {
    events::VectorSink sink;
    {
        alloc::DefaultAllocatorSettings settings;
        settings.writer = nullptr;  // what leaks is in the trace
        alloc::DefaultAllocator<alloc::Profile::Debug> allocator(settings);
        allocator.AttachSink(&sink, "default");
        scenarios::Heap heap(&allocator);
        program.run(heap);
    }
    log::EventLog log;
    log::Appender appender(log);
    appender.Append(sink.Events().data(), sink.Events().size());
    appender.Flush();
    return exports::WriteRep(log.View(), to.string());
}

int Check(const std::filesystem::path& folder) {
    const auto fresh = std::filesystem::temp_directory_path() / ("residue-traces-" + std::to_string(::getpid()));
    std::filesystem::create_directories(fresh);
    int status = 0;
    for (const scenarios::Program& program : scenarios::kPrograms) {
        const std::string file = std::string(program.name) + ".rep";
        const Outcome<void> done = Record(program, fresh / file);
        if (!done) status = Complain(done.error().Text());
        else if (Bytes(fresh / file) != Bytes(folder / file)) status = Complain(file + " is not what its program records");
    }
    std::filesystem::remove_all(fresh);
    return status;
}

}  // namespace

int main(int count, char** arguments) {
    if (count == 3 && std::strcmp(arguments[1], "--check") == 0) return Check(arguments[2]);
    if (count != 2) {
        std::fprintf(stderr, "usage: make_traces [--check] FOLDER\n");
        return 2;
    }
    for (const scenarios::Program& program : scenarios::kPrograms) {
        const Outcome<void> done = Record(program, std::filesystem::path(arguments[1]) / (std::string(program.name) + ".rep"));
        if (!done) return Complain(done.error().Text());
    }
    return 0;
}
