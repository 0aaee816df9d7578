// P10: from 1,024 to 4,096 units. Units above four thresholds against the width by number of
// units; has-grid fractions by number of units, of the same number drawn from each.
#include "analysis/figures/panels.h"
#include "analysis/figures/share_view.h"
#include "analysis/figures/threshold_shares.h"
#include "common/group_value.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

DrawnFigure DrawP10(FigureSource& source) {
  constexpr std::string_view kDos = "readout = \"DoS\"";
  ASSIGN_OR_RETURN(const auto has_grid, AskShare(source, kDos, {"Ng"}, kHasGrid));
  if (has_grid.size() < 2) return std::nullopt;
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kDos));
  ShareRows grid_rows;
  Names sizes;
  for (const auto& row : has_grid) {
    sizes.push_back(GroupValueText(row.group().key(0)));
    grid_rows.Add(sizes.back(), row);
  }
  ASSIGN_OR_RETURN(auto shares, SharesAboveThresholds(source, kDos, "Ng", "units", figure));
  if (!shares) return std::nullopt;
  figure.title = "P10: grid-like units by number of units";
  figure.notes = {
      CoverageText(*figure.coverage),
      "A: share of all units of DoS networks above each threshold. Intervals: cluster-robust over "
      "runs, 95%, cut at the axis; none for a single run.",
      "B: runs with a grid score above 0.8 among 1,024 units drawn from each (all where there are "
      "fewer), whatever their error: a larger network has more chances. Wilson intervals, 95%."};
  figure.datasets["has_grid"] = grid_rows.rows();
  figure.view = Above(
      {*std::move(shares), SharesByName("B  Possible grid cells by number of units", "has_grid",
                                        grid_rows, sizes, "fraction of runs, max score > 0.8")});
  return figure;
}

}  // namespace gridsweep::analysis
