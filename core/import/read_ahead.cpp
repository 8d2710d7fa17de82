#include "import/read_ahead.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace residue::import {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
constexpr std::size_t kPieces = 4;

class ReadAheadSource final : public ByteSource {
public:
    explicit ReadAheadSource(std::unique_ptr<ByteSource>& source) {
        for (Piece& piece : pieces_) piece.bytes = std::make_unique_for_overwrite<char[]>(kPieceBytes);
        thread_ = std::thread([this, inner = source.get()] { Fill(*inner); });
        source_ = std::move(source);
    }
    ~ReadAheadSource() override {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    ReadAheadSource(const ReadAheadSource&) = delete;
    ReadAheadSource& operator=(const ReadAheadSource&) = delete;

    Outcome<std::size_t> Read(char* to, std::size_t capacity) override {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return filled_ != taken_ || ended_; });
            if (filled_ == taken_) return failure_ ? Outcome<std::size_t>(Fail(*failure_)) : Outcome<std::size_t>(0);
        }
        const Piece& piece = pieces_[taken_ % kPieces];  // the other thread leaves it alone until it is taken
        const std::size_t count = std::min(capacity, piece.used - given_);
        std::memcpy(to, piece.bytes.get() + given_, count);
        given_ += count;
        if (given_ == piece.used) {
            given_ = 0;
            {
                const std::lock_guard lock(mutex_);
                ++taken_;
            }
            changed_.notify_all();
        }
        return count;
    }
    double Progress() const override {
        const std::lock_guard lock(mutex_);
        return progress_;
    }
    bool CutOff() const override {
        const std::lock_guard lock(mutex_);
        return cutOff_;
    }

private:
    struct Piece {
        std::unique_ptr<char[]> bytes;
        std::size_t used = 0;
    };

    void Fill(ByteSource& source) {
        for (;;) {
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return filled_ - taken_ < kPieces || stop_; });
                if (stop_) return;
            }
            Piece& piece = pieces_[filled_ % kPieces];
            Outcome<std::size_t> read = 0;
            piece.used = 0;
            do {  // whole pieces: a decompressor may give little at a time
                read = source.Read(piece.bytes.get() + piece.used, kPieceBytes - piece.used);
                if (read) piece.used += *read;
            } while (read && *read != 0 && piece.used < kPieceBytes);
            {
                const std::lock_guard lock(mutex_);
                progress_ = source.Progress();
                cutOff_ = source.CutOff();
                ended_ = !read || *read == 0;
                if (!read) failure_ = read.error();
                if (piece.used != 0) ++filled_;
            }
            changed_.notify_all();
            if (!read || *read == 0) return;
        }
    }

    std::unique_ptr<ByteSource> source_;
    std::array<Piece, kPieces> pieces_;
    std::size_t given_ = 0;  // of the piece that is being taken; the reader's

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::size_t filled_ = 0;  // pieces, ever
    std::size_t taken_ = 0;
    bool ended_ = false;
    bool stop_ = false;
    bool cutOff_ = false;
    double progress_ = 0;
    std::optional<Failure> failure_;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<ByteSource> ReadAhead(std::unique_ptr<ByteSource> source) {
    try {
        return std::make_unique<ReadAheadSource>(source);
    } catch (const std::system_error&) {
        return source;
    }
}

}  // namespace residue::import
