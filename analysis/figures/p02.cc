// P2: only one tuned readout gives grids. Units above four thresholds against the width of
// a DoS readout, for each surround ratio; the best ratemaps by width.
#include "analysis/figures/example_maps.h"
#include "analysis/figures/panels.h"
#include "analysis/figures/threshold_shares.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

DrawnFigure DrawP02(FigureSource& source) {
  constexpr std::string_view kDos = "readout = \"DoS\"";
  Figure figure;
  ASSIGN_OR_RETURN(auto shares, SharesAboveThresholds(source, kDos, "surround_scale",
                                                      "surround ratio s", figure));
  if (!shares) return std::nullopt;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kDos));
  ASSIGN_OR_RETURN(auto maps, ExampleMaps(source, kDos, "place_cell_rf", "σ ", 6, 3));

  figure.title = "P2: grid-like units by the readout's tuning";
  figure.notes = {CoverageText(*figure.coverage),
                  "A: share of all units of DoS networks with a grid score above each threshold. "
                  "Intervals: cluster-robust over runs, 95%, cut at the axis; none for a single "
                  "run.",
                  StrCat("B: ", kExampleMapsNote)};
  std::vector<Json> rows = {*std::move(shares)};
  if (!maps.empty()) rows.push_back(Tiled(std::move(maps), 6));
  figure.view = Above(std::move(rows));
  return figure;
}

}  // namespace gridsweep::analysis
