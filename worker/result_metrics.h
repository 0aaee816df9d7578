// A run's metrics, from its evaluation and maps.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "science/config/run_config.h"
#include "science/integrator/trainer.h"
#include "worker/run_result.h"
#include "worker/unit_maps.h"

namespace gridsweep::worker {

// A number that can be stored: an infinity means no more than "none".
double FiniteOrNaN(double value);

// Every unit-level metric of the registry. `full` was scored in full.
std::vector<UnitColumn> UnitColumns(const science::RunConfig& config, const UnitMaps& full,
                                    const UnitMaps& n32, const UnitMaps& n20);

// Run-level metrics of the units together, by name: participation ratios, rank, intrinsic
// dimensions. Calls `go_on` now and then; nullopt where it answered false.
std::optional<std::map<std::string, double>> PopulationMetrics(
    const integrator::Evaluation& evaluation, const UnitMaps& full,
    const std::function<bool()>& go_on);

// Mean distance of the evaluation's positions to the centre of the box, cm.
double ChanceErrorCm(const integrator::Evaluation& evaluation);

}  // namespace gridsweep::worker
