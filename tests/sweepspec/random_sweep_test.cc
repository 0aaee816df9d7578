// `method: random`: draws, their seed, their number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "science/config/parameters.h"
#include "sweepspec/run_config_proto.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using science::RunConfig;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Settings(int64_t sampler_seed, const std::string& more = "") {
  return "gridsweep: {sampler_seed: " + std::to_string(sampler_seed) + more + "}\n";
}

std::vector<RunConfig> Draws(const std::string& parameters, uint64_t runs,
                             const std::string& settings = Settings(1)) {
  return Runs(Expanded(Random(parameters, settings), {.runs = runs}));
}

// One parameter of `count` draws, sorted.
std::vector<double> Sorted(const std::string& yaml, double RunConfig::* member, uint64_t count) {
  std::vector<double> values;
  for (const RunConfig& run : Draws(yaml, count)) values.push_back(run.*member);
  std::sort(values.begin(), values.end());
  return values;
}

constexpr char kManyAxes[] =
    "learning_rate: {distribution: log_uniform_values, min: 1.0e-5, max: 1.0e-2}\n"
    "place_cell_rf: {min: 0.05, max: 0.5}\n"
    "Ng: {min: 16, max: 4096}\n"
    "activation: {values: [relu, tanh, linear]}\n"
    "seed: {min: 0, max: 1000000}";

TEST(RandomSweep, TheSameSeedGivesTheSameRunsAndAnotherGivesOthers) {
  EXPECT_EQ(Draws(kManyAxes, 200, Settings(5)), Draws(kManyAxes, 200, Settings(5)));
  const auto a = Draws(kManyAxes, 200, Settings(5)), b = Draws(kManyAxes, 200, Settings(6));
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NE(a[i].seed, b[i].seed);
}

// A change here changes what a stored sampler_seed means.
TEST(RandomSweep, ASeedKeepsItsMeaning) {
  const auto run = Draws(kManyAxes, 2, Settings(0)).back();
  EXPECT_EQ(run.Ng, 352);
  EXPECT_EQ(ValueText(science::FindParameter("activation")->get(run)), "tanh");
  EXPECT_EQ(run.seed, 455046);
  EXPECT_NEAR(run.learning_rate, 7.698421265389999e-05, 1e-15);
  EXPECT_NEAR(run.place_cell_rf.a, 0.26503672436203635, 1e-15);
}

TEST(RandomSweep, MoreRunsBeginWithTheSameOnes) {
  const auto few = Draws(kManyAxes, 10), many = Draws(kManyAxes, 100);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

TEST(RandomSweep, AParametersDrawsDependOnNoOtherParameterNorOnTheOrderOfTheFile) {
  const auto all = Draws(kManyAxes, 50);
  const auto alone = Draws("Ng: {min: 16, max: 4096}", 50);
  const auto turned = Draws(
      "seed: {min: 0, max: 1000000}\nactivation: {values: [relu, tanh, linear]}\n"
      "Ng: {min: 16, max: 4096}\nplace_cell_rf: {min: 0.05, max: 0.5}\n"
      "learning_rate: {distribution: log_uniform_values, min: 1.0e-5, max: 1.0e-2}",
      50);
  EXPECT_EQ(all, turned);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].Ng, alone[i].Ng);
}

TEST(RandomSweep, WithoutASeedOneIsChosenAndTold) {
  const auto a = Expanded(Random(kManyAxes), {.runs = 20});
  const auto b = Expanded(Random(kManyAxes), {.runs = 20});
  ASSERT_TRUE(a.sweep && b.sweep);
  ASSERT_TRUE(a.sweep->sampler_seed && b.sweep->sampler_seed);
  EXPECT_NE(*a.sweep->sampler_seed, *b.sweep->sampler_seed);
  EXPECT_GE(*a.sweep->sampler_seed, 0);
  EXPECT_LT(*a.sweep->sampler_seed, int64_t{1} << 53);  // exact in JSON
  EXPECT_EQ(Draws(kManyAxes, 20, Settings(*a.sweep->sampler_seed)), a.sweep->runs);
}

TEST(RandomSweep, AGridHasNoSamplerSeed) {
  EXPECT_EQ(Expanded(Grid("Ng: {value: 4}")).sweep.value().sampler_seed, std::nullopt);
}

TEST(RandomSweep, TheNumberOfRunsComesFromTheOptionTheFileOrNobody) {
  const std::string file = Random(kManyAxes, "run_cap: 7\n");
  EXPECT_EQ(Runs(Expanded(file)).size(), 7u);
  EXPECT_EQ(Runs(Expanded(Random(kManyAxes, "gridsweep: {runs: 8}\n"))).size(), 8u);
  EXPECT_EQ(Runs(Expanded(file, {.runs = 9})).size(), 9u);
  const auto none = Expanded(Random(kManyAxes));
  ASSERT_TRUE(none.sweep);
  EXPECT_TRUE(none.sweep->needs_run_count);
  EXPECT_THAT(none.sweep->runs, IsEmpty());
  EXPECT_THAT(Remarks(none), ElementsAre(AllOf(HasSubstr("run_cap"), HasSubstr("--runs"))));
  EXPECT_THAT(Errors(Expanded(file, {.runs = 0})), ElementsAre(HasSubstr("at least 1")));
  EXPECT_THAT(Errors(Expanded(file, {.runs = 1'000'001})),
              ElementsAre(HasSubstr("1,000,001 runs; one sweep has at most 1,000,000")));
}

TEST(RandomSweep, SeedsCountIntoTheNumberOfRuns) {
  const std::string axis = "Ng: {min: 1, max: 9}";
  EXPECT_EQ(Runs(Expanded(Random(axis, "run_cap: 5\ngridsweep: {seeds: 4}\n"))).size(), 20u);
  EXPECT_THAT(Errors(Expanded(Random(axis, "run_cap: 3\ngridsweep: {seeds: 400000}\n"))),
              ElementsAre(HasSubstr("5:10 run_cap: 1,200,000 runs")));
  EXPECT_TRUE(Expanded(Random(axis, "gridsweep: {seeds: 400000}\n")).sweep);
}

TEST(RandomSweep, ASpaceBeyondCountingIsNotEnumerated) {
  std::string axes;
  for (const char* name : {"Ng", "batch_size", "sequence_length", "n_epochs", "chance_units",
                           "chance_shuffles", "eval_batches", "seed"}) {
    axes += std::string(name) + ": {min: 1, max: 1000000000}\n";  // 10^72 points
  }
  EXPECT_EQ(Draws(axes, 1000).size(), 1000u);
}

TEST(RandomSweep, EqualDrawsStayEachARun) {
  const auto result = Expanded(Random("Ng: {values: [8, 8.0, 16]}", Settings(1)), {.runs = 3000});
  const auto runs = Runs(result);
  EXPECT_EQ(runs.size(), 3000u);
  EXPECT_EQ(result.sweep->collapsed, 0u);
  // As in W&B's sampler, a value that is there twice is drawn twice as often.
  const auto eights = std::ranges::count(runs, 8, &RunConfig::Ng);
  EXPECT_NEAR(eights / 3000.0, 2 / 3.0, 0.04);
}

TEST(RandomSweep, ValuesAreDrawnEquallyOftenOrByTheirProbabilities) {
  const auto counts = [](const std::string& axis, int n) {
    std::map<int64_t, double> counted;
    for (const RunConfig& run : Draws(axis, n)) counted[run.Ng] += 1.0 / n;
    return counted;
  };
  constexpr int kDraws = 20'000;
  // Five standard errors.
  const double bound = 5 * std::sqrt(0.25 / kDraws);
  auto equal = counts("Ng: {values: [1, 2, 3, 4]}", kDraws);
  for (int64_t value = 1; value <= 4; ++value) EXPECT_NEAR(equal[value], 0.25, bound);
  auto weighted = counts("Ng: {values: [1, 2, 3, 4], probabilities: [0.1, 0.2, 0.7, 0]}", kDraws);
  EXPECT_NEAR(weighted[1], 0.1, bound);
  EXPECT_NEAR(weighted[2], 0.2, bound);
  EXPECT_NEAR(weighted[3], 0.7, bound);
  EXPECT_FALSE(weighted.contains(4));
}

// Each kind from the file to the runs: its range, and quantiles of 4,000 draws
// against closed forms, within five standard errors of the probability.
TEST(RandomSweep, EachDistributionOfAFileReachesTheRuns) {
  constexpr int kDraws = 4000;
  const auto normal = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  struct Case {
    const char* axis;
    double RunConfig::* member;
    double min, max;
    std::function<double(double)> probability;  // of a draw <= x
  };
  const Case cases[] = {
      {"learning_rate: {min: 0.5, max: 2.5}", &RunConfig::learning_rate, 0.5, 2.5,
       [](double x) { return (x - 0.5) / 2; }},
      {"learning_rate: {distribution: uniform, min: 1, max: 2}", &RunConfig::learning_rate, 1, 2,
       [](double x) { return x - 1; }},
      {"learning_rate: {distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-1}",
       &RunConfig::learning_rate, 1e-4, 1e-1, [](double x) { return (std::log10(x) + 4) / 3; }},
      {"learning_rate: {distribution: inv_log_uniform_values, min: 1.0e-4, max: 1.0e-1}",
       &RunConfig::learning_rate, 1e-4, 1e-1, [](double x) { return (std::log10(x) + 4) / 3; }},
      {"learning_rate: {distribution: log_normal, mu: -3, sigma: 0.5}", &RunConfig::learning_rate,
       0, 1e9, [&](double x) { return normal((std::log(x) + 3) / 0.5); }},
      {"learning_rate: {distribution: log_normal}", &RunConfig::learning_rate, 0, 1e9,
       [&](double x) { return normal(std::log(x)); }},
      {"learning_rate: {distribution: normal, mu: 10, sigma: 1.5}", &RunConfig::learning_rate, 0,
       20, [&](double x) { return normal((x - 10) / 1.5); }},
      {"readout_dropout: {distribution: beta, a: 2, b: 1}", &RunConfig::readout_dropout, 0, 1,
       [](double x) { return x * x; }},
      {"readout_dropout: {distribution: beta}", &RunConfig::readout_dropout, 0, 1,
       [](double x) { return x; }},
  };
  for (const Case& c : cases) {
    const auto values = Sorted(c.axis, c.member, kDraws);
    ASSERT_EQ(values.size(), size_t{kDraws});
    EXPECT_GE(values.front(), c.min) << c.axis;
    EXPECT_LE(values.back(), c.max) << c.axis;
    for (double p : {0.05, 0.25, 0.5, 0.75, 0.95}) {
      const double at = values[static_cast<size_t>(p * kDraws)];
      EXPECT_NEAR(c.probability(at), p, 5 * std::sqrt(p * (1 - p) / kDraws)) << c.axis;
    }
  }
}

TEST(RandomSweep, QuantisedDrawsOfAFileAreMultiplesWithTheRightFrequencies) {
  constexpr int kDraws = 8000;
  const auto normal = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  struct Case {
    const char* axis;
    std::map<double, double> frequency;  // of the values that matter
  };
  const Case cases[] = {
      // Rounded: the ends have half a step each, and 9.7 rounds beyond max.
      {"weight_decay: {distribution: q_uniform, min: 0, max: 9.7, q: 2}",
       {{0, 1 / 9.7}, {2, 2 / 9.7}, {8, 2 / 9.7}, {10, 0.7 / 9.7}}},
      {"weight_decay: {distribution: q_uniform, min: 1, max: 4}",
       {{1, 1 / 6.0}, {2, 1 / 3.0}, {3, 1 / 3.0}, {4, 1 / 6.0}}},
      {"weight_decay: {distribution: q_normal, mu: 10, sigma: 1, q: 0.5}",
       {{10, normal(0.25) - normal(-0.25)}, {10.5, normal(0.75) - normal(0.25)}}},
      {"weight_decay: {distribution: q_log_normal, mu: 1, sigma: 0.5, q: 1}",
       {{3, normal((std::log(3.5) - 1) / 0.5) - normal((std::log(2.5) - 1) / 0.5)}}},
      {"weight_decay: {distribution: q_beta, a: 1, b: 1, q: 0.25}",
       {{0, 0.125}, {0.25, 0.25}, {0.5, 0.25}, {0.75, 0.25}, {1, 0.125}}},
      {"weight_decay: {distribution: q_log_uniform_values, min: 1, max: 100, q: 10}",
       {{0, std::log10(5) / 2}, {10, std::log10(3) / 2}}},
  };
  for (const Case& c : cases) {
    std::map<double, double> counted;
    for (const RunConfig& run : Draws(c.axis, kDraws)) counted[run.weight_decay] += 1.0 / kDraws;
    for (const auto& [value, p] : c.frequency) {
      EXPECT_NEAR(counted[value], p, 5 * std::sqrt(p * (1 - p) / kDraws)) << c.axis << " " << value;
    }
  }
}

TEST(RandomSweep, WholeNumbersAreDrawnFromWholeDistributions) {
  for (const char* axis :
       {"Ng: {min: 3, max: 5}", "Ng: {distribution: int_uniform, min: 3, max: 5}",
        "Ng: {distribution: q_uniform, min: 3, max: 5, q: 1}"}) {
    std::set<int64_t> values;
    for (const RunConfig& run : Draws(axis, 100)) values.insert(run.Ng);
    EXPECT_THAT(values, ElementsAre(3, 4, 5)) << axis;
  }
  EXPECT_THAT(Errors(Expanded(Random("Ng: {min: 3.0, max: 5}", "run_cap: 2\n"))),
              ElementsAre(AllOf(HasSubstr("4:3 parameters.Ng: uniform draws fractions"),
                                HasSubstr("use int_uniform"))));
}

TEST(RandomSweep, ImpossibleDrawsAreReplacedByTheNextOfTheStreamAndCounted) {
  // Np must be 3 or more for place cells: half of the draws cannot be.
  const std::string axes = "Np: {min: 1, max: 4}\nseed: {min: 0, max: 1000000}";
  const auto result = Expanded(Random(axes, Settings(3)), {.runs = 100});
  const auto runs = Runs(result);
  ASSERT_EQ(runs.size(), 100u);
  // The same stream with the readout to which every Np is right.
  const auto stream =
      Draws("place_field_values: {value: high_dim_cartesian}\n" + axes, 1000, Settings(3));
  size_t kept = 0, replaced = 0;
  for (const RunConfig& draw : stream) {
    if (kept == runs.size()) break;
    if (draw.Np < 3) {
      ++replaced;
      continue;
    }
    EXPECT_EQ(runs[kept].Np, draw.Np);
    EXPECT_EQ(runs[kept].seed, draw.seed);
    ++kept;
  }
  ASSERT_EQ(kept, runs.size());
  EXPECT_THAT(Remarks(result),
              ElementsAre(AllOf(HasSubstr(std::to_string(replaced) + " draws could not be and were "
                                                                     "replaced"),
                                HasSubstr("for example Np: "), HasSubstr("use Np >= 3"))));
}

TEST(RandomSweep, DrawsOutOfAParametersRangeAreReplacedToo) {
  const auto result = Expanded(
      Random("learning_rate: {distribution: normal, mu: 0, sigma: 1}", Settings(1)), {.runs = 200});
  for (const RunConfig& run : Runs(result)) EXPECT_GT(run.learning_rate, 0);
  EXPECT_THAT(Remarks(result), ElementsAre(AllOf(HasSubstr("draws could not be"),
                                                 HasSubstr("one of learning_rate, which is > 0"))));
}

TEST(RandomSweep, ARangeThatHardlyEverFitsIsRefused) {
  const auto result =
      Expanded(Random("learning_rate: {min: -10.0, max: 0.0}", Settings(1)), {.runs = 5});
  EXPECT_FALSE(result.sweep);
  EXPECT_THAT(Errors(result), ElementsAre(AllOf(HasSubstr("only 0 of 10,"),
                                                HasSubstr("learning_rate, which is > 0"))));
  // Without a number of runs the fault is found as well.
  EXPECT_FALSE(Expanded(Random("learning_rate: {min: -10.0, max: 0.0}")).sweep);
}

TEST(RandomSweep, EachDrawHasItsSeedsAndExclusionsReplaceDraws) {
  const auto result = Expanded(
      Random("Ng: {values: [8, 16]}", Settings(1, ", seeds: 3, exclude: [{Ng: 8}, {seed: 1}]")),
      {.runs = 10});
  const auto runs = Runs(result);
  ASSERT_EQ(runs.size(), 20u);
  for (size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(runs[i].Ng, 16);
    EXPECT_EQ(runs[i].seed, i % 2 == 0 ? 0 : 2);
  }
  EXPECT_GE(result.sweep->excluded, 10u);
}

}  // namespace
}  // namespace gridsweep::sweepspec
