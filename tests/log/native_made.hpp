// Native files made by hand, chunk by chunk, and a folder for files of a test.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>

#include "log/columns.hpp"
#include "log/native_file.hpp"
#include "log/native_format.hpp"

namespace residue::log::testing {

struct Folder {
    std::string path;
    Folder() {
        std::string made = (std::filesystem::temp_directory_path() / "residue-XXXXXX").string();
        path = ::mkdtemp(made.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string File(const char* name) const { return path + "/" + name; }
    std::size_t Count() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
    }
};

// Files made by hand.
struct Made {
    native::Writer bytes;
    explicit Made(std::uint32_t version = native::kVersion) { native::WriteFileHeader(bytes, version); }
    Made& Chunk(std::uint32_t tag, const native::Writer& payload, std::uint8_t codec = 0, std::uint64_t raw = 0) {
        native::ChunkHeader header;
        header.tag = tag;
        header.codec = codec;
        header.length = payload.Written().size();
        header.raw = codec == 0 ? header.length : raw;
        header.payloadChecksum = Crc32c(payload.Written());
        native::WriteChunkHeader(bytes, header);
        bytes.Bytes(payload.Written());
        return *this;
    }
    Made& End(std::uint64_t rows, std::uint32_t traces) {
        native::Writer end;
        end.Number(rows);
        end.Number(traces);
        return Chunk(native::kEnd, end);
    }
    Outcome<NativeSummary> Read(EventLog& into) const { return ReadNativeBytes("f", bytes.Written(), into); }
    std::string Refusal() const {
        EventLog log;
        const auto read = Read(log);
        return read ? "" : read.error().Text();
    }
};

inline native::Writer EventsPayload(std::uint64_t first, std::uint32_t rows, std::initializer_list<ColumnShape> shapes,
                             std::initializer_list<int> bytes = {}) {
    native::Writer payload;
    payload.Number(first);
    payload.Number(rows);
    payload.Number(static_cast<std::uint32_t>(shapes.size()));
    for (const ColumnShape& shape : shapes) {
        payload.Number(shape.min);
        payload.Number(shape.width);
    }
    for (const int byte : bytes) payload.Number(static_cast<std::uint8_t>(byte));
    return payload;
}

}  // namespace residue::log::testing
