#include "lab/score.hpp"

#include <vector>

#include "support/catch.hpp"

using namespace residue::lab;

TEST_CASE("2002: the plain mean, all operations by all seconds, 600 Kops/s are enough") {
    const std::vector<ScoredTrace> traces = {{true, 0, 0.9, 1000, 0.01}, {true, 2, 0.5, 2000, 0.01}};
    const Score score = ScoreOf(traces, RulesOf('A'));
    CHECK(score.utilisation == Approx(0.7));
    CHECK(*score.throughput == Approx(150'000));
    CHECK(score.utilPoints == Approx(42));
    CHECK(*score.throughputPoints == Approx(10));
    CHECK(*score.index == Approx(52));
    const std::vector<ScoredTrace> fast = {{true, 1, 1, 1'000'000, 0.1}};
    CHECK(*ScoreOf(fast, RulesOf('A')).index == Approx(100));
}

TEST_CASE("2004: weights say what counts, and points lie between two marks") {
    const std::vector<ScoredTrace> traces = {
        {true, 1, 0.80, 1000, 0.0001}, {true, 2, 0.65, 500, 5}, {true, 3, 0.1, 1000, 0.0001}, {true, 0, 0.1, 9, 9}};
    const Score score = ScoreOf(traces, RulesOf('B'));
    CHECK(score.utilisation == Approx(0.725));
    CHECK(score.utilPoints == Approx(30));
    CHECK(*score.throughput == Approx(10e6));
    CHECK(*score.throughputPoints == Approx(10));
}

TEST_CASE("2016: throughput is a harmonic mean") {
    const std::vector<ScoredTrace> traces = {{true, 1, 0.645, 6000, 0.001}, {true, 1, 0.645, 3000, 0.001}};
    const Score score = ScoreOf(traces, RulesOf('C'));
    CHECK(*score.throughput == Approx(4e6));
    CHECK(score.utilPoints == Approx(30));
    CHECK(*score.throughputPoints == Approx(0));
}

TEST_CASE("An invalid trace counts nothing, and makes the index 0") {
    const std::vector<ScoredTrace> traces = {{true, 1, 0.8, 1000, 0.01}, {false, 1, 0.9, 1000, 0}};
    const Score score = ScoreOf(traces, RulesOf('A'));
    CHECK(score.utilisation == Approx(0.4));
    CHECK(*score.index == 0);
}

TEST_CASE("Without timing there is no index, without scored traces no utilisation") {
    const std::vector<ScoredTrace> untimed = {{true, 1, 0.8, 1000, 0}};
    CHECK(!ScoreOf(untimed, RulesOf('A')).index);
    const std::vector<ScoredTrace> unscored = {{true, 0, 0.8, 1000, 1}};
    CHECK(!ScoreOf(unscored, RulesOf('B')).scored);
    CHECK(!ScoreOf({}, RulesOf('B')).scored);
}

TEST_CASE("Marks that are the same are a step") {
    ScoreRules rules;
    rules.minUtil = rules.maxUtil = 0.5;
    const std::vector<ScoredTrace> below = {{true, 1, 0.49, 1, 1}}, at = {{true, 1, 0.5, 1, 1}};
    CHECK(ScoreOf(below, rules).utilPoints == 0);
    CHECK(ScoreOf(at, rules).utilPoints == Approx(60));
}
