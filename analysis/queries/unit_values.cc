#include "analysis/queries/unit_values.h"

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

absl::StatusOr<std::vector<UnitValues>> ReadUnitsAbove(Snapshot& snapshot,
                                                       const Selection& selection, double above,
                                                       const std::vector<std::string_view>& metrics,
                                                       int64_t limit) {
  RETURN_IF_ERROR(CheckSweepsExist(snapshot, selection, "where"));
  SqlParams params;
  const std::string with = WithSelected(selection, params);
  std::string columns;
  for (const auto metric : metrics) columns += StrCat(", u.", metric);
  const auto rows = snapshot.Exec(
      StrCat(with, " select ", KeyColumns(selection), "u.run_id", columns,
             " from selected s join units u using (run_id) where u.grid_score_60 > ",
             params.Number(above), " order by u.run_id, u.unit limit ", params.Int(limit + 1)),
      params);
  if (static_cast<int64_t>(rows.size()) > limit) {
    return absl::ResourceExhaustedError(
        StrCat("more than ", limit, " units are above ", above, "; narrow the selection"));
  }
  std::vector<UnitValues> units;
  for (const auto& row : rows) {
    const Key key = KeyOf(selection, row);
    auto column = static_cast<pqxx::row::size_type>(key.size());
    UnitValues& unit = units.emplace_back();
    unit.key = KeyValues(selection, key);
    unit.run_id = AsInt(row[column]);
    for (size_t i = 0; i < metrics.size(); ++i) {
      unit.values.push_back(AsOptionalDouble(row[++column]));
    }
  }
  return units;
}

}  // namespace gridsweep::analysis
