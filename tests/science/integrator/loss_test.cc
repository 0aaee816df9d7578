#include "science/integrator/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using Values = std::vector<double>;

// Straightforward losses in double.
double PlainCrossEntropy(const Values& y, const Values& logits, size_t rows, size_t n) {
  double loss = 0;
  for (size_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += std::exp(logits[row * n + i]);
    for (size_t i = 0; i < n; ++i) {
      loss -= y[row * n + i] * std::log(std::exp(logits[row * n + i]) / sum);
    }
  }
  return loss / static_cast<double>(rows);
}

double PlainMeanSquare(const Values& y, const Values& predicted, size_t rows, size_t n) {
  double loss = 0;
  for (size_t i = 0; i < rows * n; ++i) loss += (y[i] - predicted[i]) * (y[i] - predicted[i]);
  return loss / static_cast<double>(rows * n);
}

// The definition, without the rearrangement that keeps it finite.
double PlainBinaryCrossEntropy(const Values& y, const Values& logits, size_t rows, size_t n) {
  double loss = 0;
  for (size_t i = 0; i < rows * n; ++i) {
    const double s = 1 / (1 + std::exp(-logits[i]));
    loss -= y[i] * std::log(s) + (1 - y[i]) * std::log(1 - s);
  }
  return loss / static_cast<double>(rows * n);
}

// The squared distance of the two points.
double PlainPolarSquare(const Values& y, const Values& predicted, size_t rows, size_t) {
  double loss = 0;
  for (size_t i = 0; i < 2 * rows; i += 2) {
    const double dx = y[i] * std::cos(y[i + 1]) - predicted[i] * std::cos(predicted[i + 1]);
    const double dy = y[i] * std::sin(y[i + 1]) - predicted[i] * std::sin(predicted[i + 1]);
    loss += dx * dx + dy * dy;
  }
  return loss / static_cast<double>(rows);
}

Values Draws(size_t n, uint64_t which, bool positive) {
  const Random random(3, Stream::kTrain, which);
  Values values;
  for (size_t i = 0; i < n; ++i) {
    const double x = random.Normal(i);
    values.push_back(static_cast<double>(static_cast<float>(positive ? std::abs(x) : 3 * x)));
  }
  return values;
}

// Widths below, at and above whole vectors of eight.
class Losses : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Widths, Losses, testing::Values(2, 8, 13, 300));

template <class Plain>
void ExpectValueAndGradient(LossFunction fused, Plain plain, size_t n) {
  constexpr size_t kRows = 3;
  const Values y = Draws(kRows * n, 0, true), predicted = Draws(kRows * n, 1, false);
  const std::vector<float> target(y.begin(), y.end());
  std::vector<float> gradient(predicted.begin(), predicted.end());
  const double loss = fused(target.data(), gradient.data(), kRows, static_cast<int64_t>(n));
  EXPECT_NEAR(loss, plain(y, predicted, kRows, n), 3e-6 * std::abs(loss));
  double largest = 0;
  for (float g : gradient) largest = std::max(largest, static_cast<double>(std::abs(g)));
  for (size_t i = 0; i < kRows * n; i += 1 + n / 20) {
    Values up = predicted, down = predicted;
    up[i] += 1e-5;
    down[i] -= 1e-5;
    const double slope = (plain(y, up, kRows, n) - plain(y, down, kRows, n)) / 2e-5;
    EXPECT_NEAR(gradient[i], slope, 3e-6 * largest + 2e-9) << i;
  }
}

TEST_P(Losses, CrossEntropyAgreesWithPlainCodeAndFiniteDifferences) {
  ExpectValueAndGradient(CrossEntropy, PlainCrossEntropy, GetParam());
}

TEST_P(Losses, MeanSquareAgreesWithPlainCodeAndFiniteDifferences) {
  ExpectValueAndGradient(MeanSquaredError, PlainMeanSquare, GetParam());
}

TEST_P(Losses, BinaryCrossEntropyAgreesWithPlainCodeAndFiniteDifferences) {
  ExpectValueAndGradient(BinaryCrossEntropy, PlainBinaryCrossEntropy, GetParam());
}

TEST(PolarSquaredError, AgreesWithThePointsDistanceAndFiniteDifferences) {
  ExpectValueAndGradient(PolarSquaredError, PlainPolarSquare, 2);
}

// A radius may come out negative, an angle beyond a turn: the point counts.
TEST(PolarSquaredError, IsZeroWhereverThePointsCoincide) {
  const std::vector<float> target = {0.5f, 1.0f, 0.5f, 1.0f, 0, 2};
  std::vector<float> predicted = {-0.5f, 1.0f + float(M_PI), 0.5f, 1.0f - 2 * float(M_PI), 0, -1};
  EXPECT_NEAR(PolarSquaredError(target.data(), predicted.data(), 3, 2), 0, 1e-13);
  for (float gradient : predicted) EXPECT_NEAR(gradient, 0, 1e-6);
}

// Where sigmoid is 0 or 1 in float32, and the definition's logarithms are infinite.
TEST_P(Losses, BinaryCrossEntropySurvivesLargeLogits) {
  const size_t n = GetParam();
  std::vector<float> target(n, 0), logits(n, -200);
  logits[0] = 1000;
  logits[1] = -1000;
  target[1] = 0.25f;
  const auto size = static_cast<double>(n);
  EXPECT_NEAR(BinaryCrossEntropy(target.data(), logits.data(), 1, static_cast<int64_t>(n)),
              (1000 + 250) / size, 1e-3 / size);
  EXPECT_NEAR(logits[0], 1 / size, 1e-6 / size);
  EXPECT_NEAR(logits[1], -0.25 / size, 1e-6 / size);
  for (size_t i = 2; i < n; ++i) EXPECT_EQ(logits[i], 0);
}

// At the start of training every logit is about 0, and each output costs log 2.
TEST_P(Losses, BinaryCrossEntropyOfZeroLogitsIsLogTwo) {
  const size_t n = GetParam();
  const std::vector<float> target(n, 1.0f / static_cast<float>(n));
  std::vector<float> logits(n, 0);
  EXPECT_NEAR(BinaryCrossEntropy(target.data(), logits.data(), 1, static_cast<int64_t>(n)),
              std::log(2.0), 1e-6);
}

// softmax underflows here; log(softmax) would be minus infinity.
TEST_P(Losses, CrossEntropySurvivesLargeLogits) {
  const size_t n = GetParam();
  std::vector<float> target(n, 0), logits(n, 0);
  logits[0] = 1000;
  target[1] = 1;
  EXPECT_NEAR(CrossEntropy(target.data(), logits.data(), 1, static_cast<int64_t>(n)), 1000, 1e-3);
  EXPECT_NEAR(logits[0], 1, 1e-6);
  EXPECT_NEAR(logits[1], -1, 1e-6);
}

TEST_P(Losses, CrossEntropyOfEqualLogitsIsTheLogOfTheirNumber) {
  const size_t n = GetParam();
  for (float logit : {0.0f, 30000.0f, -30000.0f}) {
    const std::vector<float> target(n, 1.0f / static_cast<float>(n));
    std::vector<float> logits(n, logit);
    EXPECT_NEAR(CrossEntropy(target.data(), logits.data(), 1, static_cast<int64_t>(n)),
                std::log(static_cast<double>(n)), 5e-6);
    for (float gradient : logits) EXPECT_NEAR(gradient, 0, 1e-7);
  }
}

TEST_P(Losses, NonFinitePredictionsGiveNonFiniteLosses) {
  const size_t n = GetParam();
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()}) {
    for (size_t at : {size_t{0}, n - 1}) {
      for (LossFunction loss : {CrossEntropy, BinaryCrossEntropy, MeanSquaredError}) {
        const std::vector<float> target(n, 1.0f / static_cast<float>(n));
        std::vector<float> predicted(n, 0.5f);
        predicted[at] = bad;
        EXPECT_FALSE(
            std::isfinite(loss(target.data(), predicted.data(), 1, static_cast<int64_t>(n))));
      }
      const std::vector<float> target = {0.5f, 0.5f};
      std::vector<float> predicted = {0.5f, 0.5f};
      predicted[at % 2] = bad;
      EXPECT_FALSE(std::isfinite(PolarSquaredError(target.data(), predicted.data(), 1, 2)));
    }
  }
}

TEST(LossOf, FindsEachLossByItsName) {
  const auto value = [](science::Loss loss) {
    const std::vector<float> target = {0.25f, 0.75f};
    std::vector<float> predicted = {1, -0.5f};
    return LossOf(loss)(target.data(), predicted.data(), 1, 2);
  };
  const Values y = {0.25, 0.75}, predicted = {1, -0.5};
  EXPECT_NEAR(value(science::Loss::kMse), PlainMeanSquare(y, predicted, 1, 2), 1e-6);
  EXPECT_NEAR(value(science::Loss::kPolarMse), PlainPolarSquare(y, predicted, 1, 2), 1e-6);
  EXPECT_NEAR(value(science::Loss::kCrossEntropy), PlainCrossEntropy(y, predicted, 1, 2), 1e-6);
  EXPECT_NEAR(value(science::Loss::kBinaryCrossEntropy),
              PlainBinaryCrossEntropy(y, predicted, 1, 2), 1e-6);
}

}  // namespace
}  // namespace gridsweep::integrator
