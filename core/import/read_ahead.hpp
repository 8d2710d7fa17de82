// Reads a source on a thread of its own, a little ahead of whoever reads this one: decompression goes on while what was
// decompressed is scanned. Memory: four pieces of 256 KiB.
// Thread safety: as any source, one thread at a time.
#pragma once

#include <memory>

#include "import/byte_source.hpp"

namespace residue::import {

// Where no thread can be had: `source` itself.
std::unique_ptr<ByteSource> ReadAhead(std::unique_ptr<ByteSource> source);

}  // namespace residue::import
