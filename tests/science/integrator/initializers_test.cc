#include "science/integrator/initializers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace gridsweep::integrator {
namespace {

using science::Initializer;

// A square kernel and the shapes of gates side by side: 2, 3 and 4 of them.
constexpr std::pair<int64_t, int64_t> kShapes[] = {{200, 200}, {400, 400}, {150, 450}, {120, 480}};

at::Tensor Kernel(Initializer initializer, int64_t rows, int64_t columns, int64_t seed = 1) {
  return DrawKernel(initializer, Random(seed, Stream::kWeights, 2), rows, columns);
}

double Sd(const at::Tensor& kernel) { return std::sqrt(kernel.square().mean().item<double>()); }
double Largest(const at::Tensor& kernel) { return kernel.abs().max().item<double>(); }

TEST(DrawKernel, GlorotUniformFillsTheRangeOfTheWholeMatrix) {
  for (const auto& [rows, columns] : kShapes) {
    const at::Tensor kernel = Kernel(Initializer::kGlorotUniform, rows, columns);
    const double limit = std::sqrt(6.0 / static_cast<double>(rows + columns));
    EXPECT_LE(Largest(kernel), limit);
    EXPECT_GT(Largest(kernel), 0.999 * limit);
    EXPECT_NEAR(Sd(kernel), limit / std::sqrt(3), 0.01 * limit);
    EXPECT_NEAR(kernel.mean().item<double>(), 0, 0.02 * limit);
  }
}

TEST(DrawKernel, GlorotNormalIsTruncatedAndKeepsItsSd) {
  for (const auto& [rows, columns] : kShapes) {
    const at::Tensor kernel = Kernel(Initializer::kGlorotNormal, rows, columns);
    const double sd = std::sqrt(2.0 / static_cast<double>(rows + columns));
    EXPECT_NEAR(Sd(kernel), sd, 0.01 * sd);
    EXPECT_LE(Largest(kernel), 2 * sd / 0.8796 * 1.0001);
    EXPECT_GT(Largest(kernel), 1.999 * sd / 0.8796);
    // Truncated, not clipped: nothing heaps up at the bound.
    const double beyond = kernel.abs().gt(1.99 * sd / 0.8796).to(at::kDouble).mean().item<double>();
    EXPECT_LT(beyond, 0.002);
  }
}

TEST(DrawKernel, OrthogonalHasOrthonormalRowsAndNoBias) {
  for (const auto& [rows, columns] : kShapes) {
    const at::Tensor kernel = Kernel(Initializer::kOrthogonal, rows, columns);
    ASSERT_EQ(kernel.sizes(), (at::IntArrayRef{rows, columns}));
    EXPECT_LT(Largest(kernel.matmul(kernel.t()) - at::eye(rows, at::kDouble)), 1e-12);
    EXPECT_NEAR(kernel.mean().item<double>(), 0, 4.0 / std::sqrt(rows) / columns);
  }
}

// Q of A = Q R is unique where R's diagonal is positive.
TEST(DrawKernel, OrthogonalIsQWithAPositiveDiagonalOfR) {
  const Random random(1, Stream::kWeights, 2);
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{30, 30}, {30, 90}}) {
    at::Tensor normal = at::empty({columns, rows}, at::kDouble);
    for (int64_t i = 0; i < normal.numel(); ++i) {
      normal.data_ptr<double>()[i] = random.Normal(static_cast<uint64_t>(i));
    }
    const at::Tensor kernel = Kernel(Initializer::kOrthogonal, rows, columns);
    const at::Tensor q = rows < columns ? kernel.t() : kernel;
    const at::Tensor r = q.t().matmul(normal);
    EXPECT_LT(Largest(r.tril(-1)), 1e-12);
    EXPECT_GT(r.diagonal().min().item<double>(), 0);
  }
}

TEST(DrawKernel, DependsOnTheSeed) {
  for (const Initializer initializer :
       {Initializer::kGlorotUniform, Initializer::kGlorotNormal, Initializer::kOrthogonal}) {
    const at::Tensor first = Kernel(initializer, 20, 60);
    EXPECT_TRUE(first.equal(Kernel(initializer, 20, 60)));
    EXPECT_FALSE(first.equal(Kernel(initializer, 20, 60, 2)));
  }
}

}  // namespace
}  // namespace gridsweep::integrator
