// Which walks each training step sees.
#pragma once

#include <cstdint>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/trajectory.h"

namespace gridsweep::integrator {

// Fresh walks every step, or with n_train_trajectories > 0 that many fixed ones,
// reshuffled every epoch. Such an epoch has n_train_trajectories / batch_size
// steps; what is left over by the division sits it out.
class TrainingWalks {
 public:
  explicit TrainingWalks(const science::RunConfig& config);

  // The walks of `step` (from 0): a function of configuration and step alone.
  // `walks` keeps its memory.
  void Draw(uint64_t step, Walks& walks);

 private:
  void Shuffle(uint64_t epoch);

  Box box_;
  int64_t seed_, steps_, batch_;
  uint64_t fixed_;               // 0: fresh walks
  uint64_t epoch_ = 0;           // the one that order_ belongs to
  std::vector<uint64_t> order_;  // [fixed_] numbers of walks; empty before the first shuffle
};

}  // namespace gridsweep::integrator
