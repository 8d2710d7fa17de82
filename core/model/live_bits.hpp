// Which blocks are live. A part of HeapModel.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <tuple>
#include <vector>

#include "model/shared.hpp"

namespace residue::model {

// One bit per block that was ever born. Copies share the pieces that neither has written to since: blocks come and go
// near the end, so that a checkpoint keeps a few of them.
class LiveBits {
public:
    bool Has(std::uint32_t id) const {
        const std::size_t piece = id / kPieceBits;
        return piece < pieces_.size() && (pieces_[piece]->words[Word(id)] & Mask(id)) != 0;
    }
    void Set(std::uint32_t id) {
        while (id / kPieceBits >= pieces_.size()) pieces_.push_back(Shared<Piece>::Make());
        pieces_[id / kPieceBits].Own().words[Word(id)] |= Mask(id);
    }
    void Clear(std::uint32_t id) {
        if (Has(id)) pieces_[id / kPieceBits].Own().words[Word(id)] &= ~Mask(id);
    }
    std::size_t CopyBytes() const { return pieces_.capacity() * sizeof(pieces_[0]); }
    bool NeverSet() const { return pieces_.empty(); }
    bool operator==(const LiveBits& other) const {
        const auto& [less, more] = pieces_.size() < other.pieces_.size() ? std::tie(pieces_, other.pieces_)
                                                                         : std::tie(other.pieces_, pieces_);
        for (std::size_t i = 0; i < more.size(); ++i) {
            if (more[i]->words != (i < less.size() ? less[i]->words : Words{})) return false;
        }
        return true;
    }

private:
    static constexpr std::size_t kPieceBits = std::size_t{1} << 14;
    using Words = std::array<std::uint64_t, kPieceBits / 64>;
    struct Piece {
        Piece() = default;
        Piece(const Piece& other) : words(other.words) {}
        std::atomic<std::uint32_t> holders{1};
        Words words{};
    };
    static std::size_t Word(std::uint32_t id) { return id % kPieceBits / 64; }
    static std::uint64_t Mask(std::uint32_t id) { return std::uint64_t{1} << (id % 64); }

    std::vector<Shared<Piece>> pieces_;
};

}  // namespace residue::model
