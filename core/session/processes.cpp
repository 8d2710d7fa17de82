#include "session/processes.hpp"

#include <algorithm>
#include <utility>

namespace residue::session {

namespace {
constexpr double kPause = 0.2;  // seconds between two looks at what is not shown
}

bool Processes::Tick(Session& shown, double seconds) {
    sinceTick_ += seconds;
    if (shown.GetProgram() == nullptr || (sinceTick_ < kPause && !others_.empty())) return false;
    if (others_.empty()) others_.resize(1);
    const double passed = std::exchange(sinceTick_, 0);
    // Only the first one has some; it need not be the one that is shown.
    auto come = (others_[0] ? *others_[0] : shown).GetProgram()->TakeProcesses();
    const bool any = !come.empty();
    for (auto& session : come) others_.push_back(std::move(session));
    for (const auto& other : others_) {
        if (other != nullptr) other->Tick(passed, 0);
    }
    KeepWithinLimit(shown);
    return any;
}

void Processes::KeepWithinLimit(Session& shown) {
    LiveProgram* largest = nullptr;
    std::uint64_t most = 0, memory = 0, disk = 0;
    for (const auto& other : others_) {
        LiveProgram& program = *(other ? *other : shown).GetProgram();
        const LiveProgram::Bytes bytes = program.LogBytes();
        memory += bytes.memory;
        disk += bytes.disk;
        if (!program.ProgramState().recording || bytes.memory + bytes.disk < most) continue;
        most = bytes.memory + bytes.disk;
        largest = &program;
    }
    if (largest != nullptr && (memory >= mostLog_ || memory + disk >= mostInAll_)) largest->StopAtLimit();
}

Processes::Process Processes::At(std::size_t index, Session& shown) const {
    Session& session = Of(index, shown);
    Process process;
    process.name = session.Title();
    process.state = session.GetProgram()->ProgramState();
    const Position built = session.Series().Built();
    process.calls = built.value;
    process.liveBytes = session.Series().At(built).liveMax;
    return process;
}

bool Processes::AnyLive(Session& shown) const {
    for (std::size_t i = 0; i < others_.size(); ++i) {
        if (Of(i, shown).IsLive()) return true;
    }
    return shown.IsLive();
}

std::unique_ptr<Session> Processes::Show(std::size_t index, std::unique_ptr<Session> shown) {
    if (index >= others_.size() || index == shown_) return shown;
    others_[shown_] = std::move(shown);
    shown_ = index;
    return std::exchange(others_[index], nullptr);
}

std::vector<std::unique_ptr<Session>> Processes::Clear() {
    std::erase(others_, nullptr);
    shown_ = 0;
    sinceTick_ = 0;
    return std::exchange(others_, {});
}

}  // namespace residue::session
