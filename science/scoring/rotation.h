// Correlations of an autocorrelogram with itself turned by 30, 45, 60, 90, 120,
// 135 and 150 degrees about its centre, over the lags of ring masks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "science/scoring/grid_scorer.h"
#include "science/scoring/kernels.h"

namespace gridsweep::scoring {

struct TurnedCorrelations {
  double at_30, at_45, at_60, at_90, at_120, at_135, at_150;
};

// Interpolates with cubic B-splines: coefficients with mirror boundary, and 0
// where the turned lag lies outside the map (scipy.ndimage.rotate, order 3).
//
// A quarter turn and a reflection map lags onto lags, and the map is point-
// symmetric, so two turns give all seven: of a quarter of the plane by 30
// degrees and of an eighth by 45. Each interpolation has four lanes, the map
// seen through the symmetries 1, R, M, RM with R (x, y) = (-y, x) and
// M (x, y) = (y, x).
class RingRotations {
 public:
  struct Work {
    std::vector<double> columns, rows;      // spline coefficients, half of the map
    std::vector<double> straight, crossed;  // a row of them, and one of the transposed map
    std::vector<double> lanes;              // those in reach of a turn, in four lanes
    std::vector<double> lags, turned;       // values at each point, in four lanes
  };

  RingRotations(int nbins, const Kernels& kernels);

  int MaskArea(int mask) const { return areas_[mask]; }

  // `sac` [2n-1, 2n-1], point-symmetric to the bit, all finite.
  std::array<TurnedCorrelations, kMasks> Correlate(std::span<const double> sac, Work& work) const;

 private:
  // Lags of a fundamental part of the plane, ring by ring, and where each lands.
  struct Turn {
    std::array<int, kMasks + 1> ring_begin;    // points of ring m: [ring_begin[m], [m + 1])
    std::vector<std::array<int32_t, 4>> lags;  // in the SAC, through 1, R, M, RM
    std::vector<double> share;                 // 1/2 where two symmetries meet, else 1
    std::vector<double> x, y;                  // the turned lag
    std::vector<int32_t> base;                 // of its first coefficient
    std::vector<double> weights;               // [8], for Kernels::spline_gather
  };
  using Moments = std::array<std::array<double, kMoments>, kMasks>;

  void AddPoint(Turn& turn, int x, int y, double radians, double share) const;
  void MakeWeights(Turn& turn) const;
  void MakeCoefficients(std::span<const double> sac, Work& work) const;
  Moments Sum(const Turn& turn, std::span<const double> sac, double shift, Work& work) const;

  int n_, side_, filter_width_;
  const Kernels& kernels_;
  std::array<int, kMasks> areas_;
  Turn by_30_, by_45_;
  std::vector<double> filter_start_;
  int x_begin_, x_end_, y_begin_, y_end_;  // lags whose coefficients are used
};

}  // namespace gridsweep::scoring
