// Place cells: where their fields lie, and how they respond to a position.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/trainer.h"
#include "science/integrator/trajectory.h"

namespace gridsweep::integrator {

// Np cells with one field each (or several: a cell answers with the field in
// which z = |p-u|^2 / (2 sigma^2) is smallest). Distances wrap in periodic boxes.
class PlaceCells {
 public:
  // Draws centres, widths and surround ratios from `config.seed`'s readout stream.
  // Precondition: IsPlaceCellReadout(config.place_field_values).
  explicit PlaceCells(const science::RunConfig& config);

  int64_t cells() const { return cells_; }

  // Writes the responses to `positions` ([n, 2] metres) to `out` ([n, cells],
  // row-major): the network's targets, in float32. Source: docs/science.md,
  // readouts. With global normalisation (and for every difference) a row sums
  // to 1. Softmaxes subtract the smallest z first, so none underflows as a whole.
  void Respond(std::span<const double> positions, float* out) const;

  // Centres, widths, surround ratios as drawn.
  const ReadoutParameters& parameters() const { return parameters_; }

 private:
  enum class Response {
    kGaussian,
    kSoftmax,
    kDifference,
    kDifferenceOfSoftmaxes,
    kSoftmaxOfDifferences
  };

  int64_t cells_, padded_;  // padded_: cells_ rounded up to whole lanes
  Box box_;
  Response response_;
  float excitation_ = 1, inhibition_ = 1;
  ReadoutParameters parameters_;
  // [fields, padded_]: what Respond reads. Padding repeats the last cell, missing
  // fields repeat the cell's first one, so that neither changes a minimum.
  std::vector<float> x_, y_, center_scale_, surround_scale_;
};

}  // namespace gridsweep::integrator
