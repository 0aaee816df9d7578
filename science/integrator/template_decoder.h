// Decoding by the best-matching target on a lattice. Private to
// science/integrator and its tests (includes LibTorch).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/readout.h"
#include "science/integrator/trajectory.h"

namespace gridsweep::integrator {

inline constexpr int64_t kTemplateSide = 88;

// The targets at the centres of 88 x 88 equal bins of the box.
class TemplateDecoder {
 public:
  TemplateDecoder(const science::RunConfig& config, const ReadoutMap& readout);

  // For each row of `activity` ([n, outputs] float32) the lattice point whose target y
  // has the smallest training loss: cross-entropy to softmax(activity), binary
  // cross-entropy to sigmoid(activity), or squared error. Ties: the lower index, y fastest.
  void Decode(const at::Tensor& activity, std::vector<Vec2>& decoded);

 private:
  void Compress();

  std::vector<Vec2> points_;
  at::Tensor basis_;      // [outputs, rank] when the templates are compressed
  at::Tensor templates_;  // [points, outputs or rank]
  // The score of a point is activity . y - penalty; its largest wins.
  std::vector<float> penalty_;
  at::Tensor scores_;  // a chunk of rows: [chunk, points]
};

}  // namespace gridsweep::integrator
