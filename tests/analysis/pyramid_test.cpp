#include "analysis/pyramid.hpp"

#include <random>

#include "support/catch.hpp"

using namespace residue::analysis;

namespace {

// Samples whose figures stand still, move little and leap, in stretches.
std::vector<Sample> SomeSamples(std::uint32_t seed, std::size_t count) {
    std::mt19937_64 random(seed);
    std::vector<Sample> samples;
    Sample sample;
    std::uint64_t stride = 0;
    while (samples.size() < count) {
        if (random() % 50 == 0) stride = std::uint64_t{1} << random() % 60;
        if (random() % 200 == 0) stride = 0;
        if (stride > 0) {
            sample.live = random() % 8 == 0 ? random() % (stride * 2) : sample.live ^ (random() % stride);
            if (random() % 3 == 0) sample.heap = random() % stride;
            if (random() % 5 == 0) sample.fragmentation = static_cast<float>(random() % 1000) / 1000;
        }
        samples.push_back(sample);
    }
    return samples;
}

}  // namespace

TEST_CASE("a pyramid tells every sample, and the extremes of every range, as a scan does", "[property]") {
    const std::size_t count = GENERATE(0, 1, 63, 64, 65, 1023, 1024, 5000, 70'000);
    const auto samples = SomeSamples(static_cast<std::uint32_t>(count) + 1, count);
    Pyramid pyramid;
    for (const Sample& sample : samples) pyramid.Add(sample);
    const Pyramid::View view = pyramid.Snapshot();
    REQUIRE(view.Size() == count);
    for (std::size_t i = 0; i < count; ++i) {
        const Sample told = view.At(i);
        REQUIRE(told.live == samples[i].live);
        REQUIRE(told.heap == samples[i].heap);
        REQUIRE(told.fragmentation == samples[i].fragmentation);
    }
    std::mt19937_64 random(7);
    for (int i = 0; i < 300 && count > 0; ++i) {
        const std::uint64_t from = random() % count, to = from + 1 + random() % (count - from);
        CAPTURE(count, from, to);
        Extremes expected;
        for (std::uint64_t at = from; at < to; ++at) expected.Take(samples[at], at);
        const Extremes told = view.Over(from, to);
        REQUIRE(told.liveMin == expected.liveMin);
        REQUIRE(told.liveMax == expected.liveMax);
        REQUIRE(told.liveMinAt == expected.liveMinAt);
        REQUIRE(told.liveMaxAt == expected.liveMaxAt);
        REQUIRE(told.heapMin == expected.heapMin);
        REQUIRE(told.heapMax == expected.heapMax);
        REQUIRE(told.fragmentationMin == expected.fragmentationMin);
        REQUIRE(told.fragmentationMax == expected.fragmentationMax);
    }
}

TEST_CASE("a snapshot of a pyramid stays as it is while more is added") {
    const auto samples = SomeSamples(3, 3000);
    Pyramid pyramid;
    std::vector<Pyramid::View> views;
    for (const Sample& sample : samples) {
        views.push_back(pyramid.Snapshot());
        pyramid.Add(sample);
    }
    for (std::size_t size = 1; size < views.size(); size += 37) {
        REQUIRE(views[size].Size() == size);
        REQUIRE(views[size].At(size - 1).live == samples[size - 1].live);
        REQUIRE(views[size].Over(0, size).liveMax >= samples[size - 1].live);
    }
}

TEST_CASE("figures that move little take few bytes") {
    Pyramid pyramid;
    for (std::uint64_t i = 0; i < 1 << 18; ++i) pyramid.Add({1'000'000 + i % 200 * 8, 0, 0});
    CHECK(pyramid.ResidentBytes() < pyramid.Size() * 4);
}
