#include "analysis/figures/threshold_shares.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <vector>

#include "analysis/figures/share_view.h"
#include "common/group_value.h"
#include "common/status.h"

namespace gridsweep::analysis {

absl::StatusOr<std::optional<Json>> SharesAboveThresholds(FigureSource& source,
                                                          std::string_view filter,
                                                          const std::string& series,
                                                          const std::string& title,
                                                          Figure& figure) {
  Names names;
  std::vector<Json> views;
  for (const double threshold : {0.3, 0.75, 0.8, 1.15}) {
    ASSIGN_OR_RETURN(const auto rows, AskShare(source, filter, {series, "place_cell_rf"},
                                               {"grid_score_60", v1::COMPARISON_GT, threshold}));
    if (rows.empty()) return std::nullopt;
    ShareRows points;
    for (const auto& row : rows) {
      const std::string name = GroupValueText(row.group().key(0));
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
      points.Add(NumberOf(row.group().key(1)), row, name);
    }
    const std::string dataset = absl::StrFormat("above_%g", threshold);
    figure.datasets[dataset] = points.rows();
    views.push_back(
        SharesByNumber(absl::StrFormat("%sgrid score > %g", views.empty() ? "A  " : "", threshold),
                       dataset, points, "width σ of the place cells, m", "share of units",
                       Nominal("series", title, names), 170, 190));
  }
  Json tiled = Tiled(std::move(views), 4);
  tiled["resolve"]["scale"]["color"] = "shared";
  tiled["resolve"]["scale"]["shape"] = "shared";
  return tiled;
}

}  // namespace gridsweep::analysis
