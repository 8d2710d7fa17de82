#include "base/checked.hpp"

#include "base/call_site.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "support/catch.hpp"

using namespace residue;

namespace {

constexpr std::uint64_t kMost = ~std::uint64_t{0};

}  // namespace

TEST_CASE("Sums, products and roundings of sizes never wrap", "[base]") {
    CHECK(CheckedAdd(2, 3) == 5u);
    CHECK(CheckedAdd(kMost, 0) == kMost);
    CHECK_FALSE(CheckedAdd(kMost, 1));
    CHECK_FALSE(CheckedAdd(kMost / 2 + 1, kMost / 2 + 1));
    CHECK(CheckedMultiply(6, 7) == 42u);
    CHECK(CheckedMultiply(kMost, 0) == 0u);
    CHECK_FALSE(CheckedMultiply(kMost, 2));
    CHECK_FALSE(CheckedMultiply(std::uint64_t{1} << 32, std::uint64_t{1} << 32));
    CHECK(CheckedAlignUp(0, 8) == 0u);
    CHECK(CheckedAlignUp(1, 8) == 8u);
    CHECK(CheckedAlignUp(8, 8) == 8u);
    CHECK(CheckedAlignUp(kMost - 7, 8) == kMost - 7);
    CHECK_FALSE(CheckedAlignUp(kMost - 6, 8));
    CHECK(AlignDown(15, 8) == 8);
    CHECK(SaturatingAdd(kMost - 1, 5) == kMost);
    CHECK(SaturatingAdd(1, 5) == 6);
}

TEST_CASE("Zero is no power of two", "[base]") {
    CHECK_FALSE(IsPowerOfTwo(0));
    for (unsigned bit = 0; bit < 64; ++bit) CHECK(IsPowerOfTwo(std::uint64_t{1} << bit));
    CHECK_FALSE(IsPowerOfTwo(3));
    CHECK_FALSE(IsPowerOfTwo(kMost));
}

TEST_CASE("Ids of different things are different types, and cost no more than their integer", "[base]") {
    static_assert(!std::is_convertible_v<AllocatorId, ThreadId>);
    static_assert(!std::is_convertible_v<Row, Position>);
    static_assert(!std::is_convertible_v<std::uint32_t, TraceId>);
    static_assert(sizeof(AllocatorId) == 2 && sizeof(TraceId) == 4 && sizeof(Position) == 8);
    CHECK_FALSE(AllocatorId{});
    CHECK(AllocatorId{1});
    CHECK(AllocatorId{1} < AllocatorId{2});
    Position position{7};
    CHECK((++position).value == 8);
    CHECK((--position).value == 7);
    CHECK((position + 3).value == 10);
    CHECK((position - 3).value == 4);
    CHECK(Position{10} - Position{4} == 6);
}

TEST_CASE("A result holds a value or one of the five errors, each with the document's name", "[base]") {
    const Result<int> good = 5;
    REQUIRE(good);
    CHECK(*good == 5);
    const Result<int> bad = Fail(MemoryError::DoubleFree);
    REQUIRE_FALSE(bad);
    CHECK(bad.error() == MemoryError::DoubleFree);
    CHECK(std::string(Name(MemoryError::InsufficientMemory)) == "InsufficientMemory");
    CHECK(std::string(Name(MemoryError::Fragmentation)) == "Fragmentation");
    CHECK(std::string(Name(MemoryError::BufferTooLarge)) == "BufferTooLarge");
    CHECK(std::string(Name(MemoryError::DoubleFree)) == "DoubleFree");
    CHECK(std::string(Name(MemoryError::InvalidPointer)) == "InvalidPointer");
    CHECK(std::string(Name(static_cast<MemoryError>(0))) == "unknown error");  // 0 means "no error" in an event
}

TEST_CASE("A call site is the caller's", "[base]") {
    const auto where = [](CallSite site = CallSite::Here()) { return site; };
    const CallSite site = where();
    const std::uint32_t line = __LINE__ - 1;
    CHECK(site.line == line);
    CHECK(std::string(site.file).find("checked_test.cpp") != std::string::npos);
}
