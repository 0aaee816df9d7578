// What the network is trained to put out for a position, whatever its kind.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/place_cells.h"

namespace gridsweep::integrator {

// The readout of one run: place cells, or a map of the position. With (r, theta) the
// position's polar coordinates (theta = 0 at the origin), the maps are
//   cartesian           (x, y)
//   high_dim_cartesian  p A + c
//   polar               (r, theta)
//   high_dim_polar      r a + c in the first half, exp(cos(theta - mu)) in the second
// A, a and c are uniform in [-1, 1], mu in [-pi, pi]. Source: docs/science.md, readouts.
class ReadoutMap {
 public:
  // Draws from `config.seed`'s readout stream.
  explicit ReadoutMap(const science::RunConfig& config);

  int64_t outputs() const { return outputs_; }
  // y(p) for `positions` ([n, 2] metres), to `out` ([n, outputs], row-major).
  void Targets(std::span<const double> positions, float* out) const;

  // nullptr for the Cartesian and polar readouts.
  const PlaceCells* place_cells() const { return cells_ ? &*cells_ : nullptr; }
  // As drawn; empty for cartesian and polar.
  const ReadoutParameters& parameters() const {
    return cells_ ? cells_->parameters() : parameters_;
  }

 private:
  void DrawLinear(const science::RunConfig& config);
  void DrawPolar(const science::RunConfig& config);
  void LinearTargets(std::span<const double> positions, float* out) const;
  void PolarTargets(std::span<const double> positions, float* out) const;

  science::Readout kind_;
  int64_t outputs_;
  std::optional<PlaceCells> cells_;
  ReadoutParameters parameters_;      // of the maps
  std::vector<float> cosine_, sine_;  // of mu, filled up to whole lanes
};

}  // namespace gridsweep::integrator
