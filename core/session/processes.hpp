// A program that is watched together with the processes that it starts: each is a session of its own, and one of them
// is shown. That one is the window's; the others are kept here.
//
//     Processes processes(options.mostLog, options.mostInAll);
//     processes.Tick(*shown, seconds);                    // once a frame: the others go on, new ones come
//     shown = processes.Show(2, std::move(shown));        // the third one that began
//
// Thread: one, as Session.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "session/program.hpp"
#include "session/session.hpp"

namespace residue::session {

class Processes {
public:
    // Bytes of all their logs together, in memory and with what is on disk: beyond it the recording of the largest
    // ends, as for a single one.
    explicit Processes(std::uint64_t mostLog = ~std::uint64_t{0}, std::uint64_t mostInAll = ~std::uint64_t{0})
        : mostLog_(mostLog), mostInAll_(mostInAll) {}

    struct Process {
        std::string name;
        LiveProgram::State state;
        std::uint64_t calls = 0, liveBytes = 0;  // at its end, as far as they are known
    };

    // True: others have come.
    bool Tick(Session& shown, double seconds);
    std::size_t Count() const { return others_.empty() ? 1 : others_.size(); }
    std::size_t Shown() const { return shown_; }      // in the order in which they began
    Process At(std::size_t index, Session& shown) const;
    bool AnyLive(Session& shown) const;
    std::unique_ptr<Session> Show(std::size_t index, std::unique_ptr<Session> shown);
    // All but the one that is shown, to be ended; it is the only one from here on.
    std::vector<std::unique_ptr<Session>> Clear();

private:
    void KeepWithinLimit(Session& shown);
    Session& Of(std::size_t index, Session& shown) const { return index == shown_ ? shown : *others_[index]; }

    std::uint64_t mostLog_, mostInAll_;
    std::vector<std::unique_ptr<Session>> others_;  // null: the one that is shown. Empty: there is only that
    std::size_t shown_ = 0;
    double sinceTick_ = 0;
};

}  // namespace residue::session
