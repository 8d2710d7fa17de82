// A recording in our own format.
#pragma once

#include <thread>

#include "session/cursor.hpp"

namespace residue::session {

class NativeSession final : public CursorSession {
public:
    NativeSession(std::string path, OpenOptions options);
    ~NativeSession() override;

    void WaitUntilLoaded() override;
    bool IsLive() const override { return Status().phase == Phase::Loading; }

private:
    void Load();

    std::thread worker_;
};

}  // namespace residue::session
