// A file that appears whole or not at all: written beside its place under another name, and renamed at the end. What
// was there before stays until then, and stays where anything goes wrong.
//
//     auto file = AtomicFile::Create(path);
//     file->Write("text");
//     auto done = file->Commit();
//
// A path that is there and no plain file (a pipe, /dev/stdout) is written to directly. Thread safety: none.
#pragma once

#include <string>
#include <string_view>

#include "log/failure.hpp"

namespace residue::exports {

class AtomicFile {
public:
    static Outcome<AtomicFile> Create(const std::string& path);
    ~AtomicFile();  // without Commit: as if it had never been
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&& other) = delete;

    // Buffered; the first error is kept for Commit.
    void Write(std::string_view text);
    bool Failed() const { return error_ != 0; }
    // Where the file is until Commit, for what writes files by name; empty where it is written to directly.
    const std::string& Temporary() const { return temporary_; }
    // Failures: the disk is full, the place cannot be written to, ...
    Outcome<void> Commit();

private:
    AtomicFile() = default;
    void Flush();
    tl::unexpected<Failure> Fault(const char* what, int error) const;

    std::string path_;       // where it will be
    std::string temporary_;  // where it is; empty: written to directly
    std::string buffer_;
    int descriptor_ = -1;
    int error_ = 0;
};

}  // namespace residue::exports
