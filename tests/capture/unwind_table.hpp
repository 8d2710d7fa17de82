// Unwinding tables made by hand: an .eh_frame_hdr and an .eh_frame behind it, as bytes that may lie anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace residue::capture::testing {

using Bytes = std::vector<std::uint8_t>;

inline void PutBytes(Bytes& to, const Bytes& more) {  // one by one: gcc 12 takes an insert for one beyond the end
    for (const std::uint8_t byte : more) to.push_back(byte);
}
inline void Put4(Bytes& to, std::int64_t value) {
    for (int i = 0; i < 4; ++i) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

// The common entry that compilers write: rsp + 8, the return address below it.
struct CommonPart {
    std::string augmentation = "zR";
    Bytes augmentationData = {0x1b};
    Bytes instructions = {0x0c, 7, 8, 0x90, 1};
    std::uint8_t version = 1;
};

struct FunctionPart {
    std::int32_t begin = 0;  // from the beginning of the table
    std::uint32_t bytes = 0;
    Bytes instructions;
};

// The table's functions must be in ascending order.
inline Bytes MakeTable(const std::vector<FunctionPart>& functions, const CommonPart& common = {}) {
    const std::size_t headerBytes = 12 + functions.size() * 8;
    Bytes frames;  // .eh_frame
    const auto putEntry = [&](Bytes content) {
        while (content.size() % 4 != 0) content.push_back(0);
        Put4(frames, static_cast<std::int64_t>(content.size()));
        PutBytes(frames, content);
    };
    Bytes content;
    Put4(content, 0);
    content.push_back(common.version);
    content.insert(content.end(), common.augmentation.begin(), common.augmentation.end());
    PutBytes(content, {0, 1, 0x78, 16});
    if (!common.augmentation.empty()) {
        content.push_back(static_cast<std::uint8_t>(common.augmentationData.size()));
        PutBytes(content, common.augmentationData);
    }
    PutBytes(content, common.instructions);
    putEntry(content);

    std::vector<std::size_t> entries;
    for (const FunctionPart& function : functions) {
        entries.push_back(headerBytes + frames.size());
        content.clear();
        Put4(content, static_cast<std::int64_t>(frames.size() + 4));
        Put4(content, function.begin - static_cast<std::int64_t>(headerBytes + frames.size() + 8));
        Put4(content, function.bytes);
        if (!common.augmentation.empty()) content.push_back(0);
        PutBytes(content, function.instructions);
        putEntry(content);
    }
    Put4(frames, 0);

    Bytes table = {1, 0x1b, 0x03, 0x3b};
    Put4(table, static_cast<std::int64_t>(headerBytes) - 4);
    Put4(table, static_cast<std::int64_t>(functions.size()));
    for (std::size_t i = 0; i < functions.size(); ++i) {
        Put4(table, functions[i].begin);
        Put4(table, static_cast<std::int64_t>(entries[i]));
    }
    PutBytes(table, frames);
    return table;
}

}  // namespace residue::capture::testing
