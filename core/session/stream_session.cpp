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
    std::shared_ptr<symbols::Symbolizer> names;
    if (const std::string& program = Options().symbols; !program.empty()) {
        names = symbols::OfImage(program);
        if (names == nullptr) AddWarnings({{program, "is no ELF program: call traces stay addresses"}});
    }
    LoadWhole([&](log::EventLog& log) {
                  log.SetSymbolizer(names);
                  return import::ReadEventStream(Path(), log, &cancelled_, &progress_);
              },
              [this](const log::SourceInfo& source, const auto&) {
                  SetSubtitle(source.name == Title() ? "event stream" : "event stream · " + source.name);
              });
}

}  // namespace residue::session
