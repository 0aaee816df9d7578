#include "analysis/queries/unit_lookup.h"

#include "common/strings.h"

namespace gridsweep::analysis {

absl::StatusOr<std::vector<LocatedUnit>> LocateUnits(Snapshot& snapshot,
                                                     const std::vector<v1::UnitRef>& refs) {
  std::vector<int64_t> run_ids, units;
  for (const auto& ref : refs) {
    run_ids.push_back(ref.run_id());
    units.push_back(ref.unit());
  }
  SqlParams params;
  const std::string runs_array = params.Ints(run_ids), units_array = params.Ints(units);
  const auto rows = snapshot.Exec(
      StrCat("select r.readout, p.outcome, p.artifact, u.grid_score_60, u.grid_score_90, u.unit,"
             " r.run_id, r.sweep_id from unnest(",
             runs_array, ", ", units_array,
             ") with ordinality a(run_id, unit, place) left join runs r on r.run_id = a.run_id"
             " left join run_results p on p.run_id = a.run_id left join units u on"
             " u.run_id = a.run_id and u.unit = a.unit order by a.place"),
      params);
  std::vector<LocatedUnit> located;
  for (pqxx::result::size_type i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const auto& ref = refs[i];
    if (row[6].is_null()) return absl::NotFoundError(StrCat("there is no run ", ref.run_id()));
    if (row[1].is_null()) {
      return absl::NotFoundError(StrCat("run ", ref.run_id(), " has no result yet"));
    }
    if (AsInt(row[1]) != 1) {
      return absl::NotFoundError(StrCat("run ", ref.run_id(), " diverged: it has no ratemaps"));
    }
    if (row[5].is_null()) {
      return absl::NotFoundError(StrCat("run ", ref.run_id(), " has no unit ", ref.unit()));
    }
    if (row[2].is_null()) {
      return absl::NotFoundError(StrCat("run ", ref.run_id(), " has no artifact"));
    }
    LocatedUnit& unit = located.emplace_back();
    unit.ref = ref;
    unit.sweep_id = AsInt(row[7]);
    unit.readout = row[0].c_str();
    unit.artifact = AsBytes(row[2]);
    unit.grid_score_60 = AsOptionalDouble(row[3]);
    unit.grid_score_90 = AsOptionalDouble(row[4]);
  }
  return located;
}

absl::StatusOr<std::string> ReadInstanceId(Snapshot& snapshot) {
  const auto ready = snapshot.Exec(
      "select to_regclass('public.instance') is not null"
      " and to_regclass('dash.fractions') is not null");
  if (ready[0][0].c_str()[0] != 't') {
    return absl::UnavailableError("the database has no schema yet: start the coordinator first");
  }
  return std::string(snapshot.Exec("select instance_id from instance")[0][0].c_str());
}

}  // namespace gridsweep::analysis
