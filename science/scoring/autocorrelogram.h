// Autocorrelation of a map at every lag: sums over overlapping windows, and
// their Pearson correlation.
#pragma once

#include <span>
#include <vector>

#include "science/scoring/kernels.h"

namespace gridsweep::scoring {

// Works on half of the lags, as correlation at -d equals that at d: arrays
// [n, lag_width], where element (di, n - 1 + dj) is lag (di, dj) and the last
// lag_width - (2n - 1) of a row mean nothing.
class Autocorrelator {
 public:
  // Buffers of one call; grows once, then serves any size again.
  struct Work {
    std::vector<double> map, square, visited;  // padded
    std::vector<double> product;               // sum of a b at each lag
    std::vector<double> sum_a, sum_b, square_a, square_b, count, pearson;
  };

  Autocorrelator(int nbins, const Kernels& kernels);

  int lag_width() const { return lag_width_; }

  // work.product of the map with its unvisited bins as 0.
  void Correlate(std::span<const double> ratemap, Work& work) const;
  // After Correlate: work.pearson. With mask_unvisited, pairs with an unvisited
  // bin are left out; else they count with rate 0.
  void Normalize(std::span<const double> ratemap, bool mask_unvisited, Work& work) const;

  // All lags [2n-1, 2n-1] of half of them.
  void Unfold(const std::vector<double>& half, double* full) const;

 private:
  void WindowSums(Work& work) const;
  void MaskedSums(std::span<const double> ratemap, Work& work) const;
  double* Element(std::vector<double>& padded) const;
  const double* Element(const std::vector<double>& padded) const;

  int n_, stride_, lag_width_;
  const Kernels& kernels_;
  std::vector<double> count_;  // overlapping bins at each lag
};

}  // namespace gridsweep::scoring
