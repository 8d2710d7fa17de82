#include "capture/shim/ask.hpp"

#include <time.h>
#include <unistd.h>

namespace residue::capture::shim {
namespace {

constexpr int kPatienceRounds = 10'000;
constexpr long kNap = 200'000;  // nanoseconds

void Nap() noexcept {
    const timespec time{0, kNap};
    nanosleep(&time, nullptr);
}

bool IsFollowed(const Header& root) noexcept {
    return root.follow != 0 && root.listening.load(std::memory_order_relaxed) != 0;
}

char* Append(char* to, const char* text) noexcept {
    while (*text != 0) *to++ = *text++;
    return to;
}

char* Append(char* to, std::uint32_t number) noexcept {
    char digits[10];
    int count = 0;
    do digits[count++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) *to++ = digits[--count];
    return to;
}

// A place with our id in it; null: none is free.
std::atomic<std::uint64_t>* TakePlace(Header& root, std::uint64_t request) noexcept {
    for (std::atomic<std::uint64_t>& place : root.requests) {
        std::uint64_t empty = 0;
        if (place.compare_exchange_strong(empty, request, std::memory_order_acq_rel)) return &place;
    }
    return nullptr;
}

std::uint32_t Answer(Header& root) noexcept {
    const std::uint64_t request = ChildRequest{static_cast<std::uint32_t>(getpid()), 0}.Word();
    std::atomic<std::uint64_t>* place = nullptr;
    for (int round = 0; round < kPatienceRounds && IsFollowed(root); ++round) {
        if (place == nullptr) place = TakePlace(root, request);
        const std::uint64_t word = place != nullptr ? place->load(std::memory_order_acquire) : request;
        if (word != request) {
            place->store(0, std::memory_order_release);
            return ChildRequest::Of(word).answer;
        }
        Nap();
    }
    std::uint64_t unanswered = request;
    if (place != nullptr && !place->compare_exchange_strong(unanswered, 0, std::memory_order_acq_rel)) {
        place->store(0, std::memory_order_release);
        return ChildRequest::Of(unanswered).answer;
    }
    return ChildRequest::kNone;
}

}  // namespace

bool AskForChannel(Header& root, char (&path)[kChannelPath]) noexcept {
    if (root.follow == 0) root.others.store(1, std::memory_order_relaxed);
    if (!IsFollowed(root)) return false;
    const std::uint32_t answer = Answer(root);
    if (answer == ChildRequest::kNone || answer == 0) {
        root.unfollowed.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    char* to = Append(Append(path, "/proc/"), root.recorder);
    to = Append(Append(to, "/fd/"), answer - 1);
    *to = 0;
    return true;
}

}  // namespace residue::capture::shim
