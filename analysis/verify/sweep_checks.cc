#include "analysis/verify/sweep_checks.h"

#include <algorithm>

#include "common/strings.h"

namespace gridsweep::analysis {

void CheckSweep(const SweepFacts& sweep, std::vector<RunIdentity> runs, Findings& findings) {
  const auto count = static_cast<int64_t>(runs.size());
  findings.Expect(count == sweep.run_count, "run_count", 0,
                  StrCat("the sweep has ", sweep.run_count, " runs, ", count, " are stored"));
  std::ranges::sort(runs, {}, &RunIdentity::ordinal);
  for (int64_t i = 0; i < std::max(count, sweep.run_count); ++i) {
    const bool there = i < count;
    findings.Expect(there && runs[i].ordinal == i, "ordinals", there ? runs[i].run_id : 0,
                    there ? StrCat("point ", i,
                                   " has no run of its own; the run in its place is of "
                                   "point ",
                                   runs[i].ordinal)
                          : StrCat("point ", i, " has no run"));
    if (!there) continue;
    findings.Expect(runs[i].run_id == sweep.first_run_id + runs[i].ordinal, "run_ids",
                    runs[i].run_id,
                    StrCat("the run of point ", runs[i].ordinal, " should be ",
                           sweep.first_run_id + runs[i].ordinal));
  }
  if (sweep.method != "grid") return;
  std::ranges::stable_sort(runs, {}, &RunIdentity::config_hash);
  for (size_t i = 0; i < runs.size(); ++i) {
    const bool repeats = i > 0 && runs[i].config_hash == runs[i - 1].config_hash;
    findings.Expect(!repeats, "distinct_configs", runs[i].run_id,
                    repeats ? StrCat("points ", runs[i - 1].ordinal, " and ", runs[i].ordinal,
                                     " have the same configuration")
                            : "");
  }
}

}  // namespace gridsweep::analysis
