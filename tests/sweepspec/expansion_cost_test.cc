// What a sweep file can make its reader do: bounded in steps, whatever it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "sweepspec/meter.h"
#include "tests/sweepspec/sweep_text.h"

namespace gridsweep::sweepspec {
namespace {

using ::testing::HasSubstr;

std::string Repeated(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string FirstError(const ExpandResult& result) {
  for (const v1::Notice& notice : result.notices) {
    if (notice.severity() == v1::Notice::SEVERITY_ERROR) return notice.message();
  }
  return "";
}

// Compared one by one, its 60,000 points times 400,000 values took 29 s.
TEST(ExpansionCost, AValueIsFoundInALongListOfExcludeAtOnce) {
  std::string seeds;
  for (int i = 0; i < 400'000; ++i) seeds += std::to_string(1'000'000 + i) + ",";
  const auto result = Expanded(
      Grid("seed: {min: 0, max: 59999}", "gridsweep: {exclude: [{seed: [7, " + seeds + "]}]}\n"),
      {.keep_runs = 0});
  ASSERT_TRUE(result.sweep) << FirstError(result);
  EXPECT_EQ(result.sweep->run_count, 59'999u);
  EXPECT_EQ(result.sweep->excluded, 1u);
  EXPECT_LT(result.steps, 60'000 * (kStepsAPoint + 5));
}

// So is one partial point among many: 20,000 of them, at 60,000 points.
TEST(ExpansionCost, APartialPointIsFoundAmongManyAtOnce) {
  std::string points;
  for (int i = 0; i < 20'000; ++i) {
    points += "{activation: relu, seed: " + std::to_string(59'000 + i) + "},";
  }
  const auto result =
      Expanded(Grid("seed: {min: 0, max: 59999}", "gridsweep: {exclude: [" + points + "]}\n"),
               {.keep_runs = 0});
  ASSERT_TRUE(result.sweep) << FirstError(result);
  EXPECT_EQ(result.sweep->excluded, 1000u);
  EXPECT_LT(result.steps, 60'000 * (kStepsAPoint + 10));
  EXPECT_EQ(result.notices.size(), Notices::kMaxNotes + 1);
  EXPECT_EQ(result.notices.back().message(), "and 18900 more notes");
}

// Whatever is looked up first, what is left is what comparing each point with each of them leaves.
TEST(ExpansionCost, ExcludeLeavesOutWhatMatches) {
  std::mt19937 random(7);
  const auto pick = [&](int n) { return static_cast<int>(random() % n); };
  const std::vector<std::string> activations = {"relu", "tanh", "linear"};
  struct Partial {
    std::set<int> seeds, sizes, kinds;  // empty: any
  };
  for (int round = 0; round < 20; ++round) {
    std::vector<Partial> partials(1 + pick(30));
    std::string exclude;
    for (Partial& partial : partials) {
      std::string seeds, sizes, kinds;
      for (int i = pick(4); i > 0; --i) partial.seeds.insert(pick(25));
      for (int i = pick(3); i > 0; --i) partial.sizes.insert(4 << pick(4));
      for (int i = pick(3); i > 0; --i) partial.kinds.insert(pick(3));
      if (partial.seeds.empty()) partial.seeds.insert(pick(25));
      for (const int seed : partial.seeds) seeds += std::to_string(seed) + ",";
      for (const int size : partial.sizes) sizes += std::to_string(size) + ",";
      for (const int kind : partial.kinds) kinds += activations[kind] + ",";
      exclude += "{seed: [" + seeds + "]";
      if (!sizes.empty()) exclude += ", Ng: [" + sizes + "]";
      if (!kinds.empty()) exclude += ", activation: [" + kinds + "]";
      exclude += "},";
    }
    const auto result =
        Expanded(Grid("seed: {min: 0, max: 19}\nNg: {values: [4, 8, 16]}\n"
                      "activation: {values: [relu, tanh, linear]}",
                      "gridsweep: {exclude: [" + exclude + "]}\n"));
    ASSERT_TRUE(result.sweep) << FirstError(result);
    std::set<std::tuple<int, int, int>> left, expected;
    for (const science::RunConfig& run : result.sweep->runs) {
      left.emplace(run.seed, run.Ng,
                   run.activation == science::Activation::kRelu   ? 0
                   : run.activation == science::Activation::kTanh ? 1
                                                                  : 2);
    }
    std::vector<bool> matched(partials.size(), false);
    for (int seed = 0; seed < 20; ++seed) {
      for (const int size : {4, 8, 16}) {
        for (int kind = 0; kind < 3; ++kind) {
          bool excluded = false;
          for (size_t i = 0; i < partials.size(); ++i) {
            const auto& [seeds, sizes, kinds] = partials[i];
            if (!seeds.contains(seed) || (!sizes.empty() && !sizes.contains(size)) ||
                (!kinds.empty() && !kinds.contains(kind))) {
              continue;
            }
            matched[i] = excluded = true;
          }
          if (!excluded) expected.emplace(seed, size, kind);
        }
      }
    }
    EXPECT_EQ(left, expected);
    EXPECT_EQ(result.notices.size(), std::ranges::count(matched, false)) << "idle ones are named";
  }
}

// 2 MB of partial points, of the 500,000 values that a file may have, that all points have to be
// compared with.
TEST(ExpansionCost, ExcludeThatAsksForTooMuchIsRefusedAfterABudgetOfSteps) {
  const std::string yaml = Grid(
      "seed: {min: 0, max: 999999}\nNg: {values: [4, 8]}\n"
      "activation: {values: [relu, tanh, linear]}",
      "gridsweep: {exclude: [" + Repeated("{Ng: [4, 16], activation: [sigmoid, relu]},", 50'000) +
          "]}\n");
  ASSERT_GT(yaml.size(), size_t{2'000'000});
  const auto result = Expanded(yaml, {.keep_runs = 0, .max_steps = 20'000'000});
  EXPECT_FALSE(result.sweep);
  EXPECT_THAT(FirstError(result), HasSubstr("more than 20,000,000 steps"));
  EXPECT_LT(result.steps, 22'000'000u);
}

// The largest grid that is walked at all is within the budget.
TEST(ExpansionCost, TheBudgetIsForLargeSweepsToo) {
  EXPECT_GT(kMaxSteps, 20'000'000 * (kStepsAPoint + 20));
}

TEST(ExpansionCost, EndsWhenItsCallerSaysSo) {
  uint64_t asked = 0, told = 0;
  const std::string yaml = Grid("seed: {min: 0, max: 999999}");
  const auto result = Expanded(yaml, {.keep_runs = 0, .stop = [&](uint64_t steps) {
                                        told += steps;
                                        return ++asked == 3;
                                      }});
  EXPECT_EQ(result.end, ExpandResult::End::kStopped);
  EXPECT_FALSE(result.sweep);
  EXPECT_THAT(result.notices, ::testing::IsEmpty());
  EXPECT_LT(result.steps, 4'000'000u);
  EXPECT_EQ(told, result.steps);
}

TEST(ExpansionCost, DrawsAreStoppedToo) {
  uint64_t asked = 0;
  const auto result = Expanded(
      Random("Ng: {min: 16, max: 4096}", "gridsweep: {seeds: 1000, exclude: [{Np: 512}]}\n"),
      {.runs = 1000, .keep_runs = 0, .stop = [&](uint64_t) { return ++asked == 2; }});
  EXPECT_EQ(result.end, ExpandResult::End::kStopped);
}

// With probabilities a draw looked at every value: 10,000 draws of 200,000 took 2 s.
TEST(ExpansionCost, ADrawFindsItsValueAmongManyAtOnce) {
  constexpr int kValues = 200'000;
  std::string values, probabilities;
  for (int i = 0; i < kValues; ++i) {
    values += std::to_string(i) + ",";
    probabilities += i == 0 || i == kValues - 1 ? "0.5," : "0,";
  }
  const auto result =
      Expanded(Random("seed: {values: [" + values + "], probabilities: [" + probabilities + "]}",
                      "gridsweep: {sampler_seed: 1}\n"),
               {.runs = 10'000});
  ASSERT_TRUE(result.sweep) << FirstError(result);
  const auto first = std::ranges::count(result.sweep->runs, 0, &science::RunConfig::seed);
  const auto last = std::ranges::count(result.sweep->runs, kValues - 1, &science::RunConfig::seed);
  EXPECT_EQ(first + last, 10'000);
  EXPECT_NEAR(static_cast<double>(first), 5000, 250);
}

TEST(ExpansionCost, WhatIsNotKeptIsCountedTheSame) {
  const std::string yaml = Grid("seed: {min: 0, max: 99}\nNg: {values: [4, 8]}");
  const auto all = Expanded(yaml), few = Expanded(yaml, {.keep_runs = 3});
  ASSERT_TRUE(all.sweep && few.sweep);
  EXPECT_EQ(all.sweep->runs.size(), 200u);
  EXPECT_EQ(all.sweep->run_count, 200u);
  EXPECT_EQ(few.sweep->run_count, 200u);
  EXPECT_EQ(few.sweep->total_flop, all.sweep->total_flop);
  ASSERT_EQ(few.sweep->runs.size(), 3u);
  EXPECT_TRUE(std::equal(few.sweep->runs.begin(), few.sweep->runs.end(), all.sweep->runs.begin()));
}

// The parser would keep 200 MB of these before it told of the first.
TEST(ExpansionCost, NestingIsRefusedBeforeTheParserKeepsIt) {
  const auto flat = Expanded("description: " + std::string(2'400'000, '['));
  EXPECT_THAT(FirstError(flat), HasSubstr("more than 500000 values"));
  const auto wide = Expanded("description: [[" + Repeated("a,", 1'500'000) + "]]");
  EXPECT_THAT(FirstError(wide), HasSubstr("more than 500000 values"));
  const auto quotes = Expanded("description: [[" + Repeated("'' ", 1'200'000) + "]]");
  EXPECT_THAT(FirstError(quotes), HasSubstr("more than 500000 values"));
  const auto deep = Expanded("description: " + std::string(100, '[') + std::string(100, ']'));
  EXPECT_THAT(FirstError(deep), HasSubstr("nested deeper than 64 levels"));
}

// Every value keeps its path: a long one, times 400,000 values, was hundreds of gigabytes.
TEST(ExpansionCost, NamesAndPathsAreShort) {
  EXPECT_THAT(FirstError(Expanded(std::string(300, 'k') + ": 1\n")), HasSubstr("at most 256"));
  std::string yaml = "method: grid\nparameters:\n", indent = "  ";
  for (int depth = 0; depth < 3; ++depth) {
    yaml += indent + std::string(100, 'g') + ":\n" + indent + "  parameters:\n";
    indent += "    ";
  }
  yaml += indent + "place_field_values: {value: gaussian}\n";
  EXPECT_THAT(FirstError(Expanded(yaml)), HasSubstr("fewer groups"));
}

// Looked for among those before it, each of many keys took the square of their number.
TEST(ExpansionCost, ManyKeysOfWhatIsOnlyKeptAreKept) {
  std::string metric = "metric: {name: loss";
  for (int i = 0; i < 100'000; ++i) metric += ", k" + std::to_string(i) + ": 1";
  const auto result = Expanded(Grid("Ng: {value: 4}", "description: {a: {b: 1, c: 2}}\n"));
  ASSERT_TRUE(result.sweep) << FirstError(result);
  EXPECT_THAT(result.sweep->metadata_json, HasSubstr(R"({"a":{"b":1,"c":2}})"));
  EXPECT_FALSE(Expanded(Grid("Ng: {value: 4}", metric + "}\n")).sweep);
}

// A refused axis is not compared with those that follow it.
TEST(ExpansionCost, ASpecNamesEachAxisOnce) {
  v1::SweepSpec spec;
  spec.mutable_base()->set_place_field_values("gaussian");
  for (int i = 0; i < 100'000; ++i) {
    auto& axis = *spec.add_axes();
    axis.set_parameter("Ng");
    axis.add_values_json("4");
  }
  const auto result = ExpandSpec(spec);
  EXPECT_FALSE(result.sweep);
  EXPECT_EQ(result.notices.size(), Notices::kMaxErrors + 1);
}

}  // namespace
}  // namespace gridsweep::sweepspec
