#include "science/integrator/optimizer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace gridsweep::integrator {
namespace {

using Kind = science::Optimizer;

// theta from 1 over steps 1, 2, 3 with these gradients and learning rate 0.1.
std::array<float, 3> ThreeSteps(Optimizer optimizer, const std::array<float, 3>& gradients) {
  std::array<float, 1> theta = {1};
  std::array<float, 3> path{};
  for (size_t i = 0; i < 3; ++i) {
    const std::array<float, 1> gradient = {gradients[i]};
    optimizer.Step({.learning_rate = 0.1}, i + 1, gradient, theta);
    path[i] = theta[0];
  }
  return path;
}

void ExpectPath(const std::array<float, 3>& path, const std::array<double, 3>& expected) {
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(path[i], expected[i], 2e-7) << "step " << i + 1;
}

// Gradients of the size of epsilon tell where epsilon stands. By hand:
//   t 1: m 1e-7,    sqrt(v) 3.16228e-8, rate 0.0316228 -> update  0.0240253
//   t 2: m -1.1e-7, sqrt(v) 7.07036e-8, rate 0.0235317 -> update -0.0151636
//   t 3: m -9.9e-8, sqrt(v) 7.06682e-8, rate 0.0202011 -> update -0.0117181
// With epsilon under the bias correction the first would be 0.0909.
TEST(Optimizer, ThreeStepsOfAdamAgreeWithTheHandCalculation) {
  ExpectPath(ThreeSteps(Optimizer(Kind::kAdam, 1), {1e-6f, -2e-6f, 0}),
             {0.97597469, 0.99113831, 1.00285639});
}

// v = 0.9 v + 0.1 g^2 and 0.1 g / (sqrt(v) + 1e-7), by hand:
//   t 1: v 9e-15,     sqrt(v) 9.48683298e-8 -> update  0.153950106
//   t 2: v 1.21e-14,  sqrt(v) 1.1e-7        -> update -0.0952380952
//   t 3: v 1.189e-14, sqrt(v) 1.09041277e-7 -> update  0.0478374423
TEST(Optimizer, ThreeStepsOfRmspropAgreeWithTheHandCalculation) {
  ExpectPath(ThreeSteps(Optimizer(Kind::kRmsprop, 1), {3e-7f, -2e-7f, 1e-7f}),
             {0.846049894, 0.941287989, 0.893450547});
}

// The same updates u into m = 0.5 m + u, by hand: 0.153950106, -0.0182630423,
// 0.0387059211. With epsilon under the root the first would be 9.49e-5.
TEST(Optimizer, MomentumAccumulatesTheUpdatesOfRmsprop) {
  ExpectPath(ThreeSteps(Optimizer(Kind::kRmsprop, 1, 0.5), {3e-7f, -2e-7f, 1e-7f}),
             {0.846049894, 0.864312936, 0.825607015});
}

// a = 0.1 + sum of g^2 and 0.1 g / sqrt(a), by hand (1e-7 is beyond float32 here):
//   t 1: a 0.19, sqrt(a) 0.435889894 -> update  0.0688247044
//   t 2: a 0.23, sqrt(a) 0.479583152 -> update -0.0417028741
//   t 3: a 0.24, sqrt(a) 0.489897949 -> update  0.0204124104
TEST(Optimizer, ThreeStepsOfAdagradAgreeWithTheHandCalculation) {
  ExpectPath(ThreeSteps(Optimizer(Kind::kAdagrad, 1), {0.3f, -0.2f, 0.1f}),
             {0.931175296, 0.97287817, 0.952465759});
}

TEST(Optimizer, ThreeStepsOfSgdAreTheGradientsTimesTheRate) {
  ExpectPath(ThreeSteps(Optimizer(Kind::kSgd, 1), {0.3f, -0.2f, 0.1f}), {0.97, 0.99, 0.98});
}

class EveryOptimizer : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EveryOptimizer,
                         testing::Values(Kind::kAdam, Kind::kRmsprop, Kind::kSgd, Kind::kAdagrad));

TEST_P(EveryOptimizer, WeightDecayAddsTwiceTheWeightToTheGradient) {
  Optimizer decaying(GetParam(), 1), plain(GetParam(), 1);
  std::array<float, 1> a = {0.5}, b = {0.5};
  decaying.Step({.learning_rate = 0.1, .weight_decay = 2e-6}, 1, std::array{-1e-6f}, a);
  plain.Step({.learning_rate = 0.1}, 1, std::array{-1e-6f + 2 * 2e-6f * 0.5f}, b);
  EXPECT_NEAR(a[0], b[0], 1e-7);
  EXPECT_LT(a[0], 0.5);
}

TEST_P(EveryOptimizer, ClipsEachElementOfTheGradientAfterItsDecay) {
  Optimizer clipping(GetParam(), 4), plain(GetParam(), 4);
  std::array<float, 4> a = {0, 0, 0, 1}, b = a;
  clipping.Step({.learning_rate = 0.1, .weight_decay = 1, .clip = 2e-6}, 1,
                std::array{3.0f, -3.0f, 1e-6f, 0.0f}, a);
  plain.Step({.learning_rate = 0.1}, 1, std::array{2e-6f, -2e-6f, 1e-6f, 2e-6f}, b);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(a[i], b[i]) << i;
  EXPECT_LT(a[0], 0);
  EXPECT_GT(a[1], 0);
}

// The vectorised loop and its tail are one formula, and each element has its own state.
TEST_P(EveryOptimizer, TreatsEachElementAsIfItWereAlone) {
  constexpr size_t kSize = 101;
  Optimizer together(GetParam(), kSize, 0.9);
  std::vector<Optimizer> alone(kSize, Optimizer(GetParam(), 1, 0.9));
  std::array<float, kSize> theta{}, expected{}, gradient{};
  for (uint64_t t = 1; t <= 5; ++t) {
    for (size_t i = 0; i < kSize; ++i) {
      gradient[i] = std::sin(static_cast<float>(7 * i + 3 * t));
      alone[i].Step({.learning_rate = 0.1}, t, {&gradient[i], 1}, {&expected[i], 1});
    }
    together.Step({.learning_rate = 0.1}, t, gradient, theta);
  }
  EXPECT_EQ(theta, expected);
}

}  // namespace
}  // namespace gridsweep::integrator
