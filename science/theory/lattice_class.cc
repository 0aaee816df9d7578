#include "science/theory/lattice_class.h"

#include <cmath>
#include <complex>

namespace gridsweep::theory {
namespace {

double Stripedness(std::span<const double> power, int res) {
  std::complex<double> resultant = 0;
  double total = 0;
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) {
      if (i == 0 && j == 0) continue;
      const double p = power[static_cast<size_t>(i) * res + j];
      resultant += std::polar(p, 2 * std::atan2(Mode(j, res), Mode(i, res)));
      total += p;
    }
  }
  return total > 0 ? std::abs(resultant) / total : 0;
}

}  // namespace

LatticeReading LatticeClassifier::Read(std::span<const double> map) {
  const scoring::GridScores scores = scorer_.Score(map);
  LatticeReading reading{.lattice = Lattice::kNone,
                         .grid_score_60 = scores.grid_score_60,
                         .grid_score_90 = scores.grid_score_90,
                         .stripedness = Stripedness(fourier_.Power(map), res_)};
  if (std::isnan(reading.grid_score_60)) return reading;
  if (reading.grid_score_60 > kHexagonalAbove) {
    reading.lattice = Lattice::kHexagonal;
  } else if (reading.grid_score_90 > kSquareAbove) {
    reading.lattice = Lattice::kSquare;
  } else if (reading.stripedness > kStripesAbove) {
    reading.lattice = Lattice::kStripes;
  }
  return reading;
}

}  // namespace gridsweep::theory
