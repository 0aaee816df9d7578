// What the network is trained to put out for a position, whatever its kind.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/place_cells.h"

namespace gridsweep::integrator {

// The readout of one run: place cells, or a linear map of the position.
class ReadoutMap {
 public:
  // Precondition: CanTrain(config).
  explicit ReadoutMap(const science::RunConfig& config);

  int64_t outputs() const { return outputs_; }
  // y(p) for `positions` ([n, 2] metres), to `out` ([n, outputs], row-major).
  void Targets(std::span<const double> positions, float* out) const;

  // nullptr for cartesian and high_dim_cartesian.
  const PlaceCells* place_cells() const { return cells_ ? &*cells_ : nullptr; }
  // p A + c of high_dim_cartesian, the identity of cartesian; empty for place cells.
  std::span<const double> linear_map() const { return map_; }        // A [2, outputs]
  std::span<const double> linear_offset() const { return offset_; }  // c [outputs]

  // For the artifact.
  ReadoutParameters parameters() const;

 private:
  int64_t outputs_;
  bool drawn_;  // A and c are drawn, so worth storing
  std::optional<PlaceCells> cells_;
  std::vector<double> map_, offset_;
};

}  // namespace gridsweep::integrator
