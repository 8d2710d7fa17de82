// The names of a heaptrack recording's frames, found when they are asked for. Filled by one thread, asked by any.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/symbolizer.hpp"

namespace residue::import {

// An interpreted file: a table of strings, and frames that refer to it. A frame is named by its number, from 1.
class InterpretedNames final : public symbols::Symbolizer {
public:
    // Numbers of strings, from 1; 0: none.
    struct FrameRow {
        std::uint64_t address = 0;
        std::uint32_t module = 0;
        std::uint32_t function = 0;
        std::uint32_t file = 0;
        std::uint32_t line = 0;
    };
    void AddString(std::string_view text);
    std::uint64_t AddFrame(const FrameRow& row);  // its number
    symbols::Frame Resolve(std::uint64_t frame) override;

private:
    struct Piece {
        std::uint64_t offset;
        std::uint32_t length;
    };
    std::string StringAt(std::uint32_t number) const;

    std::mutex mutex_;
    std::string text_;
    std::vector<Piece> strings_;
    std::vector<FrameRow> frames_;
};

// A raw file: addresses, and where modules were loaded. Names come from the modules' own files where these are here and
// are the same (their loadable segments are those that were recorded); else a frame is "libc.so.6+0x2724a".
class RawNames final : public symbols::Symbolizer {
public:
    struct Segment {
        std::uint64_t address;
        std::uint64_t bytes;
        friend bool operator==(const Segment&, const Segment&) = default;
    };
    void AddModule(std::string_view path, std::uint64_t base, std::vector<Segment> segments);
    symbols::Frame Resolve(std::uint64_t address) override;

private:
    struct Module {
        std::string path;
        std::uint64_t base;
        std::vector<Segment> segments;  // from the base on
        bool looked = false;
        std::shared_ptr<symbols::Symbolizer> image;  // null: its file is not here
    };
    Module* ModuleOf(std::uint64_t address);

    std::mutex mutex_;
    std::deque<Module> modules_;  // in order of their loading
};

}  // namespace residue::import
