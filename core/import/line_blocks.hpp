// Cuts a stream of text into blocks of whole lines, for readers that scan over bytes by pointer: nothing is copied or
// allocated for a line. Constant memory: one buffer of 256 KiB; a line that does not fit in is cut and marked.
//
//     for (;;) {
//         const auto block = lines.Next();           // a Failure, or bytes
//         if (!block || block->empty()) break;       // the end
//         for (const char* at = block->data(); at != end; at = LineEnd(at) + 1) ...
//     }
//
// Each line of a block ends in '\n', also the last one of a text that does not. A byte order mark is left out.
// Thread safety: none, but the cancel flag may be set from anywhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "import/byte_source.hpp"

namespace residue::import {

class LineBlocks {
public:
    static constexpr std::size_t kBufferBytes = std::size_t{256} << 10;  // the longest line, its end included

    LineBlocks(std::string name, std::unique_ptr<ByteSource> source, const std::atomic<bool>* cancelled = nullptr,
               std::atomic<double>* progress = nullptr);

    // Good until the next call; empty at the end. Failures: those of the source; cancelled.
    Outcome<std::string_view> Next();

    // Of the block given last: its last line was longer, the rest of it is left out.
    bool LastLineIsCut() const { return cut_; }
    // Of the block given last: the text ended in it without a '\n'.
    bool LastLineHasNoEnd() const { return noEnd_; }
    bool CutOff() const { return source_->CutOff(); }
    const std::string& Name() const { return name_; }

private:
    Outcome<bool> Fill();  // false: nothing more comes

    std::string name_;
    std::unique_ptr<ByteSource> source_;
    const std::atomic<bool>* cancelled_;
    std::atomic<double>* progress_;
    std::unique_ptr<char[]> buffer_;
    std::size_t given_ = 0;   // bytes of the block given last
    std::size_t filled_ = 0;
    bool started_ = false;
    bool atEnd_ = false;
    bool skipping_ = false;   // within the rest of a line that was cut
    bool cut_ = false;
    bool noEnd_ = false;
};

// The '\n' that ends the line at `at`; there is one.
inline const char* LineEnd(const char* at, const char* end) {
    return static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
}

}  // namespace residue::import
