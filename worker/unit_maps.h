// Ratemaps of all units of a network at one resolution, and their scores.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "science/config/metric_registry.h"
#include "science/config/run_config.h"
#include "science/integrator/trainer.h"
#include "science/scoring/grid_scorer.h"
#include "science/scoring/ratemap.h"

namespace gridsweep::worker {

// All arrays are row-major, units first. Scores are NaN where a unit has none:
// its map is silent or constant, or no map is square because the box is not.
struct UnitMaps {
  int units = 0, nx = 0, ny = 0;
  std::vector<double> ratemaps;    // [units, nx, ny], NaN = never visited
  std::vector<int64_t> occupancy;  // [nx, ny] visits

  std::vector<double> score_60, score_90;               // [units]
  std::vector<double> mask_60, mask_90;                 // [units, scoring::kMasks]
  std::vector<double> period_bins, period_error_bins;   // [units]
  std::vector<double> orientations_rad;                 // [units, 6]
  std::vector<double> orientation_spread_rad;           // [units]
  std::vector<double> phase_x, phase_y;                 // [units] shares of the unit cell
  std::vector<double> score_60_means, score_60_circle;  // [units]

  std::span<const double> Ratemap(int unit) const {
    const size_t bins = static_cast<size_t>(nx) * ny;
    return {ratemaps.data() + unit * bins, bins};
  }
};

// Bins of the published size, box / bin_side_in_m: 44 x 44 by default.
scoring::BinGrid FullGrid(const science::RunConfig& config);
// `bins` along the box's width, and bins as close to squares as fit its height.
scoring::BinGrid CoarseGrid(const science::RunConfig& config, int bins);

// Called after each unit with how many are done; false stops the scoring.
using UnitCallback = std::function<bool(uint64_t units_done)>;

// Bins `evaluation` and scores every unit; `in_full` also finds periods,
// orientations and phases, and the scores of other definitions. nullopt when
// `on_unit` stopped it.
std::optional<UnitMaps> MapAndScore(const science::RunConfig& config,
                                    const integrator::Evaluation& evaluation,
                                    const scoring::BinGrid& grid, bool in_full,
                                    const UnitCallback& on_unit);

// Fractions of all units whose score exceeds each published threshold; a unit
// without a score exceeds none.
std::array<double, science::kPublishedThresholds.size()> FractionsAbove(
    std::span<const double> scores);

// The largest score; NaN where no unit has one.
double MaxScore(std::span<const double> scores);
// The same over 1024 units drawn by `seed` (over all where there are no more).
double MaxScoreOf1024(std::span<const double> scores, int64_t seed);

}  // namespace gridsweep::worker
