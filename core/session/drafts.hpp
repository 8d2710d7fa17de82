// Changes of scenarios that were not saved: a file each in a folder, written and removed on a thread of their own, in
// the order in which that was asked for.
//
//     Drafts drafts(folder);
//     drafts.Keep(path, text);               // returns at once
//     drafts.Give(path, options.scenario);   // a session then opens with it, read on its own thread
//
// Thread: one. The destructor waits for what is still to be written.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "log/failure.hpp"
#include "session/session.hpp"

namespace residue::session {

class Drafts {
public:
    explicit Drafts(std::string folder);  // empty: nothing is kept
    ~Drafts();
    Drafts(const Drafts&) = delete;
    Drafts& operator=(const Drafts&) = delete;

    void Keep(const std::string& scenario, std::string text);
    void Drop(const std::string& scenario);  // there is nothing that was not saved
    // What a session of the scenario is to be opened with, where there is a draft of it.
    void Give(const std::string& scenario, ScenarioOptions& options) const;
    // Once, when a draft could not be kept: why.
    std::optional<Failure> TakeFailure();

private:
    struct Job {
        std::string place;
        std::optional<std::string> text;  // none: it is removed
    };
    std::string Place(const std::string& scenario) const;  // empty: nowhere
    void Add(Job job);
    void Run();
    static Outcome<void> Do(const Job& job);

    const std::string folder_;
    mutable std::mutex lock_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;  // the first one is being done
    std::optional<Failure> failure_;
    bool stopping_ = false;
    std::thread worker_;
};

}  // namespace residue::session
