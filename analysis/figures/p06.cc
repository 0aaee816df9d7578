// P6: Gaussian readouts give no lattices. By width: has-grid fractions beside the published
// ones, survival functions, best ratemaps; by network where there are several.
#include <algorithm>

#include "analysis/compare/published.h"
#include "analysis/figures/example_maps.h"
#include "analysis/figures/panels.h"
#include "analysis/figures/share_view.h"
#include "analysis/figures/survival.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

DrawnFigure DrawP06(FigureSource& source) {
  constexpr std::string_view kGaussian = "readout = \"Gaussian\"";
  ASSIGN_OR_RETURN(const auto scores, AskScoreBins(source, kGaussian, {"place_cell_rf"}));
  if (scores.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const auto by_width, AskShare(source, kGaussian, {"place_cell_rf"}, kHasGrid));
  ASSIGN_OR_RETURN(const auto by_network, AskShare(source, kGaussian, {"rnn_type"}, kHasGrid));
  ASSIGN_OR_RETURN(auto maps, ExampleMaps(source, kGaussian, "place_cell_rf", "σ ", 5, 2));
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kGaussian));

  ShareRows width_rows, network_rows;
  for (const auto& row : by_width) width_rows.Add(NumberOf(row.group().key(0)), row);
  for (const auto& published : PublishedGaussianByWidth()) {
    width_rows.AddPublished(published.width, published.value);
  }
  Names networks;
  for (const auto& row : by_network) {
    networks.push_back(TextOf(row.group().key(0)));
    network_rows.Add(networks.back(), row);
  }
  SurvivalCurves curves;
  for (const auto& bins : scores) curves.Add(TextOf(bins.group.key(0)) + " m", bins);

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
  if (networks.size() > 1) {
    for (const auto& published : PublishedGaussianByNetwork()) {
      network_rows.AddPublished(published.name, published.value);
      if (std::ranges::find(networks, published.name) == networks.end()) {
        networks.emplace_back(published.name);
      }
    }
    figure.datasets["by_network"] = network_rows.rows();
    rows.push_back(SharesByName("Possible grid cells by network, all widths", "by_network",
                                network_rows, networks, "fraction of runs, max score > 0.8"));
  }
  rows.push_back(Tiled(std::move(maps), 5));
  rows.push_back(TextView("C  not reproduced: data not public here", 400));
  figure.view = Above(std::move(rows));
  return figure;
}

}  // namespace gridsweep::analysis
