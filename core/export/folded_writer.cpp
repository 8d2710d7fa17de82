#include "export/folded_writer.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "export/atomic_file.hpp"

namespace residue::exports {
namespace {

constexpr std::uint64_t kCancelEvery = 4096;

std::string Harmless(const std::string& name) {
    std::string frame;
    for (const char c : name) {
        if (c == ';')
            frame += ',';
        else
            frame += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
    return frame.empty() ? "?" : frame;
}

struct Step {
    std::uint32_t node = 0;
    std::size_t pathBefore = 0;  // bytes of the path that are its parent's
};

}  // namespace

Outcome<void> WriteFolded(const analysis::FlameTree& tree, const std::string& path, const WriteExtras& extras) {
    Outcome<AtomicFile> file = AtomicFile::Create(path);
    if (!file) return Fail(file.error());
    std::vector<std::string> names;
    names.reserve(tree.names.size());
    for (const std::string& name : tree.names) names.push_back(Harmless(name));

    WriteSummary counted;
    std::string stack;
    std::vector<Step> steps;
    const auto push = [&](const analysis::FlameNode& node) {
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
            steps.push_back({*child, stack.size()});
        }
    };
    if (!tree.nodes.empty()) push(tree.nodes[0]);
    for (std::uint64_t done = 0; !steps.empty() && !file->Failed(); ++done) {
        const bool stop = extras.cancelled != nullptr && extras.cancelled->load(std::memory_order_relaxed);
        if (done % kCancelEvery == 0 && stop) return Fail(Failure{"", "cancelled", ""});
        const Step step = steps.back();
        steps.pop_back();
        const analysis::FlameNode& node = tree.nodes[step.node];
        stack.resize(step.pathBefore);
        if (!stack.empty()) stack += ';';
        stack += names[node.name];
        if (node.own > 0) file->Write(fmt::format("{} {}\n", stack, node.own));
        counted.operations += node.own > 0;
        counted.leftOut += node.own < 0;
        push(node);
    }
    const Outcome<void> done = file->Commit();
    if (done && extras.summary != nullptr) *extras.summary = counted;
    return done;
}

}  // namespace residue::exports
