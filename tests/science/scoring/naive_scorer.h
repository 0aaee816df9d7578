// Grid scores straight from their definition, in long double: nothing shared with
// the scorer but the definition, and no symmetry used.
#pragma once

#include <array>
#include <span>
#include <vector>

namespace gridsweep::scoring {

// Pearson correlation of overlapping bins at each lag [2n-1, 2n-1]; 0 where either
// window is constant.
std::vector<long double> NaiveAutocorrelogram(std::span<const double> ratemap, int nbins,
                                              bool mask_unvisited);

struct NaiveScores {
  std::array<double, 10> mask_60, mask_90, mask_60_means;
};
NaiveScores NaiveScore(std::span<const double> ratemap, int nbins, bool mask_unvisited);

}  // namespace gridsweep::scoring
