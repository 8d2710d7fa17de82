#include "session/drafts.hpp"

#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "alloc/emitter.hpp"
#include "export/atomic_file.hpp"

namespace residue::session {

namespace fs = std::filesystem;

Drafts::Drafts(std::string folder) : folder_(std::move(folder)) {}

Drafts::~Drafts() {
    {
        const std::lock_guard lock(lock_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (worker_.joinable()) worker_.join();
}

std::string Drafts::Place(const std::string& scenario) const {
    if (folder_.empty() || scenario.empty()) return {};
    const std::uint64_t name = alloc::KindId(scenario.c_str());  // a hash that stays the same from run to run
    return (fs::path(folder_) / (std::to_string(name) + ".iridis")).string();
}

void Drafts::Keep(const std::string& scenario, std::string text) {
    if (std::string place = Place(scenario); !place.empty()) Add({std::move(place), std::move(text)});
}

void Drafts::Drop(const std::string& scenario) {
    if (std::string place = Place(scenario); !place.empty()) Add({std::move(place), std::nullopt});
}

void Drafts::Give(const std::string& scenario, ScenarioOptions& options) const {
    std::string place = Place(scenario);
    if (place.empty()) return;
    const std::lock_guard lock(lock_);
    // What is yet to be written is not in the file.
    for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) {
        if (job->place != place) continue;
        options.draftText = job->text;
        return;
    }
    options.draft = std::move(place);
}

std::optional<Failure> Drafts::TakeFailure() {
    const std::lock_guard lock(lock_);
    return std::exchange(failure_, std::nullopt);
}

void Drafts::Add(Job job) {
    {
        const std::lock_guard lock(lock_);
        jobs_.push_back(std::move(job));
        if (!worker_.joinable()) worker_ = std::thread([this] { Run(); });
    }
    wake_.notify_one();
}

void Drafts::Run() {
    std::unique_lock lock(lock_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        const Job& job = jobs_.front();  // a deque's elements stay where they are while others are added
        lock.unlock();
        Outcome<void> done;
        try {
            done = Do(job);
        } catch (const std::bad_alloc&) {
            done = Fail(OutOfMemory());
        }
        lock.lock();
        if (!done) failure_ = done.error();
        jobs_.pop_front();
    }
}

Outcome<void> Drafts::Do(const Job& job) {
    std::error_code error;
    if (!job.text) {
        fs::remove(job.place, error);  // one that is not there is gone already
        return {};
    }
    fs::create_directories(fs::path(job.place).parent_path(), error);
    auto file = exports::AtomicFile::Create(job.place);
    if (!file) return Fail(file.error());
    file->Write(*job.text);
    return file->Commit();
}

}  // namespace residue::session
