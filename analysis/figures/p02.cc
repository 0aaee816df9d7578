// P2: only one tuned readout gives grids. Units above four thresholds against the width of
// a DoS readout, for each surround ratio; the best ratemaps by width.
#include <absl/strings/str_format.h>

#include <algorithm>

#include "analysis/figures/example_maps.h"
#include "analysis/figures/panels.h"
#include "analysis/figures/share_view.h"
#include "common/group_value.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

DrawnFigure DrawP02(FigureSource& source) {
  constexpr std::string_view kDos = "readout = \"DoS\"";
  Figure figure;
  Names surrounds;
  std::vector<Json> shares;
  for (const double threshold : {0.3, 0.75, 0.8, 1.15}) {
    ASSIGN_OR_RETURN(const auto rows, AskShare(source, kDos, {"surround_scale", "place_cell_rf"},
                                               {"grid_score_60", v1::COMPARISON_GT, threshold}));
    if (rows.empty()) return std::nullopt;
    ShareRows points;
    for (const auto& row : rows) {
      const std::string surround = GroupValueText(row.group().key(0));
      if (std::ranges::find(surrounds, surround) == surrounds.end()) surrounds.push_back(surround);
      points.Add(NumberOf(row.group().key(1)), row, surround);
    }
    const std::string dataset = absl::StrFormat("above_%g", threshold);
    figure.datasets[dataset] = points.rows();
    shares.push_back(
        SharesByNumber(absl::StrFormat("%sgrid score > %g", shares.empty() ? "A  " : "", threshold),
                       dataset, points, "width σ of the place cells, m", "share of units",
                       Nominal("series", "surround ratio s", surrounds), 170, 190));
  }
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kDos));
  ASSIGN_OR_RETURN(auto maps, ExampleMaps(source, kDos, "place_cell_rf", "σ ", 6, 3));

  figure.title = "P2: grid-like units by the readout's tuning";
  figure.notes = {CoverageText(*figure.coverage),
                  "A: share of all units of DoS networks with a grid score above each threshold. "
                  "Intervals: cluster-robust over runs, 95%, cut at the axis; none for a single "
                  "run.",
                  StrCat("B: ", kExampleMapsNote)};
  Json tiled = Tiled(std::move(shares), 4);
  tiled["resolve"]["scale"]["color"] = "shared";
  tiled["resolve"]["scale"]["shape"] = "shared";
  std::vector<Json> rows = {std::move(tiled)};
  if (!maps.empty()) rows.push_back(Tiled(std::move(maps), 6));
  figure.view = Above(std::move(rows));
  return figure;
}

}  // namespace gridsweep::analysis
