// Bytes of a text input, wherever they come from: a file, memory, and either of them gzip- or zstd-compressed (told by
// content, never by the name). Read as a stream: memory stays constant, whatever the bytes expand to.
//
//     auto source = OpenFileSource("trace.rep.gz");
//     while (auto count = (*source)->Read(buffer, sizeof buffer)) { ... 0 is the end ... }
//
// Files are read, not mapped: a mapped file that shrinks while it is looked at ends the process (SIGBUS).
// Thread safety: none.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "log/failure.hpp"

namespace residue::import {

class ByteSource {
public:
    virtual ~ByteSource() = default;
    // Up to `capacity` bytes; 0 only at the end. Failures: the file cannot be read, the compressed data are damaged.
    virtual Outcome<std::size_t> Read(char* to, std::size_t capacity) = 0;
    virtual double Progress() const = 0;  // 0..1 of the bytes as stored; 1 where there are none
    // At the end: the compressed data stopped in the middle. What came before is good.
    virtual bool CutOff() const { return false; }
};

// Failures: no such file, no permission, a directory, a device or a pipe (they could block for ever).
Outcome<std::unique_ptr<ByteSource>> OpenFileSource(const std::string& path);
// `bytes` must outlive the source; `name` is for messages.
Outcome<std::unique_ptr<ByteSource>> OpenMemorySource(std::string name, std::string_view bytes);

}  // namespace residue::import
