#include "session/session.hpp"

#include <sys/stat.h>

#include <cstddef>
#include <cstdio>
#include <span>
#include <utility>

#include "import/event_stream.hpp"
#include "import/recording.hpp"
#include "log/native_file.hpp"
#include "session/capture_session.hpp"
#include "session/fork_session.hpp"
#include "session/lab_session.hpp"
#include "session/native_session.hpp"
#include "session/recording_session.hpp"
#include "session/sandbox_session.hpp"
#include "session/scenario_session.hpp"
#include "session/stream_session.hpp"
#include "session/system_session.hpp"
#include "session/trace_session.hpp"

namespace residue::session {
namespace {

// Told by content. What cannot be opened is left to the trace reader, whose message says why.
bool IsNative(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) return false;
    std::byte start[8] = {};
    const std::size_t read = std::fread(start, 1, sizeof start, file);
    std::fclose(file);
    return log::LooksNative(std::span(start, read));
}

}  // namespace

std::unique_ptr<Session> Session::Open(const std::string& path, OpenOptions options) {
    if (IsNative(path)) return std::make_unique<NativeSession>(path, std::move(options));
    if (path.ends_with(".iridis")) return std::make_unique<ScenarioSession>(path, std::move(options));
    if (import::IsEventStream(path)) return std::make_unique<StreamSession>(path, std::move(options));
    if (import::IsRecording(path)) return std::make_unique<RecordingSession>(path, std::move(options));
    if (lab::FindSystemMalloc(options.allocator) != nullptr) {
        return std::make_unique<SystemSession>(path, std::move(options));
    }
    return std::make_unique<TraceSession>(path, std::move(options));
}

std::unique_ptr<Session> Session::OpenFork(const Session& of, OpenOptions options) {
    return std::make_unique<ForkSession>(of, std::move(options));
}

std::unique_ptr<Session> Session::OpenSandbox() { return std::make_unique<SandboxSession>(); }

std::unique_ptr<Session> Session::OpenProgram(std::vector<std::string> arguments, capture::CaptureOptions options) {
    return std::make_unique<CaptureSession>(std::move(arguments), std::move(options));
}

std::unique_ptr<Session> Session::AttachTo(pid_t process, const capture::CaptureOptions& options) {
    return std::make_unique<CaptureSession>(process, options);
}

std::unique_ptr<Session> Session::OpenLab(LabOptions options) {
    return std::make_unique<LabSession>(std::move(options));
}

}  // namespace residue::session
