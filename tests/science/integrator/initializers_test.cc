#include <gtest/gtest.h>

#include <cmath>

#include "science/integrator/network.h"

namespace gridsweep::integrator {
namespace {

using science::Initializer;
using science::RunConfig;

RunConfig ConfigOf(Initializer initializer) {
  RunConfig config;
  config.Ng = 256;
  config.Np = 128;
  config.initializer = initializer;
  return config;
}

double Sd(const at::Tensor& kernel) { return std::sqrt(kernel.square().mean().item<double>()); }
double Largest(const at::Tensor& kernel) { return kernel.abs().max().item<double>(); }

TEST(DrawWeights, GlorotUniformFillsItsRange) {
  const RnnWeights w = DrawWeights(ConfigOf(Initializer::kGlorotUniform));
  const std::pair<const at::Tensor*, double> kernels[] = {{&w.encoder, 128 + 256},
                                                          {&w.input, 2 + 256},
                                                          {&w.recurrent, 256 + 256},
                                                          {&w.readout, 256 + 128}};
  for (const auto& [kernel, fans] : kernels) {
    const double limit = std::sqrt(6 / fans);
    EXPECT_LE(Largest(*kernel), limit);
    EXPECT_GT(Largest(*kernel), 0.98 * limit);
    EXPECT_NEAR(Sd(*kernel), limit / std::sqrt(3), 0.05 * limit);
    EXPECT_NEAR(kernel->mean().item<double>(), 0, 0.1 * limit);
  }
}

TEST(DrawWeights, GlorotNormalIsTruncatedAndKeepsItsSd) {
  const RnnWeights w = DrawWeights(ConfigOf(Initializer::kGlorotNormal));
  const double sd = std::sqrt(2.0 / 512);
  EXPECT_NEAR(Sd(w.recurrent), sd, 0.01 * sd);
  EXPECT_LE(Largest(w.recurrent), 2 * sd / 0.8796 * 1.001);
  EXPECT_GT(Largest(w.recurrent), 1.98 * sd / 0.8796);
  // Only the recurrent kernel is the initializer's.
  EXPECT_LE(Largest(w.encoder), std::sqrt(6.0 / 384));
}

TEST(DrawWeights, OrthogonalIsARotationWithoutABias) {
  const RnnWeights w = DrawWeights(ConfigOf(Initializer::kOrthogonal));
  const at::Tensor u = w.recurrent.to(at::kDouble);
  EXPECT_LT((u.t().matmul(u) - at::eye(256, at::kDouble)).abs().max().item<double>(), 1e-6);
  EXPECT_NEAR(u.mean().item<double>(), 0, 4.0 / 256 / 16);
}

TEST(DrawWeights, DependOnTheSeedAlone) {
  RunConfig config = ConfigOf(Initializer::kGlorotUniform);
  const RnnWeights first = DrawWeights(config);
  config.batch_size = 7;
  EXPECT_TRUE(first.recurrent.equal(DrawWeights(config).recurrent));
  config.seed = 1;
  EXPECT_FALSE(first.recurrent.equal(DrawWeights(config).recurrent));
}

}  // namespace
}  // namespace gridsweep::integrator
