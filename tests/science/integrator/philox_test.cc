#include "science/integrator/philox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace gridsweep::integrator {
namespace {

using ::testing::ElementsAre;

// Known answers published with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, AgreesWithThePublishedKnownAnswers) {
  EXPECT_THAT(Philox4x32({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(
      Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
      ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(
      Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Random, AnyPartOfTheKeyChangesTheNumbers) {
  std::set<double> seen;
  for (int64_t seed : {int64_t{0}, int64_t{1}, int64_t{1} << 32}) {
    for (Stream stream : {Stream::kReadout, Stream::kTrain, Stream::kEval}) {
      for (uint64_t step : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32}) {
        for (uint64_t index : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32}) {
          const auto u = Random(seed, stream, step).Uniforms(index);
          EXPECT_TRUE(seen.insert(u[0]).second);
          EXPECT_TRUE(seen.insert(u[1]).second);
        }
      }
    }
  }
}

struct Moments {
  double mean = 0, variance = 0;
};
template <class Draw>
Moments MomentsOf(Draw draw) {
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const double x = draw(i);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

// Tolerances are four standard errors or more at 200,000 draws.
TEST(Random, UniformsHaveTheirMeanAndVariance) {
  const Random random(7, Stream::kTrain, 3);
  const auto m = MomentsOf([&](uint64_t i) { return random.Uniform(i, -1, 3); });
  EXPECT_NEAR(m.mean, 1, 0.011);
  EXPECT_NEAR(m.variance, 16.0 / 12, 0.011);
}

TEST(Random, NormalsHaveTheirMeanAndVariance) {
  const Random random(7, Stream::kTrain, 3);
  const auto m = MomentsOf([&](uint64_t i) { return random.Normal(i); });
  EXPECT_NEAR(m.mean, 0, 0.009);
  EXPECT_NEAR(m.variance, 1, 0.013);
}

TEST(Random, RayleighDrawsHaveTheirMeanAndVariance) {
  const Random random(7, Stream::kTrain, 3);
  const double scale = 2;
  const auto m = MomentsOf([&](uint64_t i) { return random.Rayleigh(i, scale); });
  EXPECT_NEAR(m.mean, scale * std::sqrt(M_PI / 2), 0.012);
  EXPECT_NEAR(m.variance, scale * scale * (2 - M_PI / 2), 0.02);
}

}  // namespace
}  // namespace gridsweep::integrator
