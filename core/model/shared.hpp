// Shared<Node>: a counted pointer to a node that is copied when it is written to while somebody else holds it too.
// Copying a structure made of such nodes costs a count a node; what the copies have in common is kept once.
//
//     struct Node { std::atomic<std::uint32_t> holders{1}; ... };   // copyable, apart from the count
//     Shared<Node> a = Shared<Node>::Make();
//     Shared<Node> b = a;
//     b.Own().value = 1;                  // b has a node of its own now; a is as it was
//
// Two copies may be used by two threads at once (the count is atomic); one copy by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace residue::model {

// Bytes of nodes that this thread has made or copied so far, less those that it has freed (modulo 2^64): what a
// structure has come to hold since it was shared.
inline thread_local std::uint64_t bytesOfNodesMade = 0;

template <class Node>
class Shared {
public:
    Shared() = default;
    static Shared Make() {
        Shared made;
        made.node_ = new Node;
        bytesOfNodesMade += sizeof(Node);
        return made;
    }
    Shared(const Shared& other) noexcept : node_(other.node_) {
        if (node_) node_->holders.fetch_add(1, std::memory_order_relaxed);
    }
    Shared(Shared&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    Shared& operator=(Shared other) noexcept {
        std::swap(node_, other.node_);
        return *this;
    }
    ~Shared() {
        // Release: our reads and writes come before the node's next writer; acquire: before its deletion.
        if (node_ && node_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete node_;
            bytesOfNodesMade -= sizeof(Node);
        }
    }

    explicit operator bool() const noexcept { return node_ != nullptr; }
    const Node& operator*() const noexcept { return *node_; }
    const Node* operator->() const noexcept { return node_; }

    // The node, writable: a copy of it if others hold it.
    Node& Own() {
        // Acquire: a holder that has just let go on another thread has finished reading.
        if (node_->holders.load(std::memory_order_acquire) != 1) {
            Shared own;
            own.node_ = new Node(*node_);
            bytesOfNodesMade += sizeof(Node);
            std::swap(node_, own.node_);
        }
        return *node_;
    }

private:
    Node* node_ = nullptr;
};

}  // namespace residue::model
