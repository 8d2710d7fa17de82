// A map from a trace's ids (0 .. 2^63 - 1) to something small. Ids that lie as close together as real traces have them
// are an index into a vector; all others, up to any hostile number, go to a hash table. Memory is bounded by the number
// of distinct ids seen (at most 8 vector entries each, and 4,096).
//
//     IdMap<State> states;
//     states.At(id) = State::Live;         // makes it if it is new, as T{}
//     if (const State* state = states.Find(id)) ...
//
// References are valid until the next At(). Thread safety: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace residue::import {

template <class T>
class IdMap {
public:
    const T* Find(std::int64_t id) const {
        const auto index = static_cast<std::uint64_t>(id);
        if (index < dense_.size()) return dense_[index].seen ? &dense_[index].value : nullptr;
        const auto found = sparse_.find(index);
        return found == sparse_.end() ? nullptr : &found->second;
    }
    T* Find(std::int64_t id) { return const_cast<T*>(std::as_const(*this).Find(id)); }

    // id >= 0.
    T& At(std::int64_t id) {
        const auto index = static_cast<std::uint64_t>(id);
        if (index >= dense_.size() && index < kEntriesAnId * (distinct_ + kHeadStart)) Extend(index);
        if (index < dense_.size()) {
            Entry& entry = dense_[index];
            distinct_ += entry.seen ? 0 : 1;
            entry.seen = true;
            return entry.value;
        }
        const auto [place, isNew] = sparse_.try_emplace(index);
        distinct_ += isNew ? 1 : 0;
        return place->second;
    }

    std::uint64_t Distinct() const { return distinct_; }

    // visit(id, value), ids ascending.
    template <class Visitor>
    void Visit(Visitor&& visit) const {
        for (std::size_t index = 0; index < dense_.size(); ++index) {
            if (dense_[index].seen) visit(static_cast<std::int64_t>(index), dense_[index].value);
        }
        std::vector<std::uint64_t> ids;
        ids.reserve(sparse_.size());
        for (const auto& [id, value] : sparse_) ids.push_back(id);
        std::sort(ids.begin(), ids.end());
        for (const std::uint64_t id : ids) visit(static_cast<std::int64_t>(id), sparse_.at(id));
    }

private:
    static constexpr std::uint64_t kEntriesAnId = 8;
    static constexpr std::uint64_t kHeadStart = 512;

    struct Entry {
        T value{};
        bool seen = false;
    };
    // splitmix64's finaliser, seeded with the table's own address: no file can know which ids collide.
    struct Mix {
        std::uint64_t seed;
        std::size_t operator()(std::uint64_t id) const noexcept {
            id ^= seed;
            id = (id ^ (id >> 30)) * 0xbf58476d1ce4e5b9U;
            id = (id ^ (id >> 27)) * 0x94d049bb133111ebU;
            return static_cast<std::size_t>(id ^ (id >> 31));
        }
    };

    // Makes the vector reach `index`; ids that it now covers move over from the hash table.
    void Extend(std::uint64_t index) {
        const std::uint64_t allowed = kEntriesAnId * (distinct_ + kHeadStart);
        dense_.resize(
            static_cast<std::size_t>(std::min(allowed, std::max<std::uint64_t>(index + 1, dense_.size() * 2))));
        for (auto place = sparse_.begin(); place != sparse_.end();) {
            if (place->first < dense_.size()) {
                dense_[place->first] = {std::move(place->second), true};
                place = sparse_.erase(place);
            } else {
                ++place;
            }
        }
    }

    std::vector<Entry> dense_;
    std::unordered_map<std::uint64_t, T, Mix> sparse_{0, Mix{reinterpret_cast<std::uintptr_t>(this)}};
    std::uint64_t distinct_ = 0;
};

}  // namespace residue::import
