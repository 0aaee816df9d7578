#include "science/integrator/tensor_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "science/integrator/device.h"
#include "science/integrator/loss.h"
#include "science/integrator/philox.h"
#include "tests/science/integrator/chosen_device.h"

namespace gridsweep::integrator {
namespace {

using science::Loss;

constexpr int64_t kRows = 7;

std::vector<float> Normals(size_t n, uint64_t which, double scale) {
  const Random random(4, Stream::kTrain, which);
  std::vector<float> values;
  for (uint64_t i = 0; i < n; ++i) values.push_back(static_cast<float>(scale * random.Normal(i)));
  return values;
}

at::Tensor ThereOf(std::vector<float>& values, int64_t outputs) {
  return at::from_blob(values.data(), {kRows, outputs}, at::kFloat).clone().to(ChosenDevice());
}

class TensorLosses : public testing::TestWithParam<std::tuple<Loss, int64_t>> {};
INSTANTIATE_TEST_SUITE_P(All, TensorLosses,
                         testing::Values(std::tuple{Loss::kMse, 2}, std::tuple{Loss::kMse, 300},
                                         std::tuple{Loss::kPolarMse, 2},
                                         std::tuple{Loss::kCrossEntropy, 13},
                                         std::tuple{Loss::kCrossEntropy, 300},
                                         std::tuple{Loss::kBinaryCrossEntropy, 13},
                                         std::tuple{Loss::kBinaryCrossEntropy, 300}));

// Targets that do not sum to 1, and outputs of every size.
TEST_P(TensorLosses, AgreeWithTheFusedLoops) {
  const auto [loss, outputs] = GetParam();
  const auto n = static_cast<size_t>(kRows * outputs);
  for (const double scale : {0.01, 3.0, 60.0}) {
    std::vector<float> target = Normals(n, 0, 1), predicted = Normals(n, 1, scale);
    for (float& y : target) y = std::abs(y);
    at::Tensor there = ThereOf(predicted, outputs);
    const double value = TensorLoss(loss, ThereOf(target, outputs), there);
    const double fused = LossOf(loss)(target.data(), predicted.data(), kRows, outputs);
    EXPECT_NEAR(value, fused, 3e-6 * std::abs(fused));
    const at::Tensor gradient = there.cpu();
    float largest = 0;
    for (float g : predicted) largest = std::max(largest, std::abs(g));
    ASSERT_GT(largest, 0);
    for (size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(gradient.data_ptr<float>()[i], predicted[i], 2e-6 * largest) << i;
    }
  }
}

TEST_P(TensorLosses, OfWhatIsNotFiniteAreNotFinite) {
  const auto [loss, outputs] = GetParam();
  std::vector<float> target(static_cast<size_t>(kRows * outputs), 0.1f), predicted = target;
  predicted[1] = std::nanf("");
  at::Tensor there = ThereOf(predicted, outputs);
  EXPECT_FALSE(std::isfinite(TensorLoss(loss, ThereOf(target, outputs), there)));
}

TEST_P(TensorLosses, AreChosenByWhereTheOutputsAre) {
  const auto [loss, outputs] = GetParam();
  const auto n = static_cast<size_t>(kRows * outputs);
  std::vector<float> target = Normals(n, 0, 1), predicted = Normals(n, 1, 1);
  at::Tensor there = ThereOf(predicted, outputs);
  const double value = LossAndGradient(loss, target, there);
  const double fused = LossOf(loss)(target.data(), predicted.data(), kRows, outputs);
  EXPECT_NEAR(value, fused, 3e-6 * std::abs(fused));
}

}  // namespace
}  // namespace gridsweep::integrator
