#include "science/integrator/adam.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace gridsweep::integrator {
namespace {

// theta after one step with gradient `g` and learning rate 0.1: at step 1 the
// update is 0.1 sqrt(0.001) / 0.1 * 0.1 g / (sqrt(0.001) |g| + 1e-7).
double FirstStep(double theta, double g) {
  return theta - 0.1 * std::sqrt(0.001) * g / (std::sqrt(0.001) * std::abs(g) + 1e-7);
}

// Gradients of the size of epsilon tell where epsilon stands. By hand:
//   t 1: m 1e-7,    sqrt(v) 3.16228e-8, rate 0.0316228 -> update  0.0240253
//   t 2: m -1.1e-7, sqrt(v) 7.07036e-8, rate 0.0235317 -> update -0.0151636
//   t 3: m -9.9e-8, sqrt(v) 7.06682e-8, rate 0.0202011 -> update -0.0117181
// With epsilon under the bias correction the first would be 0.0909.
TEST(Adam, ThreeStepsAgreeWithTheHandCalculation) {
  Adam adam(1);
  std::array<float, 1> theta = {1};
  const double expected[] = {0.97597469, 0.99113831, 1.00285639};
  const float gradients[] = {1e-6f, -2e-6f, 0};
  for (uint64_t t = 1; t <= 3; ++t) {
    const std::array<float, 1> gradient = {gradients[t - 1]};
    adam.Step({.learning_rate = 0.1}, t, gradient, theta);
    EXPECT_NEAR(theta[0], expected[t - 1], 2e-7) << "step " << t;
  }
}

TEST(Adam, WeightDecayAddsTwiceTheWeight) {
  Adam adam(1);
  std::array<float, 1> theta = {0.5};
  const std::array<float, 1> gradient = {-1e-6f};
  adam.Step({.learning_rate = 0.1, .weight_decay = 2e-6}, 1, gradient, theta);
  EXPECT_NEAR(theta[0], FirstStep(0.5, -1e-6 + 2 * 2e-6 * 0.5), 1e-7);
}

TEST(Adam, ClipsTheGradientElementwise) {
  Adam adam(3);
  std::array<float, 3> theta = {0, 0, 0};
  const std::array<float, 3> gradient = {3, -3, 1e-6f};
  adam.Step({.learning_rate = 0.1, .clip = 2e-6}, 1, gradient, theta);
  EXPECT_NEAR(theta[0], FirstStep(0, 2e-6), 1e-7);
  EXPECT_NEAR(theta[1], FirstStep(0, -2e-6), 1e-7);
  EXPECT_NEAR(theta[2], FirstStep(0, 1e-6), 1e-7);
}

// The vectorised loop and its tail are one formula.
TEST(Adam, TreatsAllElementsAlike) {
  Adam adam(101);
  std::array<float, 101> theta{}, gradient{};
  gradient.fill(0.25f);
  for (uint64_t t = 1; t <= 5; ++t) adam.Step({.learning_rate = 0.1}, t, gradient, theta);
  for (float value : theta) EXPECT_EQ(value, theta[0]);
  EXPECT_NEAR(theta[0], -0.5, 1e-4);
}

}  // namespace
}  // namespace gridsweep::integrator
