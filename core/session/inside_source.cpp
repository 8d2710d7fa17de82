#include "session/inside_source.hpp"

#include <utility>

#include "replay/reexecution.hpp"

namespace residue::session {

InsideSource::~InsideSource() {
    {
        const std::lock_guard lock(lock_);
        stopping_ = true;
        cancelled_.store(true, std::memory_order_relaxed);
    }
    wake_.notify_one();
    if (worker_.joinable()) worker_.join();
}

InsideAnswer InsideSource::Ask(const log::LogView& view, AllocatorId allocator, Position position) {
    const std::lock_guard lock(lock_);
    if (allocator != askedOf_) {
        askedOf_ = allocator;
        latest_ = nullptr;
        unknown_.clear();
        never_ = false;
        asked_ = Position{log::kNever};
    }
    InsideAnswer answer;
    answer.inside = latest_;
    answer.ready = latest_ != nullptr && latest_->position == position;
    if (answer.ready) return answer;
    answer.progress = progress_.load(std::memory_order_relaxed);
    if (!unknown_.empty() && position >= unknownFrom_) {
        answer.unknown = unknown_;
        answer.never = never_;
        answer.inside = nullptr;
        return answer;
    }
    if (asked_ == position) return answer;
    // A way forward is gone to its end, or a live log that grows faster than it is run again would never be answered.
    const bool back = position < asked_;
    asked_ = position;
    next_ = Question{view, allocator, position};
    if (back) cancelled_.store(true, std::memory_order_relaxed);
    if (!worker_.joinable()) worker_ = std::thread([this] { Work(); });
    wake_.notify_one();
    return answer;
}

void InsideSource::Work() {
    std::unique_ptr<replay::Reexecution> again;
    AllocatorId of{};
    std::unique_lock lock(lock_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || next_.has_value(); });
        if (stopping_) return;
        const Question question = std::move(*next_);
        next_.reset();
        cancelled_.store(false, std::memory_order_relaxed);
        progress_.store(0, std::memory_order_relaxed);
        lock.unlock();

        std::optional<Failure> failure;
        Position from{};
        if (of != question.allocator || again == nullptr) {
            again.reset();
            of = question.allocator;
            auto made = replay::Reexecution::Create(question.view, question.allocator);
            if (made)
                again = std::move(*made);
            else
                failure = made.error();
        }
        std::shared_ptr<const replay::Inside> inside;
        if (again != nullptr) {
            auto found = again->At(question.view, question.position, cancelled_, &progress_);
            if (found) {
                inside = std::make_shared<const replay::Inside>(std::move(*found));
            } else if (!cancelled_.load(std::memory_order_relaxed)) {
                failure = found.error();
                from = again->KnownUntil();
            }
        }

        lock.lock();
        if (askedOf_ != question.allocator) continue;  // nobody wants to know any more
        if (inside != nullptr) latest_ = std::move(inside);
        if (failure) {
            unknown_ = failure->Text();
            unknownFrom_ = from;
            never_ = again == nullptr;
        } else if (latest_ == nullptr || latest_->position != question.position) {
            if (!next_) asked_ = Position{log::kNever};  // cancelled: it will be asked again
        }
    }
}

}  // namespace residue::session
