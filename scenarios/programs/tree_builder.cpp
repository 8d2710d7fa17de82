// Builds the tree of a document (objects with named children, texts), then edits it for some rounds: subtrees go,
// others come, texts get longer. Nodes are of one size, names short, texts long, child lists grow by doubling. It has
// a bug on purpose: the name of a removed node is forgotten when it is long, so that the trace ends with leaks.

#include "program.hpp"

namespace residue::scenarios {
namespace {

struct TreeNode {
    char* name;
    std::size_t nameBytes;
    char* text;  // null: it has children
    TreeNode** children;
    std::size_t count;
    std::size_t room;
};

class Tree {
public:
    explicit Tree(Heap& heap) : heap_(heap), root_(MakeNode(2)) {}

    void Edit(int rounds) {
        for (int round = 0; round < rounds; ++round) {
            for (std::size_t cut = 0; cut < 4; ++cut) Cut();
            for (std::size_t text = 0; text < 60; ++text) Rewrite(*root_);
            for (std::size_t graft = 0; graft < 4; ++graft) Add(*root_, MakeNode(dice_.Between(2, 3)));
        }
    }
    void Clear() { Remove(root_); }

private:
    static constexpr std::size_t kLongName = 24;

    TreeNode* MakeNode(std::size_t depth) {
        TreeNode* node = heap_.Make<TreeNode>();
        node->nameBytes = dice_.Between(4, 28);
        node->name = static_cast<char*>(heap_.Take(node->nameBytes));
        if (depth == 0 || dice_.OneIn(5)) {
            node->text = static_cast<char*>(heap_.Take(dice_.Between(8, dice_.OneIn(6) ? 900 : 120)));
            return node;
        }
        for (std::size_t child = dice_.Between(3, 9); child > 0; --child) Add(*node, MakeNode(depth - 1));
        return node;
    }

    void Add(TreeNode& parent, TreeNode* child) {
        if (parent.count == parent.room) {
            parent.room = parent.room == 0 ? 2 : parent.room * 2;
            const std::size_t bytes = parent.room * sizeof(TreeNode*);
            parent.children = static_cast<TreeNode**>(parent.children == nullptr ? heap_.Take(bytes)
                                                                                 : heap_.Grow(parent.children, bytes));
        }
        parent.children[parent.count++] = child;
    }

    void Remove(TreeNode* node) {
        for (std::size_t child = 0; child < node->count; ++child) Remove(node->children[child]);
        if (node->children != nullptr) heap_.Give(node->children);
        if (node->text != nullptr) heap_.Give(node->text);
        if (node->nameBytes < kLongName) heap_.Give(node->name);  // the bug: long names leak
        heap_.Give(node);
    }

    void Cut() {
        if (root_->count == 0) return;
        const std::size_t child = dice_.Below(root_->count);
        Remove(root_->children[child]);
        root_->children[child] = root_->children[--root_->count];
    }

    // A text somewhere below gets longer, or shorter.
    void Rewrite(TreeNode& from) {
        TreeNode* node = &from;
        while (node->count != 0) node = node->children[dice_.Below(node->count)];
        if (node->text == nullptr) return;
        node->text = static_cast<char*>(heap_.Grow(node->text, dice_.Between(8, 400)));
    }

    Heap& heap_;
    Dice dice_{2};
    TreeNode* root_;
};

}  // namespace

void BuildTree(Heap& heap) {
    Tree tree(heap);
    tree.Edit(7);
    tree.Clear();
}

}  // namespace residue::scenarios
