// Where there is no Landlock: a tree of its own, in which only what may be used is mounted (user and mount namespaces).
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lab/host/confine.hpp"

namespace residue::lab::host {
namespace {

constexpr unsigned kMostRules = 64;
constexpr std::size_t kPathBytes = 4096;
// Where the tree is put together; anything that is there will do, as only this process sees it.
constexpr const char* kPlaces[] = {"/tmp", "/run", "/mnt", "/var"};

// False: it does not fit.
template <class... Parts>
bool Format(char* into, std::size_t bytes, const char* format, Parts... parts) {
    const int length = std::snprintf(into, bytes, format, parts...);
    return length >= 0 && static_cast<std::size_t>(length) < bytes;
}

bool WriteText(const char* path, const char* text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    const auto length = static_cast<ssize_t>(std::strlen(text));
    const bool written = ::write(file, text, static_cast<std::size_t>(length)) == length;
    ::close(file);
    return written;
}

// Capabilities of a namespace of its own; the user stays who it is.
bool Unshare() {
    const unsigned user = ::getuid(), group = ::getgid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    char users[64], groups[64];
    return Format(users, sizeof(users), "%u %u 1", user, user) &&
           Format(groups, sizeof(groups), "%u %u 1", group, group) && WriteText("/proc/self/setgroups", "deny") &&
           WriteText("/proc/self/uid_map", users) && WriteText("/proc/self/gid_map", groups) &&
           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// The folders above `path`, and it itself as a folder or an empty file.
bool MakePlace(char* path, bool isFolder) {
    for (char* slash = std::strchr(path + 1, '/'); slash != nullptr; slash = std::strchr(slash + 1, '/')) {
        *slash = '\0';
        const bool made = ::mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!made) return false;
    }
    if (isFolder) return ::mkdir(path, 0755) == 0 || errno == EEXIST;
    const int file = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0) return false;
    ::close(file);
    return true;
}

// What was opened is mounted at the same path below `place`.
bool Mount(const char* place, const char* path, int opened) {
    struct stat info {};
    char source[64], target[kPathBytes];
    return ::fstat(opened, &info) == 0 && Format(source, sizeof(source), "/proc/self/fd/%d", opened) &&
           Format(target, sizeof(target), "%s%s", place, path) && MakePlace(target, S_ISDIR(info.st_mode)) &&
           ::mount(source, target, nullptr, MS_BIND | MS_REC, nullptr) == 0;
}

// What a mount already forbids must be forbidden again.
unsigned long KeptFlags(const char* path) {
    struct statvfs info {};
    if (::statvfs(path, &info) != 0) return 0;
    unsigned long flags = MS_NOSUID;
    if ((info.f_flag & ST_NODEV) != 0) flags |= MS_NODEV;
    if ((info.f_flag & ST_NOEXEC) != 0) flags |= MS_NOEXEC;
    if ((info.f_flag & ST_NOATIME) != 0) flags |= MS_NOATIME;
    if ((info.f_flag & ST_NODIRATIME) != 0) flags |= MS_NODIRATIME;
    if ((info.f_flag & ST_RELATIME) != 0) flags |= MS_RELATIME;
    return flags;
}

bool IsBelow(const char* path, const char* folder) {
    const std::size_t length = std::strlen(folder);
    return std::strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

// As /proc/self/mountinfo has it: "\040" is a blank.
void Unescape(char* text) {
    char* to = text;
    for (const char* from = text; *from != '\0'; ++to) {
        const bool escaped = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != '\0' && from[3] != '\0';
        *to = escaped ? static_cast<char>((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0')) : *from;
        from += escaped ? 4 : 1;
    }
    *to = '\0';
}

// Every mount below `place` but those that may be written: also what is mounted in what was mounted.
bool ForbidWriting(const char* place, const Rule* rules, unsigned count) {
    std::FILE* const list = std::fopen("/proc/self/mountinfo", "re");
    if (list == nullptr) return false;
    bool fine = true;
    static char line[2 * kPathBytes];
    while (fine && std::fgets(line, sizeof(line), list) != nullptr) {
        char path[kPathBytes];
        if (std::sscanf(line, "%*s %*s %*s %*s %4095s", path) != 1) continue;
        Unescape(path);
        if (!IsBelow(path, place)) continue;
        bool writable = false;
        for (unsigned i = 0; i < count && !writable; ++i) {
            writable = rules[i].writable && IsBelow(path + std::strlen(place), rules[i].path);
        }
        if (writable) continue;
        fine = ::mount(nullptr, path, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY | KeptFlags(path), nullptr) == 0;
    }
    std::fclose(list);
    return fine;
}

// The process can never have any again, not even as root and not by what it becomes.
bool DropCapabilities() {
    for (int capability = 0; capability <= 63; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) return false;
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    return ::syscall(SYS_capset, &header, none) == 0;
}

const char* Place() {
    for (const char* place : kPlaces) {
        struct stat info {};
        if (::stat(place, &info) == 0 && S_ISDIR(info.st_mode)) return place;
    }
    return nullptr;
}

bool Enter(const char* place, const char* folder) {
    return ::chdir(place) == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 && ::umount2(".", MNT_DETACH) == 0 &&
           ::chdir("/") == 0 && (::chdir(folder) == 0 || errno == ENOENT) && DropCapabilities();
}

}  // namespace

bool EnterTree(const Rule* rules, unsigned count) {
    char folder[kPathBytes];
    const char* const place = Place();
    if (count > kMostRules || place == nullptr || ::getcwd(folder, sizeof(folder)) == nullptr) return false;
    if (!Unshare()) return false;
    int opened[kMostRules];  // before they are hidden, and as mounts of this namespace
    for (unsigned i = 0; i < count; ++i) {
        opened[i] = ::open(rules[i].path, O_PATH | O_CLOEXEC);
        if (opened[i] < 0 && errno != ENOENT && errno != ENOTDIR) return false;
    }
    bool fine = ::mount("none", place, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755") == 0;
    for (unsigned i = 0; i < count; ++i) {
        if (opened[i] < 0) continue;
        fine = fine && Mount(place, rules[i].path, opened[i]);
        ::close(opened[i]);
    }
    return fine && ForbidWriting(place, rules, count) && Enter(place, folder);
}

}  // namespace residue::lab::host
