// Scores equal those of the published scorer (ring masks, min and max) on maps of
// many kinds, with NaN bins among them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <sstream>
#include <vector>

#include "science/scoring/grid_scorer.h"
#include "tests/science/scoring/golden_file.h"

namespace gridsweep::scoring {
namespace {

constexpr double kTolerance = 1e-9;
constexpr int kMaps = 41;
// Maps that need a word, by index in the file.
constexpr int kBorder = 23, kOtherBorder = 24, kZero = 35, kConstant = 36, kRamp = 38;

bool HasTiedMasks(int map) {
  return map == kBorder || map == kOtherBorder || map == kConstant || map == kRamp;
}

class Golden : public testing::TestWithParam<int> {
 protected:
  Golden() : nbins_(GetParam()), golden_(ReadGoldenScores(nbins_)), scorer_(nbins_) {}

  std::span<const double> Map(int i) const {
    const int size = nbins_ * nbins_;
    return std::span(golden_.ratemap).subspan(static_cast<size_t>(i) * size, size);
  }
  // The reference divides 0 by 0 on this border map at these sizes.
  bool ReferenceIsNaN(int i) const { return i == kOtherBorder && (nbins_ == 20 || nbins_ == 44); }
  static bool HasNoScore(int i) { return i == kZero || i == kConstant; }

  int nbins_;
  GoldenScores golden_;
  GridScorer scorer_;
};

TEST_P(Golden, FileHoldsAllMaps) { ASSERT_EQ(golden_.maps, kMaps); }

TEST_P(Golden, ScoresOfEveryMaskAgree) {
  double worst = 0;
  for (int i = 0; i < golden_.maps; ++i) {
    if (HasNoScore(i) || ReferenceIsNaN(i)) continue;
    const GridScores scores = scorer_.Score(Map(i));
    EXPECT_NEAR(scores.grid_score_60, golden_.score_60[i], kTolerance) << "map " << i;
    EXPECT_NEAR(scores.grid_score_90, golden_.score_90[i], kTolerance) << "map " << i;
    for (int m = 0; m < kMasks; ++m) {
      const double off_60 = std::abs(scores.mask_60[m] - golden_.mask_60[i * kMasks + m]);
      const double off_90 = std::abs(scores.mask_90[m] - golden_.mask_90[i * kMasks + m]);
      EXPECT_LE(off_60, kTolerance) << "map " << i << ", mask " << m;
      EXPECT_LE(off_90, kTolerance) << "map " << i << ", mask " << m;
      worst = std::max({worst, off_60, off_90});
    }
  }
  std::ostringstream text;
  text << worst;
  RecordProperty("largest_difference", text.str());
}

TEST_P(Golden, BestMasksAgree) {
  for (int i = 0; i < golden_.maps; ++i) {
    if (HasNoScore(i) || HasTiedMasks(i)) continue;
    const GridScores scores = scorer_.Score(Map(i));
    const auto outer = [](int mask) { return 0.4 + mask * 0.6 / (kMasks - 1); };
    EXPECT_NEAR(outer(scores.best_mask_60), golden_.best_mask_60[2 * i + 1], 1e-6) << "map " << i;
    EXPECT_NEAR(outer(scores.best_mask_90), golden_.best_mask_90[2 * i + 1], 1e-6) << "map " << i;
  }
}

TEST_P(Golden, MapsWithoutVarianceHaveNoScore) {
  for (const int i : {kZero, kConstant}) {
    const GridScores scores = scorer_.Score(Map(i));
    EXPECT_TRUE(std::isnan(scores.grid_score_60));
    EXPECT_TRUE(std::isnan(scores.grid_score_90));
    EXPECT_EQ(scores.best_mask_60, -1);
    EXPECT_EQ(scores.best_mask_90, -1);
  }
}

TEST_P(Golden, BorderMapThatBreaksTheReferenceHasItsMirrorImagesScore) {
  if (!ReferenceIsNaN(kOtherBorder)) return;
  ASSERT_TRUE(std::isnan(golden_.score_60[kOtherBorder]));
  const GridScores scores = scorer_.Score(Map(kOtherBorder));
  EXPECT_NEAR(scores.grid_score_60, 0, kTolerance);
  EXPECT_NEAR(scores.grid_score_90, golden_.score_90[kBorder], kTolerance);
  EXPECT_NEAR(scores.grid_score_90, nbins_ == 20 ? 0.036836 : 0.0073126, 1e-6);
}

TEST_P(Golden, AutocorrelogramsAgreeToFloat32) {
  const int size = scorer_.sac_side() * scorer_.sac_side();
  for (int i = 0; i < golden_.maps; ++i) {
    if (HasNoScore(i) || ReferenceIsNaN(i)) continue;
    const std::vector<double> sac = scorer_.Autocorrelogram(Map(i));
    ASSERT_EQ(static_cast<int>(sac.size()), size);
    double worst = 0;
    for (int k = 0; k < size; ++k)
      worst = std::max(worst, std::abs(sac[k] - golden_.sac[static_cast<size_t>(i) * size + k]));
    EXPECT_LE(worst, 1e-7) << "map " << i;
  }
}

// Distances of all peaks from the centre, nearest first, from the definition.
std::vector<double> PeakDistances(std::span<const double> map, int n) {
  const int side = 2 * n - 1;
  const auto rate = [&](int x, int y) {
    if (x < 0 || y < 0 || x >= n || y >= n || std::isnan(map[x * n + y])) return 0.0;
    return map[x * n + y];
  };
  std::vector<double> correlation;
  for (int i = 1 - n; i < n; ++i) {
    for (int j = 1 - n; j < n; ++j) {
      double sum = 0;
      for (int x = 0; x < n; ++x)
        for (int y = 0; y < n; ++y) sum += rate(x, y) * rate(x + i, y + j);
      correlation.push_back(sum);
    }
  }
  const double lowest = *std::ranges::min_element(correlation);
  std::vector<double> distances;
  for (int i = 1; i < side - 1; ++i) {
    for (int j = 1; j < side - 1; ++j) {
      double highest = 0;
      for (int k = 0; k < 9; ++k)
        highest = std::max(highest, correlation[(i + k / 3 - 1) * side + j + k % 3 - 1]);
      const double here = correlation[i * side + j];
      if (here == highest && here > lowest && (i != n - 1 || j != n - 1))
        distances.push_back(std::hypot(i - n + 1, j - n + 1));
    }
  }
  std::ranges::sort(distances);
  return distances;
}

std::vector<double> SortedFinite(std::span<const double> values) {
  std::vector<double> finite;
  std::ranges::copy_if(values, std::back_inserter(finite), [](double v) { return !std::isnan(v); });
  std::ranges::sort(finite);
  return finite;
}

TEST_P(Golden, PeriodsAndOrientationsAgree) {
  int compared = 0;
  for (int i = 0; i < golden_.maps; ++i) {
    const Period period = scorer_.FindPeriod(Map(i));
    if (std::isnan(golden_.period[i])) {
      EXPECT_TRUE(std::isnan(period.period_bins)) << "map " << i;
      continue;
    }
    EXPECT_NEAR(period.period_bins, golden_.period[i], kTolerance) << "map " << i;
    EXPECT_NEAR(period.period_error_bins, golden_.period_error[i], kTolerance) << "map " << i;

    // Which of two equally near peaks comes sixth is left open by the definition.
    const std::vector<double> distances = PeakDistances(Map(i), nbins_);
    if (distances.size() > 6 && distances[6] - distances[5] <= 1e-9) continue;
    ++compared;
    const auto expected = SortedFinite(std::span(golden_.orientation).subspan(6 * i, 6));
    const auto got = SortedFinite(period.orientations_rad);
    EXPECT_THAT(got, testing::Pointwise(testing::DoubleNear(kTolerance), expected)) << "map " << i;
  }
  EXPECT_GE(compared, 20);
}

INSTANTIATE_TEST_SUITE_P(Bins, Golden, testing::Values(20, 32, 44),
                         [](const auto& bins) { return std::to_string(bins.param); });

}  // namespace
}  // namespace gridsweep::scoring
