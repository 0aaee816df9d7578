// Ratemaps of the best units of a selection.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "analysis/figures/ask.h"

namespace gridsweep::analysis {

// A row a group, at most `groups` of them, evenly chosen in their order; in it
// the maps of its `units` units with the highest grid_score_60 (fewer where it
// has fewer), headed by `prefix`, the group and the score. Maps have 32 bins a
// side, each coloured from its lowest to its highest rate. Empty where no unit
// has a score.
// Errors: as AnswerListUnits; those of a result file that cannot be read.
absl::StatusOr<std::vector<Json>> ExampleMaps(FigureSource& source, std::string_view filter,
                                              const std::string& group_by,
                                              const std::string& prefix, int groups, int units);

// What the maps show, for a figure's notes.
inline constexpr char kExampleMapsNote[] =
    "Ratemaps: 32 × 32 bins of the box, the units with the highest scores of each group, each map "
    "from its lowest (dark) to its highest rate; above it the score.";

}  // namespace gridsweep::analysis
