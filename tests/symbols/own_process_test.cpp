#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "symbols/symbolizer.hpp"

namespace residue_symbols_test {

// What is done with it after the call, so that no call is the last thing that its caller does: that would be a jump.
[[gnu::always_inline]] inline std::uint64_t Kept(std::uint64_t value) {
    asm volatile("" : "+r"(value));
    return value;
}

constexpr std::uint32_t kCallLine = __LINE__ + 2;
[[gnu::noinline]] std::uint64_t WhereIsMyCaller(int depth) {
    if (depth > 0) return Kept(WhereIsMyCaller(depth - 1));
    return reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
}

[[gnu::noinline]] std::uint64_t ReturnsTo() { return reinterpret_cast<std::uint64_t>(__builtin_return_address(0)); }

constexpr std::uint32_t kInnermostLine = __LINE__ + 1;
[[gnu::always_inline]] inline std::uint64_t Innermost() { return Kept(ReturnsTo()); }
constexpr std::uint32_t kMiddleLine = __LINE__ + 1;
[[gnu::always_inline]] inline std::uint64_t Middle() { return Kept(Innermost()); }
constexpr std::uint32_t kOuterLine = __LINE__ + 1;
[[gnu::noinline]] std::uint64_t Outer() { return Kept(Middle()); }

std::uint64_t seenFromQsort = 0;
int Compare(const void*, const void*) {
    seenFromQsort = reinterpret_cast<std::uint64_t>(__builtin_return_address(0));
    return 0;
}

}  // namespace residue_symbols_test

using residue::symbols::Frame;
using residue::symbols::OwnProcess;

TEST_CASE("a return address in our own code gives the demangled function, the file and the line of the call") {
    const auto symbols = OwnProcess();
    volatile int depth = 1;
    const Frame frame = symbols->Resolve(residue_symbols_test::WhereIsMyCaller(depth));
    CHECK(frame.function == "residue_symbols_test::WhereIsMyCaller(int)");
    if (!frame.file.empty()) {  // a build without -g has no lines
        CHECK(frame.file.find("own_process_test.cpp") != std::string::npos);
        CHECK(frame.line == residue_symbols_test::kCallLine);
    }
}

TEST_CASE("what was inlined at a call is told, innermost first, and where each of them made its call") {
    using namespace residue_symbols_test;
    const Frame frame = OwnProcess()->Resolve(Outer());
    CHECK(frame.function == "residue_symbols_test::Outer()");
    if (frame.file.empty()) return;  // a build without -g has neither lines nor these
    CHECK(frame.line == kOuterLine);
    REQUIRE(frame.inlined.size() == 2);
    CHECK(frame.inlined[0].function == "residue_symbols_test::Innermost()");
    CHECK(frame.inlined[0].line == kInnermostLine);
    CHECK(frame.inlined[1].function == "residue_symbols_test::Middle()");
    CHECK(frame.inlined[1].line == kMiddleLine);
    CHECK(frame.inlined[1].file.find("own_process_test.cpp") != std::string::npos);
    // Where nothing was inlined, nothing is told.
    volatile int depth = 1;
    CHECK(OwnProcess()->Resolve(WhereIsMyCaller(depth)).inlined.empty());
}

TEST_CASE("a function of libc is found by name") {
    const auto symbols = OwnProcess();
    // The address as if a call inside had returned to it: one past the first byte of the function.
    const auto address = reinterpret_cast<std::uint64_t>(dlsym(RTLD_DEFAULT, "getenv")) + 1;
    CHECK(symbols->Resolve(address).function.find("getenv") != std::string::npos);

    int values[2] = {2, 1};
    std::qsort(values, 2, sizeof(int), residue_symbols_test::Compare);
    const Frame caller = symbols->Resolve(residue_symbols_test::seenFromQsort);
    CHECK(caller.function.substr(0, 2) != "0x");  // some function of libc, by whichever internal name
}

TEST_CASE("addresses of nothing are shown as numbers and never crash") {
    const auto symbols = OwnProcess();
    CHECK(symbols->Resolve(0).function == "0x0");
    CHECK(symbols->Resolve(1).function == "0x1");
    CHECK(symbols->Resolve(~0ull).function == "0xffffffffffffffff");
    CHECK(symbols->Resolve(0xDEADBEEF000).file.empty());
    CHECK(symbols->Resolve(0xDEADBEEF000).line == 0);
}

TEST_CASE("several threads may ask at once and hear the same") {
    const auto symbols = OwnProcess();
    volatile int depth = 1;
    const std::uint64_t address = residue_symbols_test::WhereIsMyCaller(depth);
    const Frame expected = symbols->Resolve(address);
    std::vector<std::thread> threads;
    std::vector<int> equal(4, 0);
    for (std::size_t t = 0; t < equal.size(); ++t) {
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < 50; ++i) {
                equal[t] += symbols->Resolve(address).function == expected.function;
                (void)symbols->Resolve(address + i);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    for (const int count : equal) CHECK(count == 50);
}

TEST_CASE("an image that is not loaded gives names; what is no image gives none") {
    CHECK(residue::symbols::OfImage("/nonexistent") == nullptr);
    CHECK(residue::symbols::OfImage(__FILE__) == nullptr);
    const auto self = residue::symbols::OfImage("/proc/self/exe");
    REQUIRE(self != nullptr);
    // Nothing lies at the end of memory, nor at 0.
    CHECK(self->Resolve(0).function == "0x0");
    CHECK(self->Resolve(~std::uint64_t{0}).function == "0xffffffffffffffff");
    // This program is loaded anywhere: its functions are found by where they are in it.
    Dl_info where{};
    const auto function = reinterpret_cast<std::uintptr_t>(&residue::symbols::OfImage);
    REQUIRE(dladdr(reinterpret_cast<void*>(function), &where) != 0);
    const auto base = reinterpret_cast<std::uintptr_t>(where.dli_fbase);
    CHECK(self->Resolve(function - base + 1).function.find("OfImage") != std::string::npos);
}
