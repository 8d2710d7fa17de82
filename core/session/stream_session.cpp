#include "session/stream_session.hpp"

#include <utility>

#include "import/event_stream.hpp"
#include "symbols/symbolizer.hpp"

namespace residue::session {

StreamSession::StreamSession(std::string path, OpenOptions options)
    : CursorSession(std::move(path), std::move(options)), worker_([this] { Guard([this] { Load(); }); }) {}

StreamSession::~StreamSession() {
    Cancel();
    if (worker_.joinable()) worker_.join();
}

void StreamSession::WaitUntilLoaded() {
    if (worker_.joinable()) worker_.join();
}

void StreamSession::Load() {
    if (const std::string& program = Options().symbols; !program.empty()) {
        auto names = symbols::OfImage(program);
        if (names == nullptr) AddWarnings({{program, "is no ELF program: call traces stay addresses"}});
        log_.SetSymbolizer(std::move(names));
    }
    LoadWhole([this] { return import::ReadEventStream(Path(), log_, &cancelled_, &progress_); },
              [this](const auto&) {
                  const auto name = log_.View().Source().name;
                  SetSubtitle(name == Title() ? "event stream" : "event stream · " + name);
              });
}

}  // namespace residue::session
