// Addresses to pixels and back, by random pages of all sizes.
#include <algorithm>
#include <limits>
#include <random>

#include "gui/views/heap_camera.hpp"
#include "gui/views/heap_layout.hpp"
#include "support/catch.hpp"

using namespace residue::gui;

namespace {

constexpr std::uint64_t kLastAddress = std::numeric_limits<std::uint64_t>::max();

struct Random {
    std::mt19937_64 engine{20261122};
    std::uint64_t Below(std::uint64_t limit) { return limit == 0 ? 0 : engine() % limit; }
    // Of any order of magnitude.
    std::uint64_t Wide(int bits) { return engine() >> (64 - 1 - Below(static_cast<std::uint64_t>(bits))); }
};

HeapLayout::Geometry RandomGeometry(Random& random) {
    HeapLayout::Geometry geometry;
    geometry.rowBytes = RowBytesOf(static_cast<int>(random.Below(kMaxZoom + 1)));
    if (random.Below(4) == 0) geometry.rowBytes = 1 + random.Wide(62);
    geometry.phase = random.engine() % geometry.rowBytes;
    geometry.width = static_cast<std::int64_t>(1 + random.Below(4000));
    geometry.pitch = static_cast<std::int64_t>(1 + random.Below(90));
    geometry.tearHeight = static_cast<std::int64_t>(random.Below(30));
    return geometry;
}

std::vector<Piece> RandomPieces(Random& random) {
    std::vector<Piece> pieces;
    std::uint64_t at = random.Wide(60);
    for (std::uint64_t i = 0, count = 1 + random.Below(6); i < count; ++i) {
        const std::uint64_t size = 1 + random.Wide(44);
        if (at > kLastAddress - size) break;
        pieces.push_back({at, at + size});
        const std::uint64_t gap = 1 + random.Wide(52);
        if (at + size > kLastAddress - gap) break;
        at += size + gap;
    }
    return pieces;
}

std::uint64_t RandomAddress(Random& random, const std::vector<Piece>& pieces) {
    const Piece& piece = pieces[random.Below(pieces.size())];
    return piece.begin + random.Below(piece.end - piece.begin);
}

}  // namespace

TEST_CASE("zoom levels rise, and the closest one with room is found") {
    for (int zoom = kMinZoom; zoom < kMaxZoom; ++zoom) {
        REQUIRE(RowBytesOf(zoom) < RowBytesOf(zoom + 1));
        CHECK(ZoomFor(RowBytesOf(zoom)) == zoom);
        CHECK(ZoomFor(RowBytesOf(zoom) + 1) == zoom + 1);
    }
    CHECK(ZoomFor(0) == kMinZoom);
    CHECK(ZoomFor(kLastAddress) == kMaxZoom);
    CHECK(RowBytesOf(-5) == 16);
    CHECK(RowBytesOf(1000) == RowBytesOf(kMaxZoom));
}

TEST_CASE("every byte of every piece has a pixel, and that pixel leads back to its neighbourhood") {
    Random random;
    for (int round = 0; round < 400; ++round) {
        const auto pieces = RandomPieces(random);
        HeapLayout layout;
        layout.Set(pieces, RandomGeometry(random));
        const auto& shape = layout.Shape();
        for (int i = 0; i < 20; ++i) {
            const std::uint64_t address = RandomAddress(random, pieces);
            const auto point = layout.ToPage(address);
            REQUIRE(point);
            REQUIRE(point->x >= 0);
            REQUIRE(point->x < shape.width);
            REQUIRE(point->y >= 0);
            REQUIRE(point->y + shape.pitch <= layout.Height());
            const auto back = layout.ToAddress(point->x, point->y);
            REQUIRE(back);
            // The last byte drawn at that pixel: not before the address, in the same row, with the same left edge.
            CHECK(*back >= address);
            const auto again = layout.ToPage(*back);
            REQUIRE(again);
            CHECK(*again == *point);
            if (*back != layout.RowLast(*back))
                CHECK(layout.ToPage(*back + 1).value_or(PagePoint{-1, -1}).x > point->x);
        }
    }
}

TEST_CASE("every pixel of a row has an address whose left edge is not right of it, and the next one's is") {
    Random random;
    for (int round = 0; round < 400; ++round) {
        const auto pieces = RandomPieces(random);
        HeapLayout layout;
        layout.Set(pieces, RandomGeometry(random));
        const auto& shape = layout.Shape();
        const std::int64_t y = layout.Nearest(RandomAddress(random, pieces)).y;
        for (int i = 0; i < 20; ++i) {
            const auto x = static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(shape.width)));
            const auto address = layout.ToAddress(
                x, y + static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(shape.pitch))));
            if (!address) continue;  // the row reaches below address 0 or beyond the last one
            const auto edges = layout.Pixels(*address, *address);
            CHECK(edges.first <= x);
            CHECK((edges.second > x || *address == kLastAddress));
        }
    }
}

TEST_CASE("neighbouring ranges share their edge: no overlap and no gap") {
    Random random;
    for (int round = 0; round < 300; ++round) {
        const auto pieces = RandomPieces(random);
        HeapLayout layout;
        layout.Set(pieces, RandomGeometry(random));
        const std::uint64_t address = RandomAddress(random, pieces);
        const std::uint64_t begin = layout.RowBegin(address), last = layout.RowLast(address);
        CHECK(begin <= address);
        CHECK(last >= address);
        std::uint64_t at = begin;
        std::int64_t edge = layout.Pixels(begin, begin).first;
        for (int i = 0; i < 30 && at <= last; ++i) {
            const std::uint64_t size = std::min(last - at, random.Wide(40)) + 1;
            const auto pixels = layout.Pixels(at, at + (size - 1));
            REQUIRE(pixels.first == edge);
            REQUIRE(pixels.second >= pixels.first);
            REQUIRE(pixels.second <= layout.Shape().width);
            edge = pixels.second;
            if (at + (size - 1) == last) {
                if (last != kLastAddress) CHECK(edge == layout.Shape().width);
                break;
            }
            at += size;
        }
    }
}

TEST_CASE("cells partition their row") {
    Random random;
    for (int round = 0; round < 300; ++round) {
        const auto pieces = RandomPieces(random);
        HeapLayout layout;
        layout.Set(pieces, RandomGeometry(random));
        const std::uint64_t address = RandomAddress(random, pieces);
        const std::int64_t width = layout.Shape().width;
        std::uint64_t before = layout.RowBegin(address);
        for (std::int64_t x = 0; x <= width; ++x) {
            const std::uint64_t first = layout.FirstInColumn(address, x);
            if (first == 0 && x > 0) break;  // wrapped at the end of the address space
            REQUIRE(first >= before);
            if (first <= layout.RowLast(address)) CHECK(layout.Pixels(first, first).first >= x);
            if (first > layout.RowBegin(address)) {
                CHECK(layout.Pixels(first - 1, first - 1).first < x);
            }
            before = first;
        }
    }
}

TEST_CASE("the visible lines are those of the page, downwards, rows and tears") {
    Random random;
    for (int round = 0; round < 300; ++round) {
        const auto pieces = RandomPieces(random);
        HeapLayout layout;
        layout.Set(pieces, RandomGeometry(random));
        const auto& shape = layout.Shape();
        const std::int64_t height = 40 + static_cast<std::int64_t>(random.Below(1500));
        const std::int64_t top = static_cast<std::int64_t>(random.Below(
                                     static_cast<std::uint64_t>(std::max<std::int64_t>(layout.Height(), 1)))) -
                                 20;
        std::int64_t edge = std::numeric_limits<std::int64_t>::min();
        for (const auto& line : layout.Lines(top, height)) {
            const std::int64_t own = line.tear ? shape.tearHeight : shape.pitch;
            REQUIRE(line.y >= edge);
            REQUIRE(line.y < top + height);
            REQUIRE(line.y + own > top);
            REQUIRE(line.last >= line.begin);
            if (!line.tear) {
                const auto point = layout.ToPage(line.begin);
                REQUIRE(point);
                CHECK(point->y == line.y);
                CHECK(layout.RowLast(line.begin) == line.last);
            } else {
                CHECK_FALSE(layout.ToPage(line.begin + (line.last - line.begin) / 2).has_value());
            }
            edge = line.y + own;
        }
    }
}

TEST_CASE("a wide gap is one tear that says where it is, a narrow one is shown") {
    HeapLayout layout;
    const std::vector<Piece> pieces{{0x1000, 0x1400}, {0x1500, 0x1800}, {0x900000, 0x900100}};
    layout.Set(pieces, {256, 0, 800, 20, 10});
    const auto lines = layout.Lines(0, 10000);
    std::vector<HeapLayout::Line> tears;
    std::copy_if(lines.begin(), lines.end(), std::back_inserter(tears), [](const auto& line) { return line.tear; });
    REQUIRE(tears.size() == 1);
    CHECK(tears[0].begin == 0x1800);
    CHECK(tears[0].last == 0x8fffff);
    CHECK(layout.RowCount() == 9);
    CHECK(layout.Height() == 9 * 20 + 10);
    CHECK_FALSE(layout.ToPage(0x5000));
    CHECK(layout.Nearest(0x5000) == PagePoint{800, 7 * 20});
}

TEST_CASE("thirty bytes and the whole address space both have a page") {
    HeapLayout layout;
    layout.Set({{100, 130}}, {16, 4, 640, 60, 10});
    CHECK(layout.RowCount() == 2);
    CHECK(*layout.ToPage(100) == PagePoint{0, 0});
    CHECK(*layout.ToPage(101) == PagePoint{40, 0});
    CHECK(*layout.ToPage(116) == PagePoint{0, 60});
    CHECK(*layout.ToAddress(39, 5) == 100);
    CHECK(*layout.ToAddress(40, 5) == 101);

    layout.Set({{0, kLastAddress}}, {std::uint64_t{1} << 58, 0, 1000, 10, 10});
    CHECK(layout.RowCount() == 64);
    CHECK(layout.ToPage(kLastAddress)->y == 63 * 10);
    CHECK(layout.RowLast(kLastAddress) == kLastAddress);
    CHECK(*layout.ToAddress(999, 63 * 10) == kLastAddress);

    layout.Set({{0, kLastAddress}}, {16, 0, 1000, 60, 10});  // more rows than pixels can count
    CHECK(layout.Height() > 0);
    CHECK(layout.Lines(layout.Height() - 600, 600).size() >= 10);
    layout.Set({}, {});
    CHECK(layout.Empty());
    CHECK(layout.Height() == 0);
    CHECK(layout.Lines(0, 100).empty());
    CHECK_FALSE(layout.ToAddress(0, 0));
}

TEST_CASE("zooming keeps the byte under the pointer where it is") {
    Random random;
    int moved = 0;
    for (int round = 0; round < 300; ++round) {
        const std::uint64_t begin = residue::AlignDown(random.Wide(46), 4096);
        const std::vector<Piece> pieces{{begin, begin + (std::uint64_t{1} << (12 + random.Below(24)))}};
        const Viewport viewport{static_cast<std::int64_t>(300 + random.Below(2000)),
                                static_cast<std::int64_t>(200 + random.Below(1200)), 1};
        HeapCamera camera;
        HeapLayout layout;
        camera.LayOut(pieces, viewport, layout);
        for (int step = 0; step < 12; ++step) {
            const auto x = static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(viewport.width)));
            const auto y = static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(viewport.height)));
            const auto address = layout.ToAddress(x, y + camera.top);
            camera.ZoomAt(random.Below(3) == 0 ? -1 : 1, x, y, pieces, viewport, layout);
            camera.LayOut(pieces, viewport, layout);
            if (!address || camera.fit || *address < pieces[0].begin || *address >= pieces[0].end) continue;
            const auto point = layout.ToPage(*address);
            REQUIRE(point);
            // Sideways by at most the rounding of the phase (1/128 of a row or 4 bytes) and a pixel.
            const std::int64_t slack =
                2 +
                std::max<std::int64_t>(viewport.width / 128, 4 * viewport.width /
                                                                 static_cast<std::int64_t>(std::min<std::uint64_t>(
                                                                     RowBytesOf(camera.zoom), std::uint64_t{1} << 40)));
            const std::int64_t byteWidth =
                viewport.width / static_cast<std::int64_t>(
                                     std::min<std::uint64_t>(RowBytesOf(camera.zoom) * 2 / 3, std::uint64_t{1} << 40)) +
                1;
            const std::int64_t off = std::abs(point->x - x);
            // A byte at the row's edge may come to lie in the neighbouring row.
            CHECK((off <= slack + byteWidth || off >= viewport.width - slack - byteWidth));
            const std::int64_t screenY = point->y - camera.top;
            const std::int64_t atEnd = std::max<std::int64_t>(viewport.height / 4, 0);
            const bool clamped = camera.top <= -atEnd || camera.top >= layout.Height() - viewport.height + atEnd ||
                                 layout.Height() <= viewport.height;
            if (!clamped && off <= slack + byteWidth) {
                CHECK(std::abs(screenY - y) <= layout.Shape().pitch);
                ++moved;
            }
        }
    }
    CHECK(moved > 300);  // the property was really tried
}

TEST_CASE("fit all shows every row, and zooming out ends there") {
    for (const std::uint64_t size : {std::uint64_t{30}, std::uint64_t{1024}, std::uint64_t{1} << 20,
                                     std::uint64_t{40} << 30, std::uint64_t{1} << 46}) {
        const std::vector<Piece> pieces{{0x10000, 0x10000 + size}};
        const Viewport viewport{900, 500, 1};
        HeapCamera camera;
        HeapLayout layout;
        camera.LayOut(pieces, viewport, layout);
        CHECK(layout.Height() <= viewport.height);
        CHECK(layout.ToPage(0x10000)->x == 0);  // the page begins where the heap does
        const int fitted = camera.zoom;
        camera.ZoomAt(3, 450, 100, pieces, viewport, layout);
        CHECK(camera.zoom == std::max(fitted - 3, kMinZoom));
        CHECK_FALSE(camera.fit);
        camera.ZoomAt(-40, 450, 100, pieces, viewport, layout);
        CHECK(camera.fit);
        CHECK(camera.zoom == fitted);
        CHECK(camera.top == 0);
    }
}

TEST_CASE("fitting a block shows all of it in one row, about the middle") {
    Random random;
    for (int round = 0; round < 200; ++round) {
        const std::vector<Piece> pieces{{0, std::uint64_t{1} << 40}};
        const Viewport viewport{1000, 600, 1};
        HeapCamera camera;
        HeapLayout layout;
        camera.LayOut(pieces, viewport, layout);
        const std::uint64_t size = 1 + random.Wide(30);
        const std::uint64_t begin = (std::uint64_t{1} << 39) + random.Wide(30);
        camera.FitRange(begin, begin + size - 1, pieces, viewport, layout);
        CHECK(layout.RowBegin(begin) == layout.RowBegin(begin + size - 1));
        const std::int64_t y = layout.ToPage(begin)->y - camera.top;
        CHECK(std::abs(y - 300) < 40);
        const auto pixels = layout.Pixels(begin, begin + size - 1);
        if (size >= 32) CHECK(pixels.second - pixels.first >= 400);
    }
}
