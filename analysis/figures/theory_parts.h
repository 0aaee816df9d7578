// What the two panels of theory share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/figures/vega_lite.h"
#include "analysis/queries/sweep_readouts.h"
#include "science/config/run_config.h"

namespace gridsweep::analysis {

// At most `most` readouts, spread evenly over their order; `count` gets how many
// there were.
std::vector<SweepReadouts::Readout> ChooseEvenly(std::vector<SweepReadouts::Readout> readouts,
                                                 size_t most, size_t& count);

// "DoS, σ 0.12 m, surround 2".
std::string ReadoutText(const science::RunConfig& config);

// Every second point of a map [res, res], as a heat map of 3 pixels a point.
Json ThinnedMap(const std::string& title, const std::vector<double>& map, int res, double low,
                double high, std::string_view scheme);

}  // namespace gridsweep::analysis
