// P6: Gaussian readouts give no lattices. By width: has-grid fractions beside the published
// ones, survival functions, best ratemaps; by network where there are several.
#include <algorithm>
#include <span>

#include "analysis/compare/published.h"
#include "analysis/figures/example_maps.h"
#include "analysis/figures/panels.h"
#include "analysis/figures/share_view.h"
#include "analysis/figures/survival.h"
#include "common/group_value.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

DrawnFigure DrawP06(FigureSource& source) {
  constexpr std::string_view kGaussian = "readout = \"Gaussian\"";
  ASSIGN_OR_RETURN(const auto scores, AskScoreBins(source, kGaussian, {"place_cell_rf"}));
  if (scores.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto by_width, AskShare(source, kGaussian, {"place_cell_rf"}, kHasGrid));
  ASSIGN_OR_RETURN(auto maps, ExampleMaps(source, kGaussian, "place_cell_rf", "σ ", 5, 2));
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kGaussian));

  ShareRows width_rows;
  for (const auto& row : by_width) width_rows.Add(NumberOf(row.group().key(0)), row);
  for (const auto& published : PublishedGaussianByWidth()) {
    width_rows.AddPublished(published.width, published.value);
  }
  SurvivalCurves curves;
  for (const auto& bins : scores) curves.Add(GroupValueText(bins.group.key(0)) + " m", bins);

  figure.title = "P6: Gaussian readouts by width";
  figure.notes = {
      CoverageText(*figure.coverage),
      "A: runs with a grid score above 0.8 among 1,024 units (all where there are fewer). Lines: "
      "Wilson intervals, 95%. Published: 661 runs of four networks and three activations, exact.",
      "A maximum above 0.8 makes no lattice: see the maps. " + std::string(kExampleMapsNote),
      "Panel C of the poster: not reproduced: data not public here."};
  figure.datasets["has_grid"] = width_rows.rows();
  figure.datasets["survival"] = curves.rows();
  std::vector<Json> top = {
      SharesByNumber("A  Possible grid cells", "has_grid", width_rows,
                     "width σ_E of the place cells, m", "fraction of runs, max score > 0.8",
                     std::nullopt, 260, 220),
      curves.Draw("B  Scores of all units", "survival", "width σ_E", true, 300, 220)};
  std::vector<Json> rows = {Beside(std::move(top))};
  std::vector<Json> others;
  const auto add = [&](const char* field, const char* title,
                       std::span<const PublishedByName> published) -> absl::Status {
    ASSIGN_OR_RETURN(const auto shares, AskShare(source, kGaussian, {field}, kHasGrid));
    if (shares.size() < 2) return absl::OkStatus();
    ShareRows points;
    Names names;
    for (const auto& row : shares) {
      names.push_back(GroupValueText(row.group().key(0)));
      points.Add(names.back(), row);
    }
    for (const auto& [name, value] : published) {
      points.AddPublished(name, value);
      if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
    }
    figure.datasets[field] = points.rows();
    others.push_back(
        SharesByName(title, field, points, names, "fraction of runs, max score > 0.8"));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(add("rnn_type", "By network, all widths", PublishedGaussianByNetwork()));
  RETURN_IF_ERROR(add("activation", "By activation, all widths", PublishedGaussianByActivation()));
  if (!others.empty()) rows.push_back(Beside(std::move(others)));
  if (!maps.empty()) rows.push_back(Tiled(std::move(maps), 5));
  rows.push_back(TextView("C  not reproduced: data not public here", 400));
  figure.view = Above(std::move(rows));
  return figure;
}

}  // namespace gridsweep::analysis
