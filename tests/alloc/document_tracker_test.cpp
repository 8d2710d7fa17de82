// The design document's "Allocation Trackers", sentence by sentence, and the traps of its sketch: an unknown address
// removes entry 0, the tracker is destroyed inside the loop, addresses are cut to 32 bits, each free searches all.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "alloc/os/default_allocator.hpp"
#include "alloc/support/parents.hpp"
#include "alloc/support/walk.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::alloc;

namespace {

void AppendTo(void* context, const char* text, std::size_t length) {
    static_cast<std::string*>(context)->append(text, length);
}

DefaultAllocatorSettings Into(std::string& report) {
    DefaultAllocatorSettings settings;
    settings.writer = AppendTo;
    settings.writerContext = &report;
    return settings;
}

constexpr int kLineOfRequest = __LINE__ + 2;
__attribute__((noinline)) int* LeakSomething(Allocator* allocator) {
    const auto leaked = Allocate<int>(allocator, 3);
    return leaked ? *leaked : nullptr;
}

constexpr int kLineOfCall = __LINE__ + 2;
__attribute__((noinline)) int* LeakThroughACaller(Allocator* allocator) {
    int* leaked = LeakSomething(allocator);
    if (leaked != nullptr) leaked[0] = 1;  // work after the call, so that it stays a call
    return leaked;
}

std::string Hex(const void* pointer) {
    std::ostringstream text;
    text << "0x" << std::hex << reinterpret_cast<std::uintptr_t>(pointer);
    return text.str();
}

std::vector<std::string> LinesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::size_t CountOf(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

// Two addresses that are equal in their low 32 bits.
struct FarApart : Allocator {
    FarApart() : Allocator{OnAllocate, OnFree} {
        void* const range =
            mmap(nullptr, kApart + kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        REQUIRE(range != MAP_FAILED);
        base = static_cast<std::byte*>(range);
        REQUIRE(mprotect(base, kPage, PROT_READ | PROT_WRITE) == 0);
        REQUIRE(mprotect(base + kApart, kPage, PROT_READ | PROT_WRITE) == 0);
    }
    ~FarApart() { munmap(base, kApart + kPage); }
    FarApart(const FarApart&) = delete;
    FarApart& operator=(const FarApart&) = delete;

    static constexpr std::size_t kPage = 4096;
    static constexpr std::size_t kApart = std::size_t{1} << 32;
    std::byte* base = nullptr;
    std::size_t given = 0;
    std::vector<void*> back;

private:
    static Result<void*> OnAllocate(Allocator* self, std::size_t, std::size_t) {
        auto& me = *static_cast<FarApart*>(self);
        if (me.given == 2) return Fail(MemoryError::InsufficientMemory);
        return me.base + kApart * me.given++;
    }
    static Result<void> OnFree(Allocator* self, void* pointer) {
        static_cast<FarApart*>(self)->back.push_back(pointer);
        return {};
    }
};

// Memory for a tracker's books, whose pages can be watched: how many different ones does a call touch?
struct WatchedBooks : Allocator {
    WatchedBooks() : Allocator{OnAllocate, OnFree} {
        void* const range = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(range != MAP_FAILED);
        base = static_cast<std::byte*>(range);
    }
    ~WatchedBooks() { munmap(base, kBytes); }
    WatchedBooks(const WatchedBooks&) = delete;
    WatchedBooks& operator=(const WatchedBooks&) = delete;

    template <class Call>
    std::size_t PagesTouchedBy(Call call) {
        watched = this;
        struct sigaction touched {};
        struct sigaction before {};
        touched.sa_sigaction = OnTouch;
        touched.sa_flags = SA_SIGINFO;
        REQUIRE(sigaction(SIGSEGV, &touched, &before) == 0);
        touches = 0;
        mprotect(base, kBytes, PROT_NONE);
        call();
        mprotect(base, kBytes, PROT_READ | PROT_WRITE);
        sigaction(SIGSEGV, &before, nullptr);
        return touches.load();
    }
    std::size_t Pages() const { return (used + kPage - 1) / kPage; }

private:
    static constexpr std::size_t kPage = 4096;
    static constexpr std::size_t kBytes = std::size_t{64} << 20;
    inline static WatchedBooks* watched = nullptr;
    inline static std::atomic<std::size_t> touches{0};

    // Opens the page, so that it counts once.
    static void OnTouch(int, siginfo_t* info, void*) {
        auto* const at = static_cast<std::byte*>(info->si_addr);
        if (at < watched->base || at >= watched->base + kBytes) _exit(99);  // a fault of the test's own
        ++touches;
        const auto page = static_cast<std::size_t>(at - watched->base) / kPage;
        mprotect(watched->base + page * kPage, kPage, PROT_READ | PROT_WRITE);
    }
    static Result<void*> OnAllocate(Allocator* self, std::size_t bytes, std::size_t) {
        auto& me = *static_cast<WatchedBooks*>(self);
        const std::size_t at = me.used;
        if (bytes > kBytes - at) return Fail(MemoryError::InsufficientMemory);
        me.used = (at + bytes + kPage - 1) / kPage * kPage;
        return me.base + at;
    }
    static Result<void> OnFree(Allocator*, void*) { return {}; }

    std::byte* base = nullptr;
    std::size_t used = 0;
};

}  // namespace

TEST_CASE("DestroyDefaultAllocator … checks if all the memory blocks have been freed") {
    std::string report;
    SECTION("all were: it says nothing") {
        DefaultAllocator<Profile::Debug> allocator = CreateDefaultAllocator<Profile::Debug>(Into(report));
        int* ints = *Allocate<int>(&allocator, 5);
        REQUIRE(Free(&allocator, ints));
        CHECK(DestroyDefaultAllocator(&allocator) == 0);
        CHECK(report.empty());
    }
    SECTION("some were not: each is told, in order of allocation, and then given back") {
        CountingParent parent;
        DefaultAllocatorSettings settings = Into(report);
        settings.parent = &parent;
        DefaultAllocator<Profile::Debug> allocator = CreateDefaultAllocator<Profile::Debug>(settings);
        int* first = LeakThroughACaller(&allocator);
        int* freed = LeakSomething(&allocator);
        int* second = LeakSomething(&allocator);
        const std::string addressOfFreed = Hex(freed);
        REQUIRE(Free(&allocator, freed));
        CHECK(DestroyDefaultAllocator(&allocator) == 2);
        CAPTURE(report);
        CHECK(report.find(Hex(first)) < report.find(Hex(second)));
        CHECK(report.find(Hex(second)) != std::string::npos);
        CHECK(report.find(addressOfFreed + ":") == std::string::npos);
        CHECK(parent.out.empty());  // the buffers, and its own
        CHECK(parent.badFrees == 0);
        CHECK(DestroyDefaultAllocator(&allocator) == 0);
    }
}

TEST_CASE("Track the memory allocations by storing the runtime stack-trace (where …) and the buffer address") {
    std::string report;
    DefaultAllocator<Profile::Debug> allocator(Into(report));
    int* const leaked = LeakThroughACaller(&allocator);
    CHECK(allocator.options->Owns(&allocator, leaked));
    CHECK_FALSE(allocator.options->Owns(&allocator, leaked + 1));
    DestroyDefaultAllocator(&allocator);
    const std::vector<std::string> lines = LinesOf(report);
    CAPTURE(report);
    REQUIRE(lines.size() >= 4);  // who asked, who called it, this test, …
    const auto is = [](const std::string& line, int number, const char* function) {
        return line.starts_with(std::to_string(number) + ":") && line.find(function) != std::string::npos &&
               line.find("document_tracker_test.cpp in ") != std::string::npos;
    };
    CHECK(lines[0] == "Unfreed buffer @ " + Hex(leaked) + ": ");
    CHECK(is(lines[1], kLineOfRequest, "LeakSomething"));
    CHECK(is(lines[2], kLineOfCall, "LeakThroughACaller"));
}

TEST_CASE("IO.ErrorLine(Unfreed buffer @ address), for entry in callTrace line:file in name") {
    std::string report;
    DefaultAllocator<Profile::Debug> allocator(Into(report));
    (void)LeakThroughACaller(&allocator);
    (void)LeakSomething(&allocator);
    DestroyDefaultAllocator(&allocator);
    CAPTURE(report);
    const std::regex heading("Unfreed buffer @ 0x[1-9a-f][0-9a-f]*: ");
    const std::regex frame("[0-9]+:[^ ].* in .+");
    std::size_t headings = 0;
    for (const std::string& line : LinesOf(report)) {
        INFO(line);
        if (std::regex_match(line, heading)) ++headings;
        else CHECK(std::regex_match(line, frame));
    }
    CHECK(headings == 2);
    CHECK(report.back() == '\n');
}

TEST_CASE("A buffer is told before it is given back") {
    struct Talking : Allocator {
        explicit Talking(std::string& to) : Allocator{OnAllocate, OnFree}, heard(to) {}
        std::string& heard;
        static Result<void*> OnAllocate(Allocator*, std::size_t bytes, std::size_t) { return std::malloc(bytes); }
        static Result<void> OnFree(Allocator* self, void* pointer) {
            static_cast<Talking*>(self)->heard += "back: " + Hex(pointer) + "\n";
            std::free(pointer);
            return {};
        }
    };
    std::string report;
    Talking parent(report);
    DefaultAllocatorSettings settings = Into(report);
    settings.parent = &parent;
    settings.books = InternalAllocator();
    DefaultAllocator<Profile::Debug> allocator(settings);
    int* const leaked = LeakSomething(&allocator);
    DestroyDefaultAllocator(&allocator);
    CAPTURE(report);
    CHECK(report.find("Unfreed buffer @ " + Hex(leaked)) < report.find("back: " + Hex(leaked)));
    CHECK(CountOf(report, "back: ") == 1);
}

TEST_CASE("The tracker's memory comes from the InternalAllocator, or from whatever it is given") {
    CountingParent parent;
    CountingParent books;
    {
        DefaultAllocator<Profile::Debug> allocator({.parent = &parent, .books = &books, .writer = nullptr});
        for (int i = 0; i < 100; ++i) REQUIRE(Allocate<char>(&allocator, 10));
        CHECK(parent.requests == 100);  // blocks and nothing else
        CHECK(books.requests >= 2);
        CHECK(books.requests < 10);
    }
    CHECK(parent.out.empty());
    CHECK(books.out.empty());
}

// ---- The traps. -----------------------------------------------------------------------------------------------------

TEST_CASE("Trap: an unknown address removes no entry, not even entry 0") {
    DefaultAllocator<Profile::Debug> allocator({.writer = nullptr});
    int* first = *Allocate<int>(&allocator, 1);  // entry 0
    int* second = *Allocate<int>(&allocator, 1);
    int local = 0;
    CHECK(UnsafeFree(&allocator, &local).error() == MemoryError::InvalidPointer);
    CHECK(UnsafeFree(&allocator, static_cast<int*>(nullptr)).error() == MemoryError::InvalidPointer);
    CHECK(UnsafeFree(&allocator, second + 1).error() == MemoryError::InvalidPointer);
    CHECK(allocator.LiveCount() == 2);
    CHECK(allocator.options->Owns(&allocator, first));
    REQUIRE(UnsafeFree(&allocator, first));
    CHECK(UnsafeFree(&allocator, first).error() == MemoryError::DoubleFree);
    CHECK(allocator.LiveCount() == 1);
    CHECK(UnsafeFree(&allocator, second));
}

TEST_CASE("Trap: the tracker is not destroyed inside the loop, so three leaks are three reports") {
    std::string report;
    CountingParent parent;
    DefaultAllocatorSettings settings = Into(report);
    settings.parent = &parent;
    DefaultAllocator<Profile::Release> allocator(settings);
    int* const leaked[] = {LeakSomething(&allocator), LeakSomething(&allocator), LeakThroughACaller(&allocator)};
    CHECK(DestroyDefaultAllocator(&allocator) == 3);
    CAPTURE(report);
    CHECK(CountOf(report, "Unfreed buffer @ ") == 3);
    CHECK(CountOf(report, " in LeakSomething") + CountOf(report, "::LeakSomething") == 3);
    for (int* const buffer : leaked) CHECK(CountOf(report, Hex(buffer) + ": ") == 1);
    CHECK(parent.out.empty());
    CHECK(parent.badFrees == 0);
}

TEST_CASE("Trap: addresses are not cut to 32 bits") {
    FarApart parent;
    std::string report;
    DefaultAllocatorSettings settings = Into(report);
    settings.parent = &parent;
    settings.books = InternalAllocator();
    DefaultAllocator<Profile::Debug> allocator(settings);
    char* low = *Allocate<char>(&allocator, 8);
    char* const high = *Allocate<char>(&allocator, 8);
    REQUIRE(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(low)) ==
            static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(high)));
    REQUIRE(reinterpret_cast<std::uintptr_t>(high) >> 32 != 0);
    CHECK(allocator.LiveCount() == 2);
    char* const freed = low;
    REQUIRE(Free(&allocator, low));
    CHECK(UnsafeFree(&allocator, freed).error() == MemoryError::DoubleFree);
    CHECK(allocator.options->Owns(&allocator, high));
    CHECK(DestroyDefaultAllocator(&allocator) == 1);
    CHECK(report.starts_with("Unfreed buffer @ " + Hex(high) + ": \n"));
    CHECK(parent.back == std::vector<void*>{freed, high});
}

// "Although this implementation is rather slow, the actual implementation … will be significantly faster."
TEST_CASE("Trap: no linear search: a free among 100,000 buffers looks at three pages of the tracker's 2,000") {
    constexpr std::size_t kBuffers = 100'000;
    WatchedBooks books;
    DefaultAllocator<Profile::Release> allocator({.books = &books, .writer = nullptr});
    std::vector<char*> buffers;
    for (std::size_t i = 0; i < kBuffers; ++i) buffers.push_back(*Allocate<char>(&allocator, 1 + i % 100));
    REQUIRE(allocator.LiveCount() == kBuffers);
    REQUIRE(books.Pages() > 2000);
    std::shuffle(buffers.begin(), buffers.end(), std::mt19937(7));
    std::size_t most = 0;
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 200; ++i) {
        bool freed = false;
        const std::size_t pages = books.PagesTouchedBy([&] { freed = UnsafeFree(&allocator, buffers[i]).has_value(); });
        REQUIRE(freed);
        most = std::max(most, pages);
        sum += pages;
    }
    CAPTURE(sum);
    CHECK(sum >= 200);  // so touches are counted
    CHECK(most <= 3);   // its entry, perhaps over a page's end, and the ring of remembered frees
    int unknown = 0;
    bool found = true;
    const std::size_t pages = books.PagesTouchedBy([&] { found = UnsafeFree(&allocator, &unknown).has_value(); });
    CHECK_FALSE(found);
    CHECK(pages <= 2);
    for (std::size_t i = 200; i < kBuffers; ++i) REQUIRE(UnsafeFree(&allocator, buffers[i]));
}
