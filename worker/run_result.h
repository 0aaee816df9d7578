// What a run leaves behind.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "worker/learning_curve.h"

namespace gridsweep::worker {

enum class RunOutcome { kSucceeded, kDiverged };

struct UnitColumn {
  std::string metric;          // a unit-level name of the metric registry
  std::vector<double> values;  // one a unit, NaN = none
};

struct RunResult {
  RunOutcome outcome = RunOutcome::kSucceeded;
  uint64_t steps = 0;                         // gradient steps; up to the one that diverged
  double compute_seconds = 0;                 // wall time of training, evaluation and scoring
  std::string numerics_id;                    // whose bits these are
  std::map<std::string, double> run_metrics;  // all run-level metrics, NaN = none
  uint32_t unit_count = 0;                    // Ng; 0 where diverged
  std::vector<UnitColumn> units;              // all unit-level metrics; empty where diverged
  std::vector<CurvePoint> learning_curve;     // <= kStoredCurvePoints
  std::string artifact;                       // the bytes of the HDF5 file
};

// A result's learning curve has at most this many points, its artifact's at
// most kArtifactCurvePoints: complete up to about half of that in steps.
inline constexpr size_t kStoredCurvePoints = 256;
inline constexpr size_t kArtifactCurvePoints = 20'000;

}  // namespace gridsweep::worker
