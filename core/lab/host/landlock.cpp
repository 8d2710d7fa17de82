// Landlock, by its system calls: Debian 12's headers do not have all that newer kernels know.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "lab/host/confine.hpp"

namespace residue::lab::host {
namespace {

// linux/landlock.h, as of version 6 of its interface.
struct RulesetAttributes {
    std::uint64_t files, network, scoped;
};
struct [[gnu::packed]] PathRule {
    std::uint64_t allowed;
    std::int32_t parent;
};
constexpr std::uint64_t kExecute = 1, kWriteFile = 2, kReadFile = 4, kReadFolder = 8, kTruncate = 1 << 14;
constexpr std::uint64_t kAllOfVersion1 = (1 << 13) - 1;
constexpr std::uint64_t kRefer = 1 << 13, kDevice = 1 << 15;
constexpr std::uint64_t kBothOfTcp = 3;                  // bind, connect: version 4
constexpr std::uint64_t kAbstractSocketsAndSignals = 3;  // version 6
constexpr unsigned kAskVersion = 1;
constexpr int kRuleBeneath = 1;

constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;  // the same on all machines

std::uint64_t FileRights(long version) {
    std::uint64_t rights = kAllOfVersion1;
    if (version >= 2) rights |= kRefer;
    if (version >= 3) rights |= kTruncate;
    if (version >= 5) rights |= kDevice;
    return rights;
}

bool AddRule(int ruleset, const Rule& rule, std::uint64_t handled) {
    const int parent = ::open(rule.path, O_PATH | O_CLOEXEC);
    if (parent < 0) return errno == ENOENT || errno == ENOTDIR;
    struct stat info {};
    bool added = ::fstat(parent, &info) == 0;
    std::uint64_t allowed = kExecute | kReadFile | kReadFolder;
    if (rule.writable) allowed = handled & ~kDevice;
    if (added && !S_ISDIR(info.st_mode)) allowed &= kExecute | kReadFile | kWriteFile | (handled & kTruncate);
    const PathRule attributes{allowed & handled, parent};
    added = added && ::syscall(kAddRule, ruleset, kRuleBeneath, &attributes, 0) == 0;
    ::close(parent);
    return added;
}

}  // namespace

Landlocked EnterLandlock(const Rule* rules, unsigned count) {
    const long version = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
    if (version < 1) return Landlocked::NotThere;
    RulesetAttributes attributes{FileRights(version), version >= 4 ? kBothOfTcp : 0,
                                 version >= 6 ? kAbstractSocketsAndSignals : 0};
    const std::size_t known = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    const int ruleset = static_cast<int>(::syscall(kCreateRuleset, &attributes, known, 0));
    if (ruleset < 0) return Landlocked::Failed;
    bool fine = true;
    for (unsigned i = 0; i < count; ++i) fine = AddRule(ruleset, rules[i], attributes.files) && fine;
    fine = fine && ::syscall(kRestrictSelf, ruleset, 0) == 0;
    ::close(ruleset);
    return fine ? Landlocked::Yes : Landlocked::Failed;
}

}  // namespace residue::lab::host
