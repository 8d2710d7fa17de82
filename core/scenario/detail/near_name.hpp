// The name that somebody may have meant: the nearest one by edits, where it is near enough to be worth saying.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace residue::scenario::detail {

class NearName {
public:
    explicit NearName(std::string_view written) : written_(written) {}
    void Offer(std::string_view candidate);
    std::string_view Best() const { return best_; }  // empty: none is near
    std::string Hint() const;                        // "did you mean `...`?", or nothing

private:
    std::string_view written_;
    std::string_view best_;
    std::size_t bestDistance_ = ~std::size_t{0};
};

}  // namespace residue::scenario::detail
