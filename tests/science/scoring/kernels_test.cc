// Every instruction set gives the same bits.
#include "science/scoring/kernels.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "science/scoring/autocorrelogram.h"
#include "science/scoring/rotation.h"

namespace gridsweep::scoring {
namespace {

std::vector<double> RandomMap(int n) {
  std::mt19937 random(n);
  std::lognormal_distribution<double> rate(0, 3);
  std::vector<double> map(n * n);
  for (double& value : map) value = rate(random);
  map[n + 1] = std::nan("");
  return map;
}

// All that a set computes of a map: sums, SAC with and without mask, turned correlations.
std::vector<double> Everything(int n, const Kernels& kernels) {
  const std::vector<double> map = RandomMap(n);
  const Autocorrelator autocorrelator(n, kernels);
  const RingRotations rotations(n, kernels);
  Autocorrelator::Work work;
  RingRotations::Work ring_work;
  std::vector<double> lags((2 * n - 1) * (2 * n - 1)), all;
  autocorrelator.Correlate(map, work);
  autocorrelator.Unfold(work.product, lags.data());
  all.insert(all.end(), lags.begin(), lags.end());
  for (const bool masked : {true, false}) {
    autocorrelator.Normalize(map, masked, work);
    autocorrelator.Unfold(work.pearson, lags.data());
    all.insert(all.end(), lags.begin(), lags.end());
    for (const TurnedCorrelations& c : rotations.Correlate(lags, ring_work))
      all.insert(all.end(), {c.at_30, c.at_45, c.at_60, c.at_90, c.at_120, c.at_135, c.at_150});
  }
  return all;
}

TEST(Kernels, AllInstructionSetsGiveEqualBits) {
  const auto sets = SupportedKernels();
  ASSERT_FALSE(sets.empty());
  for (const int n : {4, 5, 13, 20, 32, 44}) {
    const std::vector<double> plain = Everything(n, *sets.front());
    for (const Kernels* kernels : sets) {
      const std::vector<double> other = Everything(n, *kernels);
      ASSERT_EQ(plain.size(), other.size());
      EXPECT_EQ(std::memcmp(plain.data(), other.data(), plain.size() * sizeof(double)), 0)
          << kernels->name << " at " << n << " bins";
    }
  }
}

#ifdef __x86_64__
TEST(Kernels, TheFastestSetOfTheProcessorIsChosen) {
  const char* expected = __builtin_cpu_supports("avx2") ? "avx2" : "baseline";
  EXPECT_STREQ(SupportedKernels().back()->name, expected);
}
#endif

}  // namespace
}  // namespace gridsweep::scoring
