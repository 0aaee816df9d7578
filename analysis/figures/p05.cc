// P5: with several scales and fields a cell, grids are gone. DoS networks by the suffixes of
// their readout: has-grid fractions and survival functions.
#include "analysis/figures/panels.h"
#include "analysis/figures/share_view.h"
#include "analysis/figures/survival.h"
#include "common/group_value.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

DrawnFigure DrawP05(FigureSource& source) {
  constexpr std::string_view kDos = "readout_family = \"DoS\"";
  ASSIGN_OR_RETURN(const auto scores, AskScoreBins(source, kDos, {"readout"}));
  bool several = false;
  for (const auto& bins : scores) several |= GroupValueText(bins.group.key(0)) != "DoS";
  if (!several) return std::nullopt;
  ASSIGN_OR_RETURN(const auto has_grid, AskShare(source, kDos, {"readout"}, kHasGrid));
  ASSIGN_OR_RETURN(const auto solved, AskShare(source, kDos, {"readout"}, kSolved));
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kDos));

  ShareRows grid_rows, solved_rows;
  Names readouts;
  SurvivalCurves curves;
  for (const auto& row : has_grid) {
    readouts.push_back(GroupValueText(row.group().key(0)));
    grid_rows.Add(readouts.back(), row);
  }
  for (const auto& row : solved) solved_rows.Add(GroupValueText(row.group().key(0)), row);
  for (const auto& bins : scores) curves.Add(GroupValueText(bins.group.key(0)), bins);

  figure.title = "P5: DoS readouts of one scale and field a cell, and of several";
  figure.notes = {
      CoverageText(*figure.coverage),
      "A: all finished runs, whatever their error, with a grid score above 0.8 among 1,024 units "
      "(all where there are fewer). B: runs with an error below 10 cm. Lines: Wilson intervals, "
      "95%. As published: grid units with the ideal readout alone."};
  figure.datasets["has_grid"] = grid_rows.rows();
  figure.datasets["solved"] = solved_rows.rows();
  figure.datasets["survival"] = curves.rows();
  figure.view =
      Above({Beside({SharesByName("A  Possible grid cells", "has_grid", grid_rows, readouts,
                                  "fraction of runs, max score > 0.8"),
                     SharesByName("B  Solved the task", "solved", solved_rows, readouts,
                                  "fraction of runs with error < 10 cm")}),
             curves.Draw("C  Scores of all units", "survival", "readout", false, 470, 240)});
  return figure;
}

}  // namespace gridsweep::analysis
