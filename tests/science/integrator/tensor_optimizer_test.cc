#include "science/integrator/tensor_optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "science/integrator/device.h"
#include "tests/science/integrator/chosen_device.h"

namespace gridsweep::integrator {
namespace {

using Kind = science::Optimizer;

class TensorOptimizers : public testing::TestWithParam<std::tuple<Kind, double>> {};
INSTANTIATE_TEST_SUITE_P(Kinds, TensorOptimizers,
                         testing::Values(std::tuple{Kind::kAdam, 0.0},
                                         std::tuple{Kind::kRmsprop, 0.0},
                                         std::tuple{Kind::kRmsprop, 0.9},
                                         std::tuple{Kind::kSgd, 0.0},
                                         std::tuple{Kind::kAdagrad, 0.0}));

// Gradients from below epsilon up to beyond the clip, over steps in which all state matters.
TEST_P(TensorOptimizers, FollowTheFusedLoops) {
  constexpr int64_t kSize = 101;
  const auto [kind, momentum] = GetParam();
  for (const double clip : {0.0, 0.3}) {
    const Optimizer::Options options{.learning_rate = 0.01, .weight_decay = 1e-3, .clip = clip};
    std::vector<float> theta(kSize, 0.5f), gradient(kSize);
    at::Tensor there = at::full({kSize}, 0.5, at::kFloat).to(ChosenDevice());
    Optimizer fused(kind, kSize, momentum);
    TensorOptimizer tensors(kind, there, momentum);
    for (uint64_t t = 1; t <= 20; ++t) {
      for (size_t i = 0; i < kSize; ++i) {
        gradient[i] = std::sin(static_cast<float>(7 * i + 3 * t)) *
                      std::pow(10.0f, static_cast<float>(i % 9) - 8);
      }
      fused.Step(options, t, gradient, theta);
      tensors.Step(options, t,
                   at::from_blob(gradient.data(), {kSize}, at::kFloat).to(ChosenDevice()), there);
    }
    const at::Tensor moved = there.cpu();
    for (size_t i = 0; i < kSize; ++i) {
      EXPECT_NEAR(moved.data_ptr<float>()[i], theta[i], 2e-6)
          << "element " << i << " clip " << clip;
      EXPECT_NE(theta[i], 0.5f) << i;
    }
  }
}

TEST_P(TensorOptimizers, GoOnFromTheirStateAsTheyWouldHave) {
  const auto [kind, momentum] = GetParam();
  const at::Tensor gradient = at::linspace(-1, 1, 12).view({3, 4}).to(ChosenDevice());
  at::Tensor whole = at::ones({3, 4}).to(ChosenDevice());
  TensorOptimizer first(kind, whole, momentum), resumed(kind, whole, momentum);
  for (uint64_t t = 1; t <= 3; ++t) first.Step({.learning_rate = 0.01}, t, gradient, whole);
  at::Tensor part = whole.clone();
  resumed.Restore(first.mean(), first.square());
  EXPECT_EQ(first.mean(), resumed.mean());
  EXPECT_EQ(first.square(), resumed.square());
  EXPECT_EQ(first.square().empty(), kind == Kind::kSgd);
  first.Step({.learning_rate = 0.01}, 4, gradient, whole);
  resumed.Step({.learning_rate = 0.01}, 4, gradient, part);
  EXPECT_TRUE(whole.equal(part));
}

// A checkpoint may have been written by the processor's optimiser, or go on there.
TEST_P(TensorOptimizers, HaveTheStateOfTheFusedLoops) {
  const auto [kind, momentum] = GetParam();
  std::vector<float> theta(12, 1), gradient(12, 0.25f);
  at::Tensor there = at::ones({3, 4}).to(ChosenDevice());
  Optimizer fused(kind, 12, momentum);
  TensorOptimizer tensors(kind, there, momentum);
  fused.Step({.learning_rate = 0.01}, 1, gradient, theta);
  tensors.Step({.learning_rate = 0.01}, 1, at::full({3, 4}, 0.25).to(ChosenDevice()), there);
  for (const auto& [a, b] :
       {std::pair{fused.mean(), tensors.mean()}, std::pair{fused.square(), tensors.square()}}) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6 * std::abs(a[i])) << i;
  }
}

}  // namespace
}  // namespace gridsweep::integrator
