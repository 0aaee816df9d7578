// Head-direction cells: a second group of targets beside the readout's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// `n_head_direction_cells` cells with preferred directions mu uniform in
// [-pi, pi], from `config.seed`'s readout stream. Source: docs/science.md.
class HeadDirectionCells {
 public:
  explicit HeadDirectionCells(const science::RunConfig& config);

  int64_t cells() const { return static_cast<int64_t>(preferred_.size()); }
  // mu [cells], radians.
  const std::vector<double>& preferred() const { return preferred_; }

  // Writes the softmax over cells of concentration * cos(theta - mu), for
  // `headings` ([n] radians), to `out` ([n, cells], row-major).
  void Respond(std::span<const double> headings, float* out) const;

 private:
  double concentration_;
  std::vector<double> preferred_, cosine_, sine_;
};

}  // namespace gridsweep::integrator
