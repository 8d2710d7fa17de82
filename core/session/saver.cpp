#include "session/saver.hpp"

#include <new>
#include <utility>

#include "log/native_file.hpp"

namespace residue::session {

Saver::~Saver() {
    cancelled_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
}

bool Saver::Start(log::LogView log, const std::string& path) {
    return Start(path, [view = std::move(log), path](const auto& cancelled, auto& progress) {
        return log::WriteNative(view, path, &cancelled, &progress);
    });
}

bool Saver::Start(std::string path, Work work) {
    if (Busy()) return false;
    finished_.store(false, std::memory_order_relaxed);
    progress_.store(0, std::memory_order_relaxed);
    done_ = {std::move(path), std::nullopt};
    thread_ = std::thread([this, write = std::move(work)] {
        try {
            const auto written = write(cancelled_, progress_);
            if (!written) done_.failure = written.error();
        } catch (const std::bad_alloc&) {
            done_.failure = OutOfMemory();
        }
        finished_.store(true, std::memory_order_release);
    });
    return true;
}

std::optional<Saver::Done> Saver::Take() {
    if (!Busy() || !finished_.load(std::memory_order_acquire)) return std::nullopt;
    thread_.join();
    return std::move(done_);
}

}  // namespace residue::session
