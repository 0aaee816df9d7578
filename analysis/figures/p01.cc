// P1: path integration is solved, grids are rare. Solved and has-grid fractions by
// readout family beside the published ones, survival functions of the scores.
#include <algorithm>

#include "analysis/compare/published.h"
#include "analysis/figures/panels.h"
#include "analysis/figures/share_view.h"
#include "analysis/figures/survival.h"
#include "common/group_value.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

DrawnFigure DrawP01(FigureSource& source) {
  ASSIGN_OR_RETURN(const auto solved, AskShare(source, "", {"readout_family"}, kSolved));
  if (solved.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto has_grid,
                   AskShare(source, kSolvedFilter, {"readout_family"}, kHasGrid));
  ASSIGN_OR_RETURN(const auto scores, AskScoreBins(source, "", {"readout_family"}));
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, ""));

  Names families;
  for (const auto& family : PublishedFamilies()) families.emplace_back(family.readout_family);
  ShareRows solved_rows, grid_rows;
  for (const auto& row : solved) {
    const std::string family = GroupValueText(row.group().key(0));
    if (FindPublished(family) == nullptr) families.push_back(family);
    solved_rows.Add(family, row);
  }
  for (const auto& row : has_grid) grid_rows.Add(GroupValueText(row.group().key(0)), row);
  for (const auto& family : PublishedFamilies()) {
    solved_rows.AddPublished(family.readout_family, family.solved);
    grid_rows.AddPublished(family.readout_family, family.has_grid);
  }
  SurvivalCurves curves;
  for (const auto& family : families) {
    for (const auto& bins : scores) {
      if (GroupValueText(bins.group.key(0)) == family) curves.Add(family, bins);
    }
  }

  figure.title = "P1: solved runs and possible grid cells by readout";
  figure.notes = {
      CoverageText(*figure.coverage),
      "A: runs with a decoding error below 10 cm. B: of those, runs with a grid score above 0.8 "
      "among 1,024 units (all where there are fewer). Lines: Wilson intervals, 95%. Published: "
      "read off the figure of October 2022, ±0.01.",
      "The published decoder cannot tell a true DoG network that solves the task from one that "
      "does not. C: units without a score are above no score."};
  figure.datasets["solved"] = solved_rows.rows();
  figure.datasets["has_grid"] = grid_rows.rows();
  figure.datasets["survival"] = curves.rows();
  figure.view =
      Above({Beside({SharesByName("A  Solved the task", "solved", solved_rows, families,
                                  "fraction of runs with error < 10 cm"),
                     SharesByName("B  Possible grid cells", "has_grid", grid_rows, families,
                                  "fraction of solved runs, max score > 0.8")}),
             curves.Draw("C  Scores of all units", "survival", "readout family", false, 470, 240)});
  return figure;
}

}  // namespace gridsweep::analysis
