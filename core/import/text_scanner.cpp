#include "import/text_scanner.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace residue::import {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

constexpr bool IsSpace(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

TextScanner::TextScanner(std::string name, std::unique_ptr<ByteSource> source)
    : name_(std::move(name)),
      source_(std::move(source)),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)) {}

Outcome<bool> TextScanner::Refill() {
    if (atEnd_) return false;
    if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) {
        return Fail(Failure{name_, "cancelled", ""});
    }
    // What is left (less than a token) moves to the front.
    const std::size_t left = filled_ - position_;
    if (left != 0) std::memmove(buffer_.get(), buffer_.get() + position_, left);
    position_ = 0;
    filled_ = left;
    const Outcome<std::size_t> read = source_->Read(buffer_.get() + filled_, kBufferBytes - filled_);
    if (!read) return Fail(read.error());
    filled_ += *read;
    atEnd_ = *read == 0;
    if (!sawBytes_ && filled_ != 0) {
        sawBytes_ = true;
        // Some editors put a mark of the encoding before the text.
        if (std::string_view(buffer_.get(), filled_).starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
    }
    return !atEnd_;
}

Outcome<bool> TextScanner::Next(Token& token) {
    if (hasUnread_) {
        hasUnread_ = false;
        token = unread_;
        token.text = unreadText_;
        return true;
    }
    for (;;) {
        while (position_ < filled_ && IsSpace(buffer_[position_])) {
            if (buffer_[position_] == '\n') ++line_;
            ++position_;
        }
        if (position_ < filled_) break;
        const Outcome<bool> more = Refill();
        if (!more) return Fail(more.error());
        if (!*more) return false;
    }
    std::size_t length = 0;
    for (;;) {
        const std::size_t limit = std::min(filled_ - position_, kLongestToken);
        while (length < limit && !IsSpace(buffer_[position_ + length])) ++length;
        // Behind it is a blank, or it is too long: whole. Otherwise its end may be in the bytes to come.
        if (length < filled_ - position_ || length == kLongestToken) break;
        const Outcome<bool> more = Refill();
        if (!more) return Fail(more.error());
        if (!*more) break;
    }
    token.text = {buffer_.get() + position_, length};
    token.line = line_;
    token.cut = length == kLongestToken;
    position_ += length;
    return true;
}

void TextScanner::Unread(const Token& token) {
    unread_ = token;
    unreadText_ = std::string(token.text);
    hasUnread_ = true;
}

Outcome<bool> TextScanner::MoreOnLine() {
    if (hasUnread_) return true;
    for (;;) {
        while (position_ < filled_) {
            const char c = buffer_[position_];
            if (c == '\n') return false;
            if (!IsSpace(c)) return true;
            ++position_;
        }
        const Outcome<bool> more = Refill();
        if (!more) return Fail(more.error());
        if (!*more) return false;
    }
}

Outcome<void> TextScanner::SkipLine() {
    hasUnread_ = false;
    for (;;) {
        if (position_ < filled_) {
            const void* end = std::memchr(buffer_.get() + position_, '\n', filled_ - position_);
            if (end != nullptr) {
                position_ = static_cast<std::size_t>(static_cast<const char*>(end) - buffer_.get());
                return {};
            }
            position_ = filled_;
        }
        const Outcome<bool> more = Refill();
        if (!more) return Fail(more.error());
        if (!*more) return {};
    }
}

double TextScanner::Progress() const {
    if (atEnd_ && position_ == filled_) return 1;
    return source_->Progress();
}

std::string Shown(std::string_view text) {
    constexpr std::size_t kLongest = 40;
    constexpr char kDigits[] = "0123456789abcdef";
    std::string shown;
    for (const char c : text.substr(0, kLongest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            shown += c;
        } else {
            shown += "\\x";
            shown += kDigits[byte >> 4];
            shown += kDigits[byte & 15];
        }
    }
    if (text.size() > kLongest) shown += "...";
    return shown;
}

bool LooksBinary(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && !IsSpace(c)) || byte == 0x7f) return true;
    }
    return false;
}

}  // namespace residue::import
