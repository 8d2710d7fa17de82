// gzip and zstd as streams over another source of bytes. Memory is constant: one input buffer and the codec's window
// (at most 128 MiB; a zstd frame that asks for more is refused). Several members or frames in a row are one text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "import/byte_source.hpp"

namespace residue::import {

// A source as stored, which can be started again.
class RawSource : public ByteSource {
public:
    virtual void Rewind() = 0;
};

bool IsGzip(std::string_view start);
bool IsZstd(std::string_view start);

// Failures: out of memory. Damage shows in Read, a missing end in CutOff.
Outcome<std::unique_ptr<ByteSource>> MakeGzipSource(std::string name, std::unique_ptr<RawSource> raw);
Outcome<std::unique_ptr<ByteSource>> MakeZstdSource(std::string name, std::unique_ptr<RawSource> raw);

}  // namespace residue::import
