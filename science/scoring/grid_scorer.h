// Grid scores of ratemaps: autocorrelogram, rotations, ring masks, period.
// Source: docs/science.md, "Ratemaps and grid scores" (Schaeffer et al. 2022, after Banino et al.
// 2018).
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

namespace gridsweep::scoring {

inline constexpr int kMasks = 10;  // ring masks, outer radius linspace(0.4, 1, 10) * nbins

struct GridScores {
  // NaN where the map is silent or constant over its visited bins.
  double grid_score_60, grid_score_90;
  double grid_score_60_means;  // difference of means instead of minimum and maximum
  std::array<double, kMasks> mask_60, mask_90;  // the score of each mask
  int best_mask_60, best_mask_90;               // first maximum; -1 without a score
};

struct Period {
  double period_bins;        // mean distance of the six nearest peaks; NaN without any
  double period_error_bins;  // population standard deviation of those distances
  // The peaks' lags along the first and the second index, bins, nearest first,
  // and atan2(second, first) of each, radians; NaN where there are fewer than six.
  std::array<std::array<double, 2>, 6> peaks_bins;
  std::array<double, 6> orientations_rad;
};

// Scores square maps of one size. Tables for the size are made once; after
// that the object is immutable and may be used from many threads.
class GridScorer {
 public:
  struct Options {
    bool mask_unvisited =
        false;  // leave unvisited bins out of the SAC instead of counting them as 0
  };
  // nbins >= 4.
  explicit GridScorer(int nbins);
  GridScorer(int nbins, Options options);
  ~GridScorer();

  int nbins() const;
  int sac_side() const { return 2 * nbins() - 1; }
  // Number of lags in mask `i`, 0 .. kMasks-1.
  int MaskArea(int i) const;

  // True when max - min <= 1e-12 * max|rate| over visited bins, or none was visited: no score.
  static bool HasNoVariance(std::span<const double> ratemap);

  // Autocorrelogram [sac_side, sac_side] of a ratemap [nbins, nbins] (row-major,
  // first index x; NaN = unvisited). Pearson correlation at each lag.
  std::vector<double> Autocorrelogram(std::span<const double> ratemap) const;
  GridScores Score(std::span<const double> ratemap) const;
  GridScores ScoreAutocorrelogram(std::span<const double> sac) const;
  Period FindPeriod(std::span<const double> ratemap) const;

  // Score, FindPeriod and GrowingCircleScore at once: they share correlations.
  struct All {
    GridScores scores;
    Period period;
    double grid_score_60_circle;
  };
  All ScoreAll(std::span<const double> ratemap) const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace gridsweep::scoring
