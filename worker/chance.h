// What grid scores a run's units would have by chance.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "science/config/metric_registry.h"
#include "science/config/run_config.h"
#include "worker/unit_maps.h"

namespace gridsweep::worker {

// Scores of shuffled ratemaps of a sample of units.
struct ShuffledScores {
  std::vector<int64_t> units;    // the sample, ascending
  int64_t shuffles = 0;          // of each
  std::vector<double> score_60;  // [units, shuffles], NaN = none
};

// Whether `config` asks for a chance level.
bool WantsChance(const science::RunConfig& config);

// Draws chance_units of the units (all where there are no more) without replacement and scores
// chance_shuffles field-preserving shuffles of the `maps` of each, by the same scorer. A unit
// without a score has none here either. Randomness is keyed by (seed, unit, shuffle). Calls
// `on_shuffle` after each with how many are done; nullopt when that stopped it.
std::optional<ShuffledScores> ScoreShuffles(const science::RunConfig& config, const UnitMaps& maps,
                                            const UnitCallback& on_shuffle);

// The 95th percentile of the scores that are not NaN, linear between order statistics; NaN without
// any.
double Percentile95(std::span<const double> scores);

}  // namespace gridsweep::worker
