#include "capture/detail/unwind_row.hpp"

#include <cstring>
#include <memory>
#include <optional>

#include "capture/unwind_table.hpp"
#include "support/catch.hpp"

using namespace residue::capture;
using namespace residue::capture::detail;
using namespace residue::capture::testing;

namespace {

using Kind = UnwindRow::Kind;

constexpr std::int32_t kBegin = 0x10000;
constexpr std::uint32_t kBytes = 0x1000;

// A table in memory of exactly its size, so that the address sanitizer sees a read beyond it.
class Placed {
public:
    explicit Placed(const Bytes& table) : bytes_(new std::uint8_t[table.size()]) {
        std::copy(table.begin(), table.end(), bytes_.get());
        tables_.header = reinterpret_cast<std::uintptr_t>(bytes_.get());
        tables_.bytes = {tables_.header, tables_.header + table.size()};
    }
    UnwindRow At(std::int64_t offset) const {
        return FindRow(tables_, tables_.header + static_cast<std::uintptr_t>(offset));
    }

private:
    std::unique_ptr<std::uint8_t[]> bytes_;
    UnwindTables tables_;
};

// The row at `offset` of a function with these instructions.
UnwindRow RowOf(const Bytes& instructions, std::int64_t offset = 0x20, const CommonPart& common = {}) {
    return Placed(MakeTable({{kBegin, kBytes, instructions}}, common)).At(kBegin + offset);
}

bool Is(const UnwindRow& row, Kind kind, std::int64_t cfaOffset, std::int64_t frameAt = 0, bool losesFrame = false) {
    INFO("kind " << int(row.kind) << ", CFA " << row.cfaOffset << ", frame " << row.frameAt);
    CHECK(int(row.kind) == int(kind));
    CHECK(row.cfaOffset == cfaOffset);
    CHECK(row.frameAt == frameAt);
    CHECK(row.losesFrame == losesFrame);
    return row.kind == kind;
}

// push rbp; mov rbp, rsp; ... leave
const Bytes kFrame = {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x40 + 0x30, 0x0c, 7, 8, 0xc6};

}  // namespace

TEST_CASE("a row holds from the place where it was set to the next one") {
    const Placed table(MakeTable({{kBegin, kBytes, kFrame}}));
    Is(table.At(kBegin), Kind::ByStack, 8);
    Is(table.At(kBegin + 1), Kind::ByStack, 16, -16);
    Is(table.At(kBegin + 3), Kind::ByStack, 16, -16);
    Is(table.At(kBegin + 4), Kind::ByFrame, 16, -16);
    Is(table.At(kBegin + 0x33), Kind::ByFrame, 16, -16);
    Is(table.At(kBegin + 0x34), Kind::ByStack, 8);
    Is(table.At(kBegin + kBytes - 1), Kind::ByStack, 8);
}

TEST_CASE("a place outside all functions has no row") {
    const Placed table(MakeTable({{kBegin, 16, {}}, {kBegin + 32, 16, {0x0e, 32}}, {kBegin + 48, 16, {0x0e, 48}}}));
    CHECK(table.At(kBegin - 1).kind == Kind::Nothing);
    Is(table.At(kBegin + 15), Kind::ByStack, 8);
    CHECK(table.At(kBegin + 16).kind == Kind::Nothing);
    Is(table.At(kBegin + 32), Kind::ByStack, 32);
    Is(table.At(kBegin + 63), Kind::ByStack, 48);
    CHECK(table.At(kBegin + 64).kind == Kind::Nothing);
    CHECK(table.At(std::int64_t{1} << 40).kind == Kind::Nothing);
    CHECK(Placed(MakeTable({})).At(kBegin).kind == Kind::Nothing);
}

TEST_CASE("places are told in steps of all widths") {
    const Bytes code = {0x41, 0x0e, 16, 0x02, 0x10, 0x0e, 24, 0x03, 0x00, 0x01,
                        0x0e, 32, 0x04, 0x00, 0x02, 0, 0, 0x0e, 40};
    const Placed table(MakeTable({{kBegin, kBytes, code}}));
    Is(table.At(kBegin + 0x10), Kind::ByStack, 16);
    Is(table.At(kBegin + 0x11), Kind::ByStack, 24);
    Is(table.At(kBegin + 0x110), Kind::ByStack, 24);
    Is(table.At(kBegin + 0x111), Kind::ByStack, 32);
    Is(table.At(kBegin + 0x310), Kind::ByStack, 32);
    Is(table.At(kBegin + 0x311), Kind::ByStack, 40);
}

TEST_CASE("what the instructions say of CFA and frame pointer") {
    Is(RowOf({0x0c, 6, 0x90, 0x01}), Kind::ByFrame, 144);                       // def_cfa
    Is(RowOf({0x12, 7, 0x7e}), Kind::ByStack, 16);                              // def_cfa_sf
    Is(RowOf({0x13, 0x7d}), Kind::ByStack, 24);                                 // def_cfa_offset_sf
    Is(RowOf({0x0d, 6}), Kind::ByFrame, 8);                                     // def_cfa_register
    Is(RowOf({0x0e, 24, 0x05, 6, 3}), Kind::ByStack, 24, -24);                  // offset_extended
    Is(RowOf({0x0e, 24, 0x11, 6, 2}), Kind::ByStack, 24, -16);                  // offset_extended_sf
    Is(RowOf({0x0e, 24, 0x2f, 6, 0x7e}), Kind::ByStack, 24, 0, true);           // negative_offset_extended: above
    Is(RowOf({0x0e, 16, 0x86, 2, 0xc6}), Kind::ByStack, 16);                    // restore
    Is(RowOf({0x0e, 16, 0x86, 2, 0x06, 6}), Kind::ByStack, 16);                 // restore_extended
    Is(RowOf({0x0e, 16, 0x86, 2, 0x08, 6}), Kind::ByStack, 16);                 // same_value
    Is(RowOf({0x0e, 16, 0x86, 2, 0x07, 6}), Kind::ByStack, 16, 0, true);        // undefined
    Is(RowOf({0x0e, 16, 0x09, 6, 12}), Kind::ByStack, 16, 0, true);             // register
    Is(RowOf({0x0e, 16, 0x16, 6, 2, 0x76, 0}), Kind::ByStack, 16, 0, true);     // val_expression
    Is(RowOf({0x0e, 16, 0x10, 6, 2, 0x77, 0}), Kind::ByStack, 16, 0, true);     // expression
    Is(RowOf({0x0e, 16, 0x14, 7, 0}), Kind::ByStack, 16);                       // val_offset: rsp is the CFA, as always
    Is(RowOf({0x0e, 16, 0x15, 7, 0}), Kind::ByStack, 16);                       // val_offset_sf
    Is(RowOf({0x2e, 48, 0x0e, 16, 0x83, 3, 0x8c, 4, 0x07, 12}), Kind::ByStack, 16);  // others, GNU_args_size
    Is(RowOf({0x0e, 0x80, 0x80, 0x80, 0x04}), Kind::ByStack, 8 << 20);          // a frame of 8 MiB
}

TEST_CASE("states are remembered, 8 of them and more, and come back whole") {
    const Bytes push = {0x0e, 16, 0x86, 2, 0x0a, 0x0c, 6, 32, 0xc6, 0x41};
    Is(RowOf(push, 0), Kind::ByFrame, 32);
    Bytes code = push;
    PutBytes(code, {0x0b});
    Is(RowOf(code), Kind::ByStack, 16, -16);
    for (const unsigned depth : {8u, 16u}) {
        code.clear();
        for (unsigned i = 0; i < depth; ++i) PutBytes(code, {0x0e, static_cast<std::uint8_t>(8 + 8 * (i % 15)), 0x0a});
        PutBytes(code, {0x0e, 0});
        for (unsigned i = 0; i < depth; ++i) code.push_back(0x0b);
        Is(RowOf(code), Kind::ByStack, 8);
    }
    CHECK(RowOf(Bytes(17, 0x0a)).kind == Kind::Cannot);
    CHECK(RowOf({0x0b}).kind == Kind::Cannot);
}

TEST_CASE("the expressions that there are in practice are known, others are not") {
    const auto cfa = [](const Bytes& expression, const Bytes& more = {}) {
        Bytes code = {0x0f, static_cast<std::uint8_t>(expression.size())};
        PutBytes(code, expression);
        PutBytes(code, more);
        return code;
    };
    const Bytes stub = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    const Placed plt(MakeTable({{kBegin, kBytes, cfa(stub)}}));
    // The low digit of the place counts, and the table lies at any multiple of 16.
    for (const int digit : {0, 10, 11, 15}) Is(plt.At(kBegin + 0x20 + digit), Kind::ByStack, digit < 11 ? 8 : 16);
    for (std::size_t i = 0; i < stub.size(); ++i) {
        Bytes other = stub;
        other[i] ^= 0x40;
        CHECK(RowOf(cfa(other)).kind == Kind::Cannot);
        CHECK(RowOf(cfa({stub.begin(), stub.begin() + static_cast<std::ptrdiff_t>(i)})).kind == Kind::Cannot);
    }
    Is(RowOf(cfa({0x76, 0x78, 0x06}, {0x10, 6, 2, 0x76, 0})), Kind::ThroughFrame, -8);
    CHECK(RowOf(cfa({0x76, 0x78, 0x06})).kind == Kind::Cannot);         // where is the frame pointer?
    CHECK(RowOf(cfa({0x76, 0x78})).kind == Kind::Cannot);
    CHECK(RowOf(cfa({0x76, 0x78, 0x06, 0x06})).kind == Kind::Cannot);
    CHECK(RowOf(cfa({0x7a, 0x00})).kind == Kind::Cannot);
    CHECK(RowOf(cfa({})).kind == Kind::Cannot);
    Is(RowOf(cfa(stub, {0x0d, 6, 0x0e, 16})), Kind::ByFrame, 16);       // and back to a register
}

TEST_CASE("the outermost frame, and what is not supported") {
    CHECK(RowOf({0x07, 16}).kind == Kind::End);
    CHECK(RowOf({0x90, 2}).kind == Kind::Cannot);                       // the return address lies elsewhere
    CHECK(RowOf({0x08, 16}).kind == Kind::Cannot);
    CHECK(RowOf({0x09, 16, 0}).kind == Kind::Cannot);
    CHECK(RowOf({0x0c, 10, 0}).kind == Kind::Cannot);                   // CFA by r10
    CHECK(RowOf({0x0c, 7, 12}).kind == Kind::Cannot);                   // no words
    CHECK(RowOf({0x0e, 0}).kind == Kind::Cannot);                       // where we are already
    CHECK(RowOf({0x13, 0x01}).kind == Kind::Cannot);                    // below
    CHECK(RowOf({0x87, 2}).kind == Kind::Cannot);                       // rsp saved in memory
    CHECK(RowOf({0x14, 7, 1}).kind == Kind::Cannot);
    CHECK(RowOf({0x17}).kind == Kind::Cannot);                          // no such instruction
    CHECK(RowOf({0x3f}).kind == Kind::Cannot);
    CHECK(RowOf({0x0e, 16, 0x86, 2, 0x0e, 20}).kind == Kind::Cannot);
}

TEST_CASE("common entries of all makes") {
    Is(RowOf({}, 0x20, {"zR", {0x1b}, {0x0c, 7, 8, 0x90, 1}, 3}), Kind::ByStack, 8);
    Is(RowOf({0x0e, 16}, 0x20, {"zPLR", {0x9b, 1, 2, 3, 4, 0x1b, 0x1b}, {0x0c, 7, 8, 0x90, 1}, 1}), Kind::ByStack, 16);
    CHECK(RowOf({}, 0x20, {"zRX", {0x1b}, {0x0c, 7, 8, 0x90, 1}, 1}).kind == Kind::Cannot);
    CHECK(RowOf({}, 0x20, {"eh", {0x1b}, {0x0c, 7, 8, 0x90, 1}, 1}).kind == Kind::Cannot);
    CHECK(RowOf({}, 0x20, {"zR", {0x1b}, {0x0c, 7, 8, 0x90, 1}, 2}).kind == Kind::Cannot);
    CHECK(RowOf({}, 0x20, {"zR", {}, {0x0c, 7, 8, 0x90, 1}, 1}).kind == Kind::Cannot);
    CHECK(RowOf({}, 0x20, {"zR", {0x1b}, {}, 1}).kind == Kind::Cannot);
    const Bytes context = {0x0f, 4, 0x77, 0xa0, 0x01, 0x06};
    CHECK(RowOf(context, 0x20, {"zRS", {0x1b}, {0x0c, 7, 8, 0x90, 1}, 1}).kind == Kind::Signal);
    CHECK(RowOf({0x0e, 16}, 0x20, {"zRS", {0x1b}, {0x0c, 7, 8, 0x90, 1}, 1}).kind == Kind::Cannot);
}

TEST_CASE("a table that is cut off anywhere or damaged in any byte gives some answer and reads nothing outside") {
    const Bytes whole = MakeTable({{kBegin, 0x100, kFrame},
                                   {kBegin + 0x200, kBytes, {0x0f, 4, 0x77, 0xa0, 0x01, 0x06}}},
                                  {"zPLR", {0x9b, 1, 2, 3, 4, 0x1b, 0x1b}, {0x0c, 7, 8, 0x90, 1}, 1});
    const auto ask = [](const Bytes& bytes) {
        const Placed table(bytes);
        for (const std::int64_t offset : {0, kBegin, kBegin + 4, kBegin + 0x90, kBegin + 0x240}) (void)table.At(offset);
    };
    for (auto end = whole.begin(); end != whole.end(); ++end) ask({whole.begin(), end});
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            Bytes damaged = whole;
            damaged[at] = static_cast<std::uint8_t>(value);
            ask(damaged);
        }
    }
    Is(Placed(whole).At(kBegin + 4), Kind::ByFrame, 16, -16);
}

TEST_CASE("numbers that cannot be are not believed") {
    Bytes table = MakeTable({{kBegin, kBytes, kFrame}});
    const auto with = [&](std::size_t at, std::int64_t value) {
        Bytes changed;
        Put4(changed, value);
        Bytes result = table;
        std::copy(changed.begin(), changed.end(), result.begin() + static_cast<std::ptrdiff_t>(at));
        return Placed(result).At(kBegin + 4).kind;
    };
    const std::size_t entry = 12 + 8 + 4 + 20;  // header, one line, the common entry
    REQUIRE(with(12, kBegin) == Kind::ByFrame);
    CHECK(with(8, 0x7fffffff) == Kind::Nothing);            // lines
    CHECK(with(16, 0x7fffffff) == Kind::Cannot);            // where the entry is
    CHECK(with(16, -0x7fffffff) == Kind::Cannot);
    CHECK(with(20, -1) == Kind::Cannot);                    // length of the common entry
    CHECK(with(entry, -1) == Kind::Cannot);                 // of the function's
    CHECK(with(entry, 0) == Kind::Cannot);
    CHECK(with(entry + 4, 0) == Kind::Cannot);              // the distance to the common entry
    CHECK(with(entry + 4, -4) == Kind::Cannot);
    CHECK(with(entry + 12, 2) == Kind::Nothing);            // bytes of the function
}
