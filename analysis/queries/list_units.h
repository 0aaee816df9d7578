// Units in the order of a metric, page by page.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <optional>
#include <string>

#include "analysis/queries/database.h"
#include "analysis/queries/selection.h"
#include "gridsweep/v1/analysis.pb.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {

// Where a group's next page begins: after this unit.
struct PageStart {
  bool exhausted = false;
  std::optional<std::string> value = {};  // float64, shortest round-trip; absent = NULL
  int64_t run_id = 0;
  int64_t unit = 0;
};

struct ListUnitsQuestion {
  Selection selection;
  const science::Metric* metric;
  bool ascending;
  int page_size;
  std::string fingerprint;          // of all the above; page tokens carry it
  std::map<Key, PageStart> starts;  // empty on the first page
};

// Errors: INVALID_ARGUMENT, paths below `path` ("" or "query."): an unknown or
// run-level metric, a page size over 10000, a token of another question.
absl::StatusOr<ListUnitsQuestion> ParseListUnits(const v1::ListUnitsRequest& request,
                                                 const std::string& path);

// Ordered by value, those without one last, then by run_id and unit upwards; `page_size` units of
// each group, groups in the order of their keys. A page may be shorter, so as to fit a message of 4
// MiB; it is the last one only without a next_page_token.
absl::StatusOr<v1::ListUnitsResponse> AnswerListUnits(Snapshot& snapshot,
                                                      const ListUnitsQuestion& question);

}  // namespace gridsweep::analysis
