#include "worker/learning_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace gridsweep::worker {
namespace {

double LossAt(uint64_t step) { return 10.0 / static_cast<double>(step); }

LearningCurve Train(size_t capacity, uint64_t steps, uint64_t evaluate_every = 0) {
  LearningCurve curve(capacity);
  for (uint64_t step = 1; step <= steps; ++step) {
    curve.AddLoss(step, LossAt(step));
    if (evaluate_every > 0 && step % evaluate_every == 0) {
      curve.AddEvaluation({.step = step, .loss = LossAt(step), .error_cm = 50, .evaluated = true});
    }
  }
  return curve;
}

TEST(LearningCurve, KeepsEveryPointOfAShortRun) {
  const auto points = Train(256, 100).Points();
  ASSERT_EQ(points.size(), 100U);
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points[i].step, i + 1);
    EXPECT_EQ(points[i].loss, LossAt(i + 1));
    EXPECT_TRUE(std::isnan(points[i].error_cm));
  }
}

TEST(LearningCurve, NeverExceedsItsCapacityAndAlwaysKeepsTheLastPoint) {
  for (uint64_t steps : {1, 2, 126, 127, 128, 129, 255, 256, 257, 1000, 4095, 6000, 100'000}) {
    for (uint64_t every : {0, 1, 7, 250}) {
      const auto points = Train(256, steps, every).Points();
      SCOPED_TRACE(testing::Message() << steps << " steps, evaluated every " << every);
      EXPECT_LE(points.size(), 256U);
      EXPECT_EQ(points.back().step, steps);
      EXPECT_EQ(points.back().loss, LossAt(steps));
      for (size_t i = 1; i < points.size(); ++i) EXPECT_LT(points[i - 1].step, points[i].step);
    }
  }
}

TEST(LearningCurve, ThinsLossesToAPowerOfTwo) {
  const auto points = Train(256, 6000).Points();
  // 6000 / 64 = 93 fit in 127 and 6000 / 32 = 187 do not.
  ASSERT_EQ(points.size(), 94U);
  for (size_t i = 0; i + 1 < points.size(); ++i) EXPECT_EQ(points[i].step, 64 * (i + 1));
}

TEST(LearningCurve, LosesNoEvaluationAmongManyLosses) {
  int evaluated = 0;
  for (const CurvePoint& point : Train(256, 6000, 250).Points()) {
    if (!point.evaluated) continue;
    EXPECT_EQ(point.step % 250, 0U);
    EXPECT_EQ(point.error_cm, 50);
    ++evaluated;
  }
  EXPECT_EQ(evaluated, 24);
}

TEST(LearningCurve, AnswersForAFractionOfTheStepsOnly) {
  LearningCurve curve(256);
  int shown = 0;
  for (uint64_t step = 1; step <= 200'000; ++step) shown += curve.AddLoss(step, 1);
  EXPECT_GT(shown, 127);
  EXPECT_LT(shown, 1000);
}

TEST(LearningCurve, HasOnePointForAnUntrainedNetwork) {
  LearningCurve curve(256);
  EXPECT_TRUE(curve.Points().empty());
  curve.AddEvaluation({.step = 0, .error_cm = 80, .evaluated = true});
  ASSERT_EQ(curve.Points().size(), 1U);
  EXPECT_TRUE(std::isnan(curve.Points()[0].loss));
}

}  // namespace
}  // namespace gridsweep::worker
