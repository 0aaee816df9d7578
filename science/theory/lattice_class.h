// What a map shows: hexagons, squares, stripes, or none of them.
#pragma once

#include <span>

#include "science/scoring/grid_scorer.h"
#include "science/theory/fourier.h"
#include "science/theory/lattice.h"

namespace gridsweep::theory {

// The first that holds: grid_score_60 > 0.8, grid_score_90 > 1, stripedness > 0.8.
inline constexpr double kHexagonalAbove = 0.8;
inline constexpr double kSquareAbove = 1;
inline constexpr double kStripesAbove = 0.8;

struct LatticeReading {
  Lattice lattice;
  // As science/scoring defines them; NaN for a constant map, which is kNone.
  double grid_score_60, grid_score_90;
  // |sum over modes of |G~|^2 exp(2 i angle)| / sum of |G~|^2, without the zero
  // mode: 1 when all waves run in one direction, 0 for hexagons and squares.
  double stripedness;
};

// Reads [res, res] maps, res >= 4. Not thread-safe.
class LatticeClassifier {
 public:
  explicit LatticeClassifier(int res) : res_(res), scorer_(res), fourier_(res) {}
  LatticeReading Read(std::span<const double> map);

 private:
  const int res_;
  const scoring::GridScorer scorer_;
  Fourier fourier_;
};

}  // namespace gridsweep::theory
