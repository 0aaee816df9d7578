// P10: from 1,024 to 4,096 units. Units above four thresholds against the width by number of
// units; has-grid fractions by number of units, of the same number drawn from each.
#include <absl/strings/str_format.h>

#include <set>

#include "analysis/figures/panels.h"
#include "analysis/figures/share_view.h"
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
  std::vector<Json> shares;
  for (const double threshold : {0.3, 0.75, 0.8, 1.15}) {
    ASSIGN_OR_RETURN(const auto rows, AskShare(source, kDos, {"Ng", "place_cell_rf"},
                                               {"grid_score_60", v1::COMPARISON_GT, threshold}));
    ShareRows points;
    for (const auto& row : rows) {
      points.Add(NumberOf(row.group().key(1)), row, GroupValueText(row.group().key(0)));
    }
    const std::string dataset = absl::StrFormat("above_%g", threshold);
    figure.datasets[dataset] = points.rows();
    shares.push_back(
        SharesByNumber(absl::StrFormat("%sgrid score > %g", shares.empty() ? "A  " : "", threshold),
                       dataset, points, "width σ of the place cells, m", "share of units",
                       Nominal("series", "units", sizes), 170, 190));
  }
  figure.title = "P10: grid-like units by number of units";
  figure.notes = {
      CoverageText(*figure.coverage),
      "A: share of all units of DoS networks above each threshold. Intervals: cluster-robust over "
      "runs, 95%, cut at the axis; none for a single run.",
      "B: runs with a grid score above 0.8 among 1,024 units drawn from each (all where there are "
      "fewer), whatever their error: a larger network has more chances. Wilson intervals, 95%."};
  figure.datasets["has_grid"] = grid_rows.rows();
  Json tiled = Tiled(std::move(shares), 4);
  tiled["resolve"]["scale"]["color"] = "shared";
  tiled["resolve"]["scale"]["shape"] = "shared";
  figure.view = Above(
      {std::move(tiled), SharesByName("B  Possible grid cells by number of units", "has_grid",
                                      grid_rows, sizes, "fraction of runs, max score > 0.8")});
  return figure;
}

}  // namespace gridsweep::analysis
