// The warnings of one reader: the first 1,000 with their lines, the rest counted. A file of nothing but oddities costs
// no more memory and hardly more time than a good one.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "log/failure.hpp"

namespace residue::import {

class WarningList {
public:
    static constexpr std::size_t kMost = 1000;

    explicit WarningList(std::string name) : name_(std::move(name)) {}

    // `text()` is called only when there is room. Line 0: about the file as a whole.
    template <class MakeText>
    void Add(std::uint64_t line, MakeText&& text) {
        if (warnings_.size() == kMost) {
            ++more_;
            return;
        }
        warnings_.push_back({line == 0 ? name_ : name_ + ":" + std::to_string(line), text()});
    }

    std::vector<Warning> All() const {
        std::vector<Warning> all = warnings_;
        if (more_ != 0) {
            all.push_back({name_, std::to_string(more_) + (more_ == 1 ? " more warning" : " more warnings")});
        }
        return all;
    }

private:
    std::string name_;
    std::vector<Warning> warnings_;
    std::uint64_t more_ = 0;
};

}  // namespace residue::import
