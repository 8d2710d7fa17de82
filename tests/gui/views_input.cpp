// What is typed and slid: sizes, rates, queries.
#include <cmath>
#include <limits>

#include "gui/views/event_search.hpp"
#include "gui/views/rate_scale.hpp"
#include "gui/views/short_name.hpp"
#include "log/appender.hpp"
#include "support/catch.hpp"

using namespace residue;
using namespace residue::gui;

TEST_CASE("a rate survives its slider, and the far end is without limit") {
    CHECK(RateOfSlider(0) == 1);
    CHECK(std::isinf(RateOfSlider(1)));
    CHECK(SliderOfRate(std::numeric_limits<double>::infinity()) == 1);
    double before = 0;
    for (int i = 0; i <= 95; ++i) {
        const double rate = RateOfSlider(static_cast<float>(i) / 100);
        CHECK(rate >= before);
        before = rate;
        CHECK(RateOfSlider(SliderOfRate(rate)) == Approx(rate).epsilon(0.03));
    }
    CHECK(RateText(12500) == "12,500/s");
    CHECK(RateText(std::numeric_limits<double>::infinity()) == "as fast as it can");
}

TEST_CASE("a search finds blocks, addresses, sizes and words, both ways, within its budget") {
    log::EventLog log;
    log::Appender appender(log);
    const auto append = [&](events::EventKind kind, std::uint64_t address, std::uint64_t size) {
        events::Event event;
        event.kind = kind;
        event.allocator = AllocatorId{1};
        event.address = address;
        event.size = size;
        appender.Append(&event, 1);
    };
    for (std::uint64_t i = 0; i < 100; ++i) append(events::EventKind::Allocated, 0x1000 + 64 * i, 16 + i % 10);
    append(events::EventKind::Freed, 0x1000 + 64 * 7, 0);
    const log::LogView view = log.View();
    REQUIRE(view.Rows().value == 101);
    const auto find = [&](const char* text, Row from, bool forward) -> std::int64_t {
        EventSearch search;
        search.Start(*EventQuery::Parse(text), from, forward);
        int frames = 0;
        while (search.Advance(view, 7) == EventSearch::State::Searching) REQUIRE(++frames < 100);
        return search.Now() == EventSearch::State::Found ? static_cast<std::int64_t>(search.At().value) : -1;
    };
    CHECK(find("#8", Row{0}, true) == 7);
    CHECK(find("#8", Row{7}, true) == 100);    // where it was freed
    CHECK(find("0x11c5", Row{0}, true) == 7);  // inside block 8
    CHECK(find("20", Row{4}, true) == 14);
    CHECK(find("20", Row{14}, false) == 4);
    CHECK(find("freed", Row{0}, true) == 100);
    CHECK(find("Freed", Row{101}, false) == 100);
    CHECK(find("no such site", Row{0}, true) == -1);
    CHECK(find("20", Row{4}, false) == -1);
    CHECK_FALSE(EventQuery::Parse("  "));
}

TEST_CASE("function names are shortened to what tells them apart") {
    CHECK(ShortFunction("main") == "main");
    CHECK(ShortFunction("void residue::session::Workload<int>::Grow(unsigned long)") == "Workload::Grow");
    CHECK(ShortFunction("residue::session::Sandbox::Fragment()", 1) == "Fragment");
    CHECK(ShortFunction("residue::(anonymous namespace)::Build(std::function<void ()> const&)") == "residue::Build");
    CHECK(ShortFunction("std::enable_if<true, void>::type std::__invoke_impl<void, f(*)(int)>(f&&)") ==
          "std::__invoke_impl");
    CHECK(ShortFunction("operator new(unsigned long)") == "operator new");
    CHECK(ShortFunction("0x7fdd0b0d44a3") == "0x7fdd0b0d44a3");
    CHECK(ShortFunction("main::{lambda()#1}::operator()() const") == "{lambda}::operator()");
    CHECK(
        ShortFunction("std::_Function_handler<void (), s::Run(int)::{lambda()#1}>::_M_invoke(std::_Any_data const&)") ==
        "_Function_handler::_M_invoke");
    CHECK(ShortFunction("bool std::operator< <char>(a const&, b const&)") == "std::operator< <char>");
    CHECK(ShortFunction("") == "");
    CHECK(ShortFunction("a>b<c") == "a>b<c");
}
