// Grid-like units against the width of a readout, above each threshold of the poster.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>

#include "analysis/figures/figure.h"

namespace gridsweep::analysis {

// Four views in a row: the share of units with a grid score above 0.3, 0.75, 0.8 and 1.15 by
// place_cell_rf, a line for each value of the field `series`, which the legend calls `title`. Their
// data goes to `figure`. Absent where `filter` leaves no unit.
absl::StatusOr<std::optional<Json>> SharesAboveThresholds(FigureSource& source,
                                                          std::string_view filter,
                                                          const std::string& series,
                                                          const std::string& title, Figure& figure);

}  // namespace gridsweep::analysis
