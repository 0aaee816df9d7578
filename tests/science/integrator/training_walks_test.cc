#include "science/integrator/training_walks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace gridsweep::integrator {
namespace {

using science::RunConfig;

// 10 walks in batches of 3: an epoch has 3 steps and leaves one walk out.
RunConfig ConfigOf(int64_t fixed) {
  RunConfig config;
  config.batch_size = 3;
  config.sequence_length = 4;
  config.n_train_trajectories = fixed;
  return config;
}

Walks WalksOf(TrainingWalks& training, uint64_t step) {
  Walks walks;
  training.Draw(step, walks);
  return walks;
}

// The starts of a step's walks, as names of them.
std::vector<std::pair<double, double>> StartsOf(TrainingWalks& training, uint64_t step) {
  const Walks walks = WalksOf(training, step);
  std::vector<std::pair<double, double>> starts;
  for (size_t b = 0; b < 3; ++b) starts.emplace_back(walks.start[2 * b], walks.start[2 * b + 1]);
  return starts;
}

TEST(TrainingWalks, AreFreshEveryStepUnlessTheirNumberIsGiven) {
  TrainingWalks training(ConfigOf(0));
  for (uint64_t step : {uint64_t{0}, uint64_t{7}}) {
    Walks expected;
    DrawWalks({2.2, 2.2, false}, Random(0, Stream::kTrain, step), 4, 3, expected);
    const Walks walks = WalksOf(training, step);
    EXPECT_EQ(walks.velocity, expected.velocity);
    EXPECT_EQ(walks.positions, expected.positions);
  }
}

TEST(TrainingWalks, AnEpochSeesEachFixedWalkAtMostOnce) {
  TrainingWalks training(ConfigOf(10));
  for (uint64_t epoch = 0; epoch < 20; ++epoch) {
    std::set<std::pair<double, double>> seen;
    for (uint64_t step = 3 * epoch; step < 3 * epoch + 3; ++step) {
      for (const auto& start : StartsOf(training, step)) seen.insert(start);
    }
    EXPECT_EQ(seen.size(), 9u);
  }
}

// Over 3,000 epochs each of the 10 walks is left out 300 times, give or take 16,
// and each comes first 300 times.
TEST(TrainingWalks, FixedWalksAreShuffledEvenly) {
  TrainingWalks training(ConfigOf(10));
  std::map<std::pair<double, double>, int> seen, first;
  for (uint64_t step = 0; step < 9000; ++step) {
    const auto starts = StartsOf(training, step);
    for (const auto& start : starts) ++seen[start];
    if (step % 3 == 0) ++first[starts[0]];
  }
  ASSERT_EQ(seen.size(), 10u);
  ASSERT_EQ(first.size(), 10u);
  for (const auto& [start, times] : seen) EXPECT_NEAR(times, 2700, 80);
  for (const auto& [start, times] : first) EXPECT_NEAR(times, 300, 80);
}

TEST(TrainingWalks, AFixedWalkIsTheSameInEveryEpoch) {
  TrainingWalks training(ConfigOf(10));
  std::map<std::pair<double, double>, std::vector<double>> ends;
  for (uint64_t step = 0; step < 30; ++step) {
    const Walks walks = WalksOf(training, step);
    for (size_t b = 0; b < 3; ++b) {
      std::vector<double> path;
      for (size_t t = 0; t < 4; ++t) path.push_back(walks.positions[2 * (t * 3 + b)]);
      const auto [at, is_new] =
          ends.emplace(std::pair(walks.start[2 * b], walks.start[2 * b + 1]), path);
      EXPECT_EQ(at->second, path);
    }
  }
  EXPECT_EQ(ends.size(), 10u);
}

TEST(TrainingWalks, AStepsWalksDoNotDependOnTheStepsBefore) {
  TrainingWalks whole(ConfigOf(10)), resumed(ConfigOf(10));
  for (uint64_t step = 0; step < 8; ++step) WalksOf(whole, step);
  EXPECT_EQ(WalksOf(whole, 8).positions, WalksOf(resumed, 8).positions);
  EXPECT_EQ(WalksOf(whole, 2).positions, WalksOf(resumed, 2).positions);
}

}  // namespace
}  // namespace gridsweep::integrator
