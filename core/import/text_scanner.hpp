// Cuts a stream of text into tokens between white space (CRLF included), each with its line. Constant memory: one
// buffer of 256 KiB; a token longer than kLongestToken is cut and marked, however long it is.
//
//     Token token;
//     while (auto more = scanner.Next(token)) { if (!*more) break; ... }
//
// A token's text is valid until the next call. Thread safety: none, but the cancel flag may be set from anywhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "import/byte_source.hpp"

namespace residue::import {

struct Token {
    std::string_view text;
    std::uint64_t line = 0;  // from 1
    bool cut = false;        // it was longer
};

class TextScanner {
public:
    static constexpr std::size_t kLongestToken = 256;
    static constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

    TextScanner(std::string name, std::unique_ptr<ByteSource> source);

    // False at the end. Failures: those of the source; cancelled.
    Outcome<bool> Next(Token& token);
    // Gives the token of the last Next() once more, to whoever asks next.
    void Unread(const Token& token);
    // Is there another token on the line of the last one? Reads no further than the first byte of it.
    Outcome<bool> MoreOnLine();
    Outcome<void> SkipLine();

    void CancelWith(const std::atomic<bool>* cancelled) { cancelled_ = cancelled; }
    const std::string& Name() const { return name_; }
    std::string Where(std::uint64_t line) const { return name_ + ":" + std::to_string(line); }
    std::uint64_t Line() const { return line_; }
    bool SawBytes() const { return sawBytes_; }
    bool CutOff() const { return source_->CutOff(); }
    double Progress() const;

private:
    Outcome<bool> Refill();  // false: nothing more comes

    std::string name_;
    std::unique_ptr<ByteSource> source_;
    std::unique_ptr<char[]> buffer_;  // kBufferBytes of them, made without filling it
    std::size_t position_ = 0;
    std::size_t filled_ = 0;
    std::uint64_t line_ = 1;
    Token unread_;
    std::string unreadText_;  // a copy: the buffer may move on
    bool hasUnread_ = false;
    bool atEnd_ = false;
    bool sawBytes_ = false;
    const std::atomic<bool>* cancelled_ = nullptr;
};

// A token as a message may show it: at most 40 characters, what is not printable ASCII as \xNN.
std::string Shown(std::string_view text);
// Does it hold bytes that no text has?
bool LooksBinary(std::string_view text);

}  // namespace residue::import
