// What a run leaves behind when it stops half-way, so that another worker goes on
// from there to the same result, bit by bit.
//
// A checkpoint is an HDF5 file:
//   /                     attributes format, config_hash (hex), science_version, numerics_id,
//                         step (gradient steps done), loss (of the last one, NaN = none),
//                         compute_seconds (so far, all attempts), parameters (their
//                         names in the network's order, by line)
//   /weights/NAME         float32, each parameter in its shape
//   /optimizer/mean/NAME, /optimizer/square/NAME
//                         float32 [parameters] where the optimiser has such state
//   /curves/stored, /curves/artifact
//                         attributes stride, evaluation_stride, evaluation_count, empty;
//     losses float64 [n, 2] (step, loss); evaluations, last float64 [n, 4 + thresholds]
//     (step, loss, error_cm, evaluated, fractions above the published thresholds)
//
// Random numbers need none of it: they are keyed by (seed, stream, step, index).
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "hdf5/file.h"
#include "science/config/run_config.h"
#include "science/integrator/trainer.h"
#include "worker/learning_curve.h"

namespace gridsweep::worker {

struct Checkpoint {
  integrator::TrainingState training;
  double loss = 0;  // of the last step, NaN = none
  double compute_seconds = 0;
  LearningCurve::State stored_curve, artifact_curve;
  // Whose bits these are: integrator::NumericsId(), or that of several (MixNumerics).
  std::string numerics_id;
};

// Errors: INTERNAL where HDF5 fails.
absl::StatusOr<std::string> EncodeCheckpoint(const science::RunConfig& config,
                                             const Checkpoint& checkpoint);
// Errors: those of `file` where it cannot be read or holds something else; FAILED_PRECONDITION
// where it is of another configuration or science_version.
absl::StatusOr<Checkpoint> DecodeCheckpoint(const science::RunConfig& config,
                                            const hdf5::File& file);

// The numerics_id of a run of which a part was computed with `before` and the rest with
// `now`: "mixed(A|B)" of all that took part, sorted, or the one.
std::string MixNumerics(std::string_view before, std::string_view now);

}  // namespace gridsweep::worker
