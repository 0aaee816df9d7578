#include "analysis/figures/example_maps.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "analysis/queries/list_units.h"
#include "analysis/queries/selection.h"
#include "analysis/queries/unit_lookup.h"
#include "common/group_value.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr int kBins = 32;
constexpr int kPixelsABin = 3;

absl::StatusOr<Json> DrawMap(const ResultFiles& files, const LocatedUnit& unit,
                             const std::string& group) {
  ASSIGN_OR_RETURN(const ResultFile file, files.Open(unit.artifact));
  ASSIGN_OR_RETURN(const std::vector<float> rates, file.Ratemap(kBins, unit.ref.unit()));
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double rate : rates) {
    if (!std::isfinite(rate)) continue;
    low = std::min(low, rate);
    high = std::max(high, rate);
  }
  return HeatMap(StrCat(group, ": ", absl::StrFormat("%.2f", unit.grid_score_60.value_or(NAN))),
                 {rates.begin(), rates.end()}, kBins, kPixelsABin, low, high, "viridis");
}

}  // namespace

absl::StatusOr<std::vector<Json>> ExampleMaps(FigureSource& source, std::string_view filter,
                                              const std::string& group_by,
                                              const std::string& prefix, int groups, int units) {
  v1::ListUnitsRequest request;
  *request.mutable_where() = Narrowed(source.where, filter);
  request.mutable_where()->add_group_by(group_by);
  request.set_page_size(static_cast<uint32_t>(units));
  ASSIGN_OR_RETURN(const ListUnitsQuestion question, ParseListUnits(request, ""));
  ASSIGN_OR_RETURN(const auto page, AnswerListUnits(source.snapshot, question));
  // Groups come one after the other.
  std::vector<std::vector<v1::UnitRef>> rows;
  Names names;
  for (const auto& unit : page.units()) {
    if (!unit.has_value()) continue;
    const std::string name = GroupValueText(unit.key(0));
    if (names.empty() || names.back() != name) {
      names.push_back(name);
      rows.emplace_back();
    }
    rows.back().push_back(unit.ref());
  }
  std::vector<Json> views;
  const auto count = static_cast<int>(rows.size());
  const int drawn = std::min(count, groups);
  for (int i = 0; i < drawn; ++i) {
    const int row = drawn == 1 ? 0 : i * (count - 1) / (drawn - 1);
    ASSIGN_OR_RETURN(const auto located, LocateUnits(source.snapshot, rows[row]));
    for (const LocatedUnit& unit : located) {
      ASSIGN_OR_RETURN(Json view, DrawMap(source.files, unit, prefix + names[row]));
      views.push_back(std::move(view));
    }
  }
  return views;
}

}  // namespace gridsweep::analysis
