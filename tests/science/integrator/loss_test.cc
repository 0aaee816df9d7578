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

template <class Fused, class Plain>
void ExpectValueAndGradient(Fused fused, Plain plain, size_t n) {
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

TEST_P(Losses, NonFinitePredictionsGiveNonFiniteLosses) {
  const size_t n = GetParam();
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()}) {
    for (size_t at : {size_t{0}, n - 1}) {
      const std::vector<float> target(n, 1.0f / static_cast<float>(n));
      std::vector<float> predicted(n, 0.5f);
      predicted[at] = bad;
      std::vector<float> copy = predicted;
      EXPECT_FALSE(
          std::isfinite(CrossEntropy(target.data(), predicted.data(), 1, static_cast<int64_t>(n))));
      EXPECT_FALSE(
          std::isfinite(MeanSquaredError(target.data(), copy.data(), 1, static_cast<int64_t>(n))));
    }
  }
}

}  // namespace
}  // namespace gridsweep::integrator
