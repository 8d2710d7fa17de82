// What is typed into the filter, and what the picture of lives shows where.
#include "gui/views/filter_fields.hpp"

#include "gui/views/analysis_text.hpp"
#include "gui/views/lives_scale.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;

TEST_CASE("intervals are read as people write them, and what is none says what was expected") {
    constexpr std::uint64_t kAll = analysis::BlockFilter::kNoLimit;
    const auto read = [](const char* text, bool bytes = true) {
        const auto interval = ParseInterval(text, bytes);
        REQUIRE(interval);
        return *interval;
    };
    using Pair = std::pair<std::uint64_t, std::uint64_t>;
    CHECK(read("64") == Pair{64, 64});
    CHECK(read(" 1K - 4K ") == Pair{1024, 4096});
    CHECK(read("1K-") == Pair{1024, kAll});
    CHECK(read("-4K") == Pair{0, 4096});
    CHECK(read(">= 10") == Pair{10, kAll});
    CHECK(read("> 10") == Pair{11, kAll});
    CHECK(read("<= 10") == Pair{0, 10});
    CHECK(read("< 10") == Pair{0, 9});
    CHECK(read("1,000-2,000", false) == Pair{1000, 2000});
    for (const char* wrong : {"", "-", "x", "4K-1K", "1-2-3", "<", "< 0", ">= ", "1e99", "99999999999999999999999",
                              "> 18446744073709551615"}) {
        CAPTURE(wrong);
        const auto interval = ParseInterval(wrong, true);
        REQUIRE_FALSE(interval);
        CHECK(interval.error().expected.find("1K-4K") != std::string::npos);
    }
}

TEST_CASE("the filter's fields make one filter, and tell which of them is wrong") {
    FilterFields fields;
    CHECK_FALSE(fields.Any());
    REQUIRE(fields.Parse());
    CHECK_FALSE(fields.Parse()->Any());
    fields.texts[FilterFields::Size] = "16-";
    fields.texts[FilterFields::Life] = "< 100";
    fields.texts[FilterFields::Site] = " parse ";
    fields.texts[FilterFields::Thread] = "2";
    fields.allocator = AllocatorId{3};
    fields.born = std::pair{Position{5}, Position{9}};
    const auto filter = fields.Parse();
    REQUIRE(filter);
    CHECK(filter->leastSize == 16);
    CHECK(filter->mostLife == 99);
    CHECK(filter->site == "parse");
    CHECK(filter->thread == ThreadId{2});
    CHECK(filter->allocator == AllocatorId{3});
    CHECK(filter->bornTo == Position{9});
    fields.texts[FilterFields::Life] = "soon";
    CHECK(fields.Wrong() == FilterFields::Life);
    fields.texts[FilterFields::Life] = "";
    fields.texts[FilterFields::Thread] = "99999999999";
    CHECK(fields.Wrong() == FilterFields::Thread);
}

TEST_CASE("shares are never rounded to all or to nothing") {
    CHECK(FormatShare(1, 1) == "100 %");
    CHECK(FormatShare(99999, 100000) == "99.9 %");
    CHECK(FormatShare(1, 100000) == "< 0.1 %");
    CHECK(FormatShare(31, 100) == "31 %");
    CHECK(FormatShare(0, 5) == "0 %");
    CHECK(FormatShare(1, 0).empty());
    CHECK(FormatValue(analysis::SiteMeasure::GrownBytes, -2048) == "\u22122,048 B");
}

TEST_CASE("the picture of lives keeps what is under the pointer, and stays within what there is") {
    LivesScale scale;
    scale.area = {{100, 50}, {600, 250}};
    scale.limitTo = 1001;
    scale.limitBegin = 0x7f0000000000, scale.limitEnd = 0x7f0000000000 + 200 * 4096;
    scale.FitAll();
    CHECK(scale.bytesPerRow == 4096);
    CHECK(scale.End() == scale.limitEnd);
    CHECK(scale.X(0) == 100);
    CHECK(scale.AddressAt(50) == scale.limitBegin);
    const double at = scale.At(400);
    scale.ZoomTime(3, 400);
    scale.Clamp();
    CHECK(scale.At(400) == Approx(at));
    const std::uint64_t address = scale.AddressAt(150);
    scale.ZoomAddress(3, 150);
    scale.Clamp();
    CHECK(scale.AddressAt(150) == address);
    CHECK(scale.bytesPerRow < 4096);
    for (int i = 0; i < 200; ++i) scale.ZoomAddress(2, 150), scale.ZoomTime(2, 300), scale.Clamp();
    CHECK(scale.bytesPerRow == 1);
    CHECK(scale.rowPixels == 64);
    CHECK(scale.Rows() == 3);
    CHECK(scale.to - scale.from == Approx(4));
    CHECK(scale.Request(AllocatorId{1}, 4096).columns <= 6);  // a column a position
    scale.Pan(-1e6f, -1e8f);
    scale.Clamp();
    CHECK(scale.to == Approx(1001));
    CHECK(scale.End() <= scale.limitEnd);
    CHECK(scale.End() + 2 >= scale.limitEnd);
    for (int i = 0; i < 400; ++i) scale.ZoomAddress(-2, 150), scale.ZoomTime(-2, 300), scale.Clamp();
    CHECK(scale.from == 0);
    CHECK(scale.to == Approx(1001));
    CHECK(scale.begin == scale.limitBegin);
    const auto request = scale.Request(AllocatorId{1}, 100);
    CHECK(request.columns == 100);
    CHECK(request.rows == 100);
    CHECK(request.bytesPerRow == 2 * 4096);
    for (const std::uint64_t label : scale.AddressLabels(40)) CHECK(label % (64 * 4096) == 0);
    // A few bytes fill the height.
    scale.limitEnd = scale.limitBegin + 20;
    scale.FitAll();
    scale.Clamp();
    CHECK(scale.rowPixels == 10);
    CHECK(scale.AddressAt(50 + 95) == scale.limitBegin + 9);
    CHECK(scale.Y(scale.limitBegin + 9) == 140);
    // The very end of the address space.
    scale.limitBegin = ~std::uint64_t{0} - 10, scale.limitEnd = ~std::uint64_t{0};
    scale.FitAll();
    scale.Clamp();
    CHECK(scale.AddressLabels(40).size() <= 11);
    CHECK(scale.End() == ~std::uint64_t{0});
}
