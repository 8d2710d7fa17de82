// An answer that takes a while, worked out on a thread of its own: the UI asks every frame and draws the latest there
// is.
//
//     Background<Key, Answer> slow([](const Key& key, const std::atomic<bool>& cancelled, std::atomic<double>&
//     progress) {
//         return std::make_shared<const Answer>(...);      // null: cancelled
//     });
//     const auto reply = slow.Ask(key);                    // each frame; never waits
//     if (reply.value) Draw(*reply.value, reply.fresh);
//
// What is being worked on is finished before the next question, so that an answer comes now and then however fast the
// questions change; of these only the newest waits. Threads: Ask belongs to one; the destructor cancels and waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>

namespace residue::session {

template <class Value>
struct Reply {
    std::shared_ptr<const Value> value;  // null: none yet
    bool fresh = false;                  // it is the answer to what was asked just now
    bool failed = false;                 // there was no memory for it
    double progress = 0;                 // 0..1, of what is being worked on
};

template <class Key, class Value>
class Background {
public:
    using Work = std::function<std::shared_ptr<const Value>(const Key&, const std::atomic<bool>& cancelled,
                                                            std::atomic<double>& progress)>;
    explicit Background(Work work) : work_(std::move(work)) {}
    ~Background() {
        {
            const std::lock_guard lock(lock_);
            stopping_ = true;
            cancelled_.store(true, std::memory_order_relaxed);
        }
        wake_.notify_one();
        if (worker_.joinable()) worker_.join();
    }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    Reply<Value> Ask(const Key& key) {
        const std::lock_guard lock(lock_);
        const bool answered = answeredKey_ && *answeredKey_ == key;
        const bool underWay = runningKey_ && *runningKey_ == key;
        if (answered || underWay) {
            next_.reset();
        } else if (!next_ || !(*next_ == key)) {
            next_ = key;
            if (!worker_.joinable()) worker_ = std::thread([this] { Run(); });
            wake_.notify_one();
        }
        return {latest_, answered, answered && failed_, progress_.load(std::memory_order_relaxed)};
    }
    bool Busy() const {
        const std::lock_guard lock(lock_);
        return next_.has_value() || runningKey_.has_value();
    }

private:
    void Run() {
        std::unique_lock lock(lock_);
        while (true) {
            wake_.wait(lock, [this] { return stopping_ || next_.has_value(); });
            if (stopping_) return;
            runningKey_ = std::move(next_);
            next_.reset();
            progress_.store(0, std::memory_order_relaxed);
            const Key key = *runningKey_;
            lock.unlock();
            std::shared_ptr<const Value> value;
            bool failed = false;
            try {
                value = work_(key, cancelled_, progress_);
            } catch (const std::bad_alloc&) {
                failed = true;
            }
            lock.lock();
            runningKey_.reset();
            if (value == nullptr && !failed) continue;  // cancelled
            if (value != nullptr) latest_ = std::move(value);
            answeredKey_ = key;
            failed_ = failed;
        }
    }

    const Work work_;
    mutable std::mutex lock_;
    std::condition_variable wake_;
    std::optional<Key> next_, runningKey_, answeredKey_;
    std::shared_ptr<const Value> latest_;
    bool failed_ = false;
    bool stopping_ = false;
    std::atomic<bool> cancelled_{false};
    std::atomic<double> progress_{0};
    std::thread worker_;
};

}  // namespace residue::session
