// residue-lab-host: what runs somebody else's code for `residue lab`. Started by it, never by hand.
//
//   residue-lab-host compile LANDLOCK WRITABLE READABLE... -- COMPILER ARGUMENTS...
//       confines itself and becomes the compiler. It writes below WRITABLE and reads below READABLE only.
//   residue-lab-host run LIBRARY
//       loads the student's library and runs a trace over it; lab/layout.hpp says how order and report travel.
//
// LANDLOCK is "landlock", or "no-landlock" where the user goes without. Needs nothing but the C library, and is never
// instrumented: a sanitizer would stand between the student's code and its signals.
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lab/host/confine.hpp"
#include "lab/host/crash.hpp"
#include "lab/host/look.hpp"
#include "lab/host/passes.hpp"
#include "lab/mapping.hpp"

namespace residue::lab::host {
namespace {

constexpr int kCannot = 121;  // the exit code of what could not be confined
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr const char* kSystemLibraries[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"};

int Cannot(const char* what) {
    std::fprintf(stderr, "residue-lab-host: cannot %s: %s\n", what, std::strerror(errno));
    return kCannot;
}

int Compile(int count, char** arguments) {
    constexpr unsigned kMostRules = 32;
    Rule rules[kMostRules] = {{arguments[1], true}, {"/dev/null", true}};
    unsigned known = 2;
    int at = 2;
    for (; at < count && std::strcmp(arguments[at], "--") != 0; ++at) {
        if (known < kMostRules) rules[known++] = {arguments[at], false};
    }
    if (at + 1 >= count) return kCannot;
    constexpr Limits kLimits{60, 4096 * kMebibyte, 256 * kMebibyte, 256, 64 * kMebibyte};
    if (!BecomeHarmless() || !SetLimits(kLimits)) return Cannot("set limits");
    if (std::strcmp(arguments[0], "landlock") == 0 && !RestrictFiles(rules, known)) {
        return Cannot("keep files from the compiler (neither by Landlock nor by namespaces)");
    }
    if (!ForbidForCompiler()) return Cannot("filter system calls (seccomp)");
    ::execve(arguments[at + 1], arguments + at + 1, environ);
    return Cannot("start the compiler");
}

// What memlib's functions reach through a table.
Heap heap;
Report* report = nullptr;

void* SbrkForStudent(long increment) {
    return heap.Sbrk(increment);
}
void ResetForStudent() {
    heap.Reset();
}
void* LowForStudent() {
    return reinterpret_cast<void*>(heap.Low());
}
void* HighForStudent() {
    return reinterpret_cast<void*>(heap.End() - 1);
}
unsigned long SizeForStudent() {
    return heap.End() - heap.Low();
}

struct Code {
    std::uint64_t around = 0;  // an address in it
    std::uint64_t base = 0, begin = 0, end = 0;
};

int FindCode(dl_phdr_info* module, std::size_t, void* into) {
    Code& code = *static_cast<Code*>(into);
    for (int i = 0; i < module->dlpi_phnum; ++i) {
        const auto& segment = module->dlpi_phdr[i];
        const std::uint64_t begin = module->dlpi_addr + segment.p_vaddr;
        const bool holds = segment.p_type == PT_LOAD && code.around >= begin && code.around < begin + segment.p_memsz;
        if (holds) code = {code.around, module->dlpi_addr, begin, begin + segment.p_memsz};
    }
    return 0;
}

// From the library's first instruction on its code is known and the strict rules hold.
void Seal(std::uint64_t caller) {
    if (report->sealedBeforeConstructors != 0) return;
    Code code;
    code.around = caller;
    ::dl_iterate_phdr(FindCode, &code);
    SetStudentCode(code.begin, code.end);
    report->moduleBase = code.base;
    report->sealedBeforeConstructors = 1;
    if (!AllowRunningOnly(kHeapBase, kHeapBase + kLargestHeap)) EndWith(Finding::Confinement);
}
void SealForStudent() {
    Seal(reinterpret_cast<std::uint64_t>(__builtin_return_address(0)));
}

bool PublishServices() {
    void* const wanted = reinterpret_cast<void*>(kServicesAddress);
    void* const page =
        ::mmap(wanted, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page != wanted) return false;
    *static_cast<Services*>(page) = {SbrkForStudent, ResetForStudent, LowForStudent,
                                     HighForStudent, SizeForStudent,  SealForStudent};
    return ::mprotect(page, 4096, PROT_READ) == 0;
}

// The C library's own needs, met before its system calls end: buffers, and some heap for assert()'s message.
void PrepareLibrary() {
    static char outputBuffer[4096];
    std::setvbuf(stdout, outputBuffer, _IOLBF, sizeof(outputBuffer));
    ::mallopt(M_TOP_PAD, static_cast<int>(kMebibyte));
    ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(32 * kMebibyte));
    void* volatile first = ::malloc(64);
    ::free(first);
}

const char* Confine(const Order& order, const char* library) {
    report->phase = Phase::Confining;
    const std::uint64_t memory = order.heapBytes + 2 * kGuardBytes + order.memoryBytes;
    if (!BecomeHarmless() || !SetLimits({order.cpuSeconds, memory, 0, 16, kStackBytes})) return "set limits";
    Rule rules[1 + sizeof(kSystemLibraries) / sizeof(*kSystemLibraries)] = {{library, false}};
    unsigned known = 1;
    for (const char* path : kSystemLibraries) rules[known++] = {path, false};
    if (order.needsLandlock != 0 && !RestrictFiles(rules, known)) {
        return "keep files from the code (neither by Landlock nor by namespaces)";
    }
    if (!AllowLoadingOnly()) return "filter system calls (seccomp)";
    return nullptr;
}

[[noreturn]] void EndWithText(Finding finding, const char* text) {
    std::strncpy(report->text, text, kTextBytes - 1);
    EndWith(finding);
}

template <class Function>
void Find(void* library, const char* name, Function& function, bool needed = true) {
    void* const address = ::dlsym(library, name);
    if (address == nullptr && needed) EndWithText(Finding::CannotLoad, name);
    std::memcpy(&function, &address, sizeof(address));
}

Student FindStudent(void* library, Api api) {
    Student student{};
    const bool mit = api == Api::Mit;
    if (api == Api::MmBool) {
        Find(library, "mm_init", student.initBool);
        Find(library, "mm_checkheap", student.checkBool, false);
    } else {
        Find(library, mit ? "my_init" : "mm_init", student.init);
    }
    if (api == Api::Mm) Find(library, "mm_checkheap", student.check, false);
    if (api == Api::MmBool) std::memcpy(&student.check, &student.checkBool, sizeof(student.check));
    Find(library, mit ? "my_malloc" : "mm_malloc", student.malloc);
    Find(library, mit ? "my_free" : "mm_free", student.free);
    Find(library, mit ? "my_realloc" : "mm_realloc", student.realloc);
    return student;
}

int Run(const char* path, std::uint64_t stackTop) {
    ::syscall(SYS_close_range, 5, ~0u, 0);
    auto* const order = static_cast<const Order*>(MapShared(kOrderDescriptor, PROT_READ));
    report = static_cast<Report*>(MapShared(kReportDescriptor, PROT_READ | PROT_WRITE));
    if (order == nullptr || report == nullptr || order->version != kLayoutVersion) return kCannot;
    ::close(kOrderDescriptor);
    ::close(kReportDescriptor);
    report->version = kLayoutVersion;
    Work work{order,
              reinterpret_cast<const Op*>(reinterpret_cast<const char*>(order) + kOrderBytes),
              report,
              reinterpret_cast<Record*>(reinterpret_cast<char*>(report) + kReportBytes),
              &heap,
              {},
              Table<void*>(order->slots),
              Table<unsigned long>(order->slots),
              Table<std::uint64_t>(order->slots)};
    const bool hasTables = work.blocks != nullptr && work.sizes != nullptr && work.seeds != nullptr;
    if (!hasTables || !CatchCrashes(report, stackTop)) return Cannot("get memory");
    PrepareLook(*order, *report, reinterpret_cast<unsigned char*>(work.records + kRecordedPasses * order->ops), heap);
    if (!heap.Reserve(order->heapBytes) || !PublishServices()) return Cannot("reserve the heap's addresses");
    PrepareLibrary();
    report->lowest = report->heapEnd = heap.Low();
    if (const char* const what = Confine(*order, path)) EndWithText(Finding::Confinement, what);

    report->phase = Phase::Loading;
    heap.Begin(Heap::Content::Zeroed, true);
    void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) EndWithText(Finding::CannotLoad, ::dlerror());
    work.student = FindStudent(library, order->api);
    std::uint64_t address = 0;
    std::memcpy(&address, &work.student.malloc, sizeof(address));
    Seal(address);  // where the library did not
    report->phase = Phase::Running;
    RunPasses(work);
    std::fflush(stdout);
    report->phase = Phase::Done;
    ::_exit(0);
}

}  // namespace
}  // namespace residue::lab::host

int main(int count, char** arguments) {
    namespace host = residue::lab::host;
    if (count >= 5 && std::strcmp(arguments[1], "compile") == 0) return host::Compile(count - 2, arguments + 2);
    if (count == 3 && std::strcmp(arguments[1], "run") == 0) {
        return host::Run(arguments[2], reinterpret_cast<std::uint64_t>(__builtin_frame_address(0)));
    }
    std::fputs("residue-lab-host: `residue lab` starts it\n", stderr);
    return host::kCannot;
}
