#include "import/line_blocks.hpp"

#include <utility>

namespace residue::import {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kEnough = LineBlocks::kBufferBytes / 2;  // a source may give its bytes in small pieces

}  // namespace

LineBlocks::LineBlocks(std::string name, std::unique_ptr<ByteSource> source, const std::atomic<bool>* cancelled,
                       std::atomic<double>* progress)
    : name_(std::move(name)),
      source_(std::move(source)),
      cancelled_(cancelled),
      progress_(progress),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)) {}

Outcome<bool> LineBlocks::Fill() {
    if (atEnd_) return false;
    if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) {
        return Fail(Failure{name_, "cancelled", ""});
    }
    // One byte stays free, for the end of a line that has none.
    const Outcome<std::size_t> read = source_->Read(buffer_.get() + filled_, kBufferBytes - 1 - filled_);
    if (!read) return Fail(read.error());
    filled_ += *read;
    atEnd_ = *read == 0;
    if (progress_ != nullptr) progress_->store(source_->Progress(), std::memory_order_relaxed);
    return !atEnd_;
}

Outcome<std::string_view> LineBlocks::Next() {
    cut_ = noEnd_ = false;
    filled_ -= given_;
    if (filled_ != 0) std::memmove(buffer_.get(), buffer_.get() + given_, filled_);
    given_ = 0;
    for (;;) {
        while (filled_ < kEnough) {
            const Outcome<bool> more = Fill();
            if (!more) return Fail(more.error());
            if (!*more) break;
        }
        if (!std::exchange(started_, true) && std::string_view(buffer_.get(), filled_).starts_with(kByteOrderMark)) {
            filled_ -= kByteOrderMark.size();
            std::memmove(buffer_.get(), buffer_.get() + kByteOrderMark.size(), filled_);
        }
        if (filled_ == 0) return std::string_view();
        if (skipping_) {
            const auto* const end = static_cast<const char*>(std::memchr(buffer_.get(), '\n', filled_));
            const std::size_t skipped = end == nullptr ? filled_ : static_cast<std::size_t>(end - buffer_.get()) + 1;
            skipping_ = end == nullptr;
            filled_ -= skipped;
            std::memmove(buffer_.get(), buffer_.get() + skipped, filled_);
            continue;
        }
        if (const auto* const last = static_cast<const char*>(::memrchr(buffer_.get(), '\n', filled_))) {
            given_ = static_cast<std::size_t>(last - buffer_.get()) + 1;
            return std::string_view(buffer_.get(), given_);
        }
        if (!atEnd_ && filled_ < kBufferBytes - 1) {
            const Outcome<bool> more = Fill();
            if (!more) return Fail(more.error());
            continue;
        }
        cut_ = skipping_ = !atEnd_;
        noEnd_ = atEnd_;
        buffer_[filled_++] = '\n';
        given_ = filled_;
        return std::string_view(buffer_.get(), given_);
    }
}

}  // namespace residue::import
