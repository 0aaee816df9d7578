#include "science/integrator/trajectory.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gridsweep::integrator {
namespace {

constexpr double kPi = 3.14159265358979323846;
const Box kWalled = {2.2, 2.2, false};
const Box kPeriodic = {2.2, 2.2, true};

Walks Draw(const Box& box, int64_t steps, int64_t batch, uint64_t step = 0) {
  Walks walks;
  DrawWalks(box, Random(5, Stream::kTrain, step), steps, batch, walks);
  return walks;
}

TEST(AvoidWall, LeavesTheAnimalAloneAwayFromWalls) {
  const auto effect = AvoidWall(kWalled, {1.06, 0}, 0);  // 4 cm from the wall
  EXPECT_EQ(effect.turn, 0);
  EXPECT_EQ(effect.speed_factor, 1);
}

// At (1.08, 0) heading 30 degrees to the left of +x the nearest wall's normal is
// at 0: turning left by another 60 degrees makes the heading parallel to the wall.
TEST(AvoidWall, TurnsParallelToTheWallAndSlowsDown) {
  auto effect = AvoidWall(kWalled, {1.08, 0}, kPi / 6);
  EXPECT_NEAR(effect.turn, kPi / 3, 1e-12);
  EXPECT_EQ(effect.speed_factor, 0.25);
  effect = AvoidWall(kWalled, {1.08, 0}, -kPi / 6);
  EXPECT_NEAR(effect.turn, -kPi / 3, 1e-12);
  // The lower wall's normal is at 270 degrees; 300 degrees is 30 to its left.
  effect = AvoidWall(kWalled, {0, -1.09}, 5 * kPi / 3);
  EXPECT_NEAR(effect.turn, kPi / 3, 1e-12);
  // Full turns of the heading change nothing.
  effect = AvoidWall(kWalled, {0, -1.09}, 5 * kPi / 3 - 6 * kPi);
  EXPECT_NEAR(effect.turn, kPi / 3, 1e-12);
}

TEST(AvoidWall, DoesNothingWhenFacingAway) {
  const auto effect = AvoidWall(kWalled, {1.08, 0}, 0.6 * kPi);
  EXPECT_EQ(effect.turn, 0);
  EXPECT_EQ(effect.speed_factor, 1);
}

TEST(AvoidWall, HoldsBeyondTheWallAndOnlySlowsWhenHeadOn) {
  const auto effect = AvoidWall(kWalled, {1.15, 0}, 0);
  EXPECT_EQ(effect.turn, 0);  // sign(0) = 0
  EXPECT_EQ(effect.speed_factor, 0.25);
}

TEST(AvoidWall, TiesTakeTheFirstWall) {
  // In the corner +x, +y: the normal is +x's, so 45 degrees turns left by 45.
  EXPECT_NEAR(AvoidWall(kWalled, {1.09, 1.09}, kPi / 4).turn, kPi / 4, 1e-12);
}

TEST(AvoidWall, PeriodicBoxesHaveNoWalls) {
  EXPECT_EQ(AvoidWall(kPeriodic, {1.09, 0}, 0).speed_factor, 1);
}

TEST(WrapCoordinate, MapsIntoTheHalfOpenBox) {
  EXPECT_NEAR(WrapCoordinate(1.2, 2.2), -1.0, 1e-12);
  EXPECT_NEAR(WrapCoordinate(-3.4, 2.2), 1.0, 1e-12);
  EXPECT_EQ(WrapCoordinate(1.1, 2.2), -1.1);
  EXPECT_EQ(WrapCoordinate(0.3, 2.2), 0.3);
}

TEST(DrawWalks, VelocitiesAreWhatMovesTheAnimal) {
  const Walks walks = Draw(kWalled, 20, 50);
  for (size_t b = 0; b < 50; ++b) {
    double x = walks.start[2 * b], y = walks.start[2 * b + 1];
    for (size_t t = 0; t < 20; ++t) {
      const size_t row = 2 * (t * 50 + b);
      x += walks.velocity[row];
      y += walks.velocity[row + 1];
      ASSERT_NEAR(x, walks.positions[row], 1e-6);
      ASSERT_NEAR(y, walks.positions[row + 1], 1e-6);
    }
  }
}

// Rayleigh mean b sqrt(pi / 2), times dt; no walls, so no slowing.
TEST(DrawWalks, StepLengthsHaveTheRayleighMean) {
  const Walks walks = Draw(kPeriodic, 50, 1000);
  double sum = 0;
  for (size_t row = 0; row < 50000; ++row) {
    sum += std::hypot(walks.velocity[2 * row], walks.velocity[2 * row + 1]);
  }
  const double mean = 0.13 * 2 * kPi * std::sqrt(kPi / 2) * 0.02;
  EXPECT_NEAR(sum / 50000, mean, 0.01 * mean);
}

// Turns are normal with sd 11.52 rad/s * 0.02 s, so the mean cosine of a turn is
// exp(-sd^2 / 2).
TEST(DrawWalks, TurnsHaveTheirSpread) {
  const Walks walks = Draw(kPeriodic, 50, 1000);
  double cosine = 0;
  int64_t turns = 0;
  for (size_t t = 0; t + 1 < 50; ++t) {
    for (size_t b = 0; b < 1000; ++b) {
      const float* v = &walks.velocity[2 * (t * 1000 + b)];
      const float* w = &walks.velocity[2 * ((t + 1) * 1000 + b)];
      cosine += (v[0] * w[0] + v[1] * w[1]) / (std::hypot(v[0], v[1]) * std::hypot(w[0], w[1]));
      ++turns;
    }
  }
  EXPECT_NEAR(cosine / static_cast<double>(turns), std::exp(-0.5 * 0.2304 * 0.2304), 0.001);
}

// The published walk at T = 50 has 0.8% of its samples outside, up to 10 cm.
TEST(DrawWalks, FewSamplesLeaveAWalledBoxAndNotFar) {
  const Walks walks = Draw(kWalled, 50, 2000);
  double outside = 0, farthest = 0;
  for (size_t row = 0; row < 100000; ++row) {
    const double beyond =
        std::max(std::abs(walks.positions[2 * row]), std::abs(walks.positions[2 * row + 1])) - 1.1;
    outside += beyond > 0;
    farthest = std::max(farthest, beyond);
  }
  EXPECT_NEAR(outside / 100000, 0.008, 0.003);
  EXPECT_GT(farthest, 0.02);
  EXPECT_LT(farthest, 0.15);
}

TEST(DrawWalks, PeriodicPositionsLieInTheBox) {
  const Walks walks = Draw(kPeriodic, 50, 500);
  for (double x : walks.positions) {
    ASSERT_GE(x, -1.1);
    ASSERT_LT(x, 1.1);
  }
}

TEST(DrawWalks, AWalkDoesNotDependOnLengthOrCompany) {
  const Walks few = Draw(kWalled, 5, 3), many = Draw(kWalled, 20, 40);
  for (size_t t = 0; t < 5; ++t) {
    for (size_t b = 0; b < 3; ++b) {
      EXPECT_EQ(few.positions[2 * (t * 3 + b)], many.positions[2 * (t * 40 + b)]);
    }
  }
}

TEST(DrawWalks, AStepGoesItsLengthInTheDirectionOfTheHead) {
  const Walks walks = Draw(kWalled, 20, 50);
  for (size_t b = 0; b < 50; ++b) {
    double heading = walks.start_heading[b];
    for (size_t t = 0; t < 20; ++t) {
      const size_t row = t * 50 + b;
      ASSERT_NEAR(walks.velocity[2 * row], walks.step_length[row] * std::cos(heading), 1e-7);
      ASSERT_NEAR(walks.velocity[2 * row + 1], walks.step_length[row] * std::sin(heading), 1e-7);
      heading = walks.headings[row];
    }
  }
}

TEST(DrawWalks, PicksWalksByTheirNumbers) {
  const Walks all = Draw(kWalled, 5, 10);
  Walks picked;
  DrawWalks(kWalled, Random(5, Stream::kTrain, 0), 5, std::vector<uint64_t>{7, 2}, picked);
  ASSERT_EQ(picked.batch, 2);
  for (size_t t = 0; t < 5; ++t) {
    EXPECT_EQ(picked.positions[2 * (2 * t)], all.positions[2 * (10 * t + 7)]);
    EXPECT_EQ(picked.positions[2 * (2 * t + 1)], all.positions[2 * (10 * t + 2)]);
    EXPECT_EQ(picked.headings[2 * t], all.headings[10 * t + 7]);
  }
  EXPECT_EQ(picked.start[2], all.start[4]);
}

TEST(DrawWalks, EveryStepHasWalksOfItsOwn) {
  EXPECT_NE(Draw(kWalled, 1, 1, 0).start, Draw(kWalled, 1, 1, 1).start);
}

}  // namespace
}  // namespace gridsweep::integrator
