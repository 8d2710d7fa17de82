// Counts the words of a made-up text. Every word is copied as it is read; one that is new stays, in a node of a hash
// table that doubles; twice on the way the words that were seen only once are thrown out. What it shows: many small
// strings of all lengths, most of which die at once, around long-lived nodes.

#include <cstring>

#include "program.hpp"

namespace residue::scenarios {
namespace {

struct Node {
    Node* next;
    char* word;
    std::uint64_t count;
};

class Table {
public:
    explicit Table(Heap& heap) : heap_(heap) { Allocate(16); }

    // Takes over `word`.
    void Count(char* word) {
        Node** place = Find(word);
        if (*place != nullptr) {
            ++(*place)->count;
            heap_.Give(word);
            return;
        }
        *place = heap_.Make<Node>();
        **place = {nullptr, word, 1};
        if (++words_ > buckets_) Rehash();
    }

    // Drops every word that was seen fewer than `least` times.
    void Prune(std::uint64_t least) {
        for (std::size_t bucket = 0; bucket < buckets_; ++bucket) {
            for (Node** place = &heads_[bucket]; *place != nullptr;) {
                Node* node = *place;
                if (node->count >= least) {
                    place = &node->next;
                    continue;
                }
                *place = node->next;
                heap_.Give(node->word);
                heap_.Give(node);
                --words_;
            }
        }
    }

    void Clear() {
        Prune(~std::uint64_t{0});
        heap_.Give(heads_);
    }

private:
    static std::size_t Hash(const char* word) {
        std::uint64_t hash = 1469598103934665603U;  // FNV-1a
        for (; *word != '\0'; ++word) hash = (hash ^ static_cast<unsigned char>(*word)) * 1099511628211U;
        return static_cast<std::size_t>(hash ^ (hash >> 32));
    }

    void Allocate(std::size_t buckets) {
        buckets_ = buckets;
        heads_ = static_cast<Node**>(heap_.Take(buckets * sizeof(Node*)));
        for (std::size_t bucket = 0; bucket < buckets; ++bucket) heads_[bucket] = nullptr;
    }

    Node** Find(const char* word) {
        Node** place = &heads_[Hash(word) % buckets_];
        while (*place != nullptr && std::strcmp((*place)->word, word) != 0) place = &(*place)->next;
        return place;
    }

    void Rehash() {
        Node** const old = heads_;
        const std::size_t oldBuckets = buckets_;
        Allocate(oldBuckets * 2);
        for (std::size_t bucket = 0; bucket < oldBuckets; ++bucket) {
            while (Node* node = old[bucket]) {
                old[bucket] = node->next;
                Node** place = Find(node->word);
                node->next = *place;
                *place = node;
            }
        }
        heap_.Give(old);
    }

    Heap& heap_;
    Node** heads_ = nullptr;
    std::size_t buckets_ = 0;
    std::size_t words_ = 0;
};

// The n-th word of the language; common words have small numbers.
char* Spell(Heap& heap, std::uint64_t number) {
    static constexpr const char* kSyllables[] = {"re", "si", "du", "e", "hea", "pa", "lo", "ca", "tor", "fra", "g",
                                                 "men", "ta", "tion", "block", "ho", "le"};
    constexpr std::size_t kCount = sizeof kSyllables / sizeof kSyllables[0];
    char spelled[64] = "";
    Dice dice(number + 1);
    for (std::size_t syllable = dice.Between(1, 2 + number % 7); syllable > 0; --syllable) {
        std::strcat(spelled, kSyllables[dice.Below(kCount)]);
    }
    auto* word = static_cast<char*>(heap.Take(std::strlen(spelled) + 1));
    return std::strcpy(word, spelled);
}

}  // namespace

void CountWords(Heap& heap) {
    constexpr int kWords = 5400;
    constexpr std::size_t kVocabulary = 6000;
    Table table(heap);
    Dice dice(1);
    for (int word = 1; word <= kWords; ++word) {
        table.Count(Spell(heap, dice.Below(dice.Below(dice.Below(kVocabulary) + 1) + 1)));
        if (word == kWords / 3 || word == 2 * kWords / 3) table.Prune(2);
    }
    table.Clear();
}

}  // namespace residue::scenarios
