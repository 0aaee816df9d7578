// The HDF5 file of one run: everything too big for a table.
//
// Its bytes are a function of configuration (seed included), numerics_id and
// science_version alone: no times, hosts or attempts, fixed chunks and deflate
// level. Any h5py or MATLAB user can open it. Row-major, first index x:
//
//   /                   attributes config (canonical JSON), config_hash (hex), readout,
//                       readout_family, outcome, numerics_id, science_version, seed
//   /metrics            the run metrics as float64 attributes, NaN = none
//   /learning_curve/    step uint64 [n]; loss, error_cm float64 [n]; fraction_above float64
//                       [n, 6] (thresholds in its attribute), NaN = not evaluated. All points
//                       of runs of up to about 10^4 steps, else thinned by doubling
//   /readout/           centers [cells, fields, 2] m, widths [cells, fields] m,
//                       surround_scales [cells, fields], linear_map [2, cells],
//                       linear_offset [cells]; radius_map, radius_offset and
//                       preferred_angles (rad) [cells / 2]; float64, where the readout has
//                       them; NaN = a field that Poisson did not draw; head_directions
//                       [n_head_direction_cells] rad
//   and for runs that did not diverge
//   /ratemaps/nXX       float32 [units, nx, ny], NaN = never visited; XX 44, 32, 20.
//                       n44 has bins of bin_side_in_m, whatever their number
//   /occupancy/nXX      int64 [nx, ny] visits
//   /scores/NAME        float64 [units] of each unit metric, computed from float64 maps
//   /scores/mask_60|90  float64 [units, 10] by ring mask, 44 bins
//   /scores/orientations_rad   float64 [units, 6], nearest peak first
//   and where chance was asked for
//   /chance/unit          int64 [n], the sample of units that were shuffled
//   /chance/grid_score_60 float64 [n, shuffles] of their shuffled ratemaps, NaN = none
//   /untrained/grid_score_60   float64 [units] of the untrained network
//
// Every dataset names its `unit` in an attribute.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/trainer.h"
#include "worker/chance.h"
#include "worker/run_result.h"
#include "worker/unit_maps.h"

namespace gridsweep::worker {

struct ArtifactContent {
  science::RunConfig config;
  RunOutcome outcome = RunOutcome::kSucceeded;
  std::string numerics_id;
  std::map<std::string, double> run_metrics;
  std::vector<UnitColumn> units;
  std::vector<CurvePoint> learning_curve;
  integrator::ReadoutParameters readout;
  std::optional<UnitMaps> n44, n32, n20;   // absent where the run diverged
  std::optional<ShuffledScores> shuffled;  // absent where no chance was asked for
  std::vector<double> untrained_score_60;  // likewise
};

// The file's bytes. Errors: INTERNAL when HDF5 fails.
absl::StatusOr<std::string> EncodeArtifact(const ArtifactContent& content);

}  // namespace gridsweep::worker
