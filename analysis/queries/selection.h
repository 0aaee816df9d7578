// Which runs a question is about, as parts of SQL and as groups of an answer.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/queries/database.h"
#include "analysis/queries/filter.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

struct Selection {
  std::vector<int64_t> sweep_ids;  // empty = all
  std::vector<Condition> conditions;
  std::vector<const Field*> group_by;
};

// Errors: INVALID_ARGUMENT, field paths below `path`.
absl::StatusOr<Selection> ParseSelection(const v1::Selection& proto, const std::string& path);

// `where`, of whose runs only those are left that `filter` selects too.
v1::Selection Narrowed(const v1::Selection& where, std::string_view filter);

// NOT_FOUND naming the sweeps of `selection` that do not exist.
absl::Status CheckSweepsExist(Snapshot& snapshot, const Selection& selection,
                              const std::string& path);

// A group's key as the database prints it; absent = NULL.
using Key = std::vector<std::optional<std::string>>;

// `with picked as (...), selected as (...)`. `picked` has a row for each run
// that the sweeps and the conditions on configuration and state leave
// (run_id, state, k0, k1, ...); `selected` those of them that are SUCCEEDED
// and pass the conditions on run metrics too, with their run_results columns
// named by `result_columns`.
std::string WithSelected(const Selection& selection, SqlParams& params,
                         const std::vector<std::string>& result_columns = {});
// ", k0, k1" with a prefix: KeyColumns(s, "w.") is "w.k0, w.k1, "; "" for none.
std::string KeyColumns(const Selection& selection, std::string_view prefix = "");
// " group by k0, k1", or "" for one group.
std::string GroupByKeys(const Selection& selection);
// " and k0 is not distinct from ..." for rows of one group.
std::string KeyIs(const Selection& selection, const Key& key, SqlParams& params);
// The key in a row's first columns.
Key KeyOf(const Selection& selection, const pqxx::row& row);
std::vector<v1::GroupValue> KeyValues(const Selection& selection, const Key& key);

// All groups that have a run, in the order of their keys: numbers by value,
// widths by their range, text bytewise, NULL last. Coverage is complete but
// for `units` and `nulls`.
struct CoveredGroup {
  Key key;
  v1::Group group;
};
std::vector<CoveredGroup> ReadCoverage(Snapshot& snapshot, const Selection& selection);

}  // namespace gridsweep::analysis
