#include "sweepspec/expand.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/strings.h"
#include "sweepspec/expand_random.h"
#include "sweepspec/impossible.h"
#include "sweepspec/points.h"

namespace gridsweep::sweepspec {
namespace {

using science::RunConfig;

// W&B's grid: equal values are one.
uint64_t CollapseEqualValues(SweepPlan& plan, Notices& notices) {
  uint64_t collapsed = 0;
  for (Axis& axis : plan.axes) {
    std::set<std::string> seen;
    std::string dropped;
    Where where;
    uint64_t count = 0;
    std::erase_if(axis.values, [&](const AxisValue& value) {
      const std::string text = ValueText(value.value);
      if (seen.insert(text).second) return false;
      if (++count <= 3) dropped += (dropped.empty() ? "" : ", ") + text;
      if (count == 1) where = value.where;
      return true;
    });
    if (count == 0) continue;
    collapsed += count;
    notices.Note(where,
                 StrCat(count > 3 ? StrCat(count, " values equal earlier ones (", dropped, ", ...)")
                                  : StrCat(dropped, count > 1 ? " equal earlier values"
                                                              : " equals an earlier value"),
                        ", as numbers and names are compared; each is used once"));
  }
  return collapsed;
}

void NoteTooMany(const SweepPlan& plan, uint64_t total, uint64_t limit, Notices& notices) {
  notices.Error(plan.where, StrCat("the grid has ", Thousands(total),
                                   " runs; one sweep has at most ", Thousands(limit),
                                   ". Use fewer values, run_cap, or method: random with run_cap"));
}

// All axes of a grid, `seeds` included as the last.
void AddSeedAxis(SweepPlan& plan) {
  if (plan.seeds == 0) return;
  Axis axis;
  axis.parameter = science::FindParameter("seed");
  axis.where = plan.seeds_where;
  for (int64_t seed = 0; seed < plan.seeds; ++seed) {
    axis.values.push_back({seed, plan.seeds_where});
  }
  plan.given.insert("seed");
  plan.axes.push_back(std::move(axis));
}

bool ExpandGrid(SweepPlan& plan, const ExpandOptions& options, Meter& meter, ExpandedSweep& sweep,
                Notices& notices) {
  if (options.runs) {
    notices.Error({"runs"},
                  "a number of draws is for method: random; this sweep is a grid, whose "
                  "runs are its points (run_cap limits them)");
    return false;
  }
  sweep.collapsed = CollapseEqualValues(plan, notices);
  uint64_t total = std::max<uint32_t>(plan.seeds, 1);
  for (const Axis& axis : plan.axes) total = SaturatingProduct(total, axis.values.size());
  const uint64_t cap = plan.run_cap.value_or(UINT64_MAX);
  const uint64_t wanted = std::min(total, cap);
  const uint64_t max_visited = SaturatingProduct(options.max_runs, kMaxVisitedPerRun);
  // Exclusions may bring a grid under the limit, if it can be walked at all.
  const uint64_t limit = plan.exclusions.empty() ? options.max_runs : max_visited;
  if (wanted > limit || plan.seeds > options.max_runs) {
    NoteTooMany(plan, wanted, options.max_runs, notices);
    return false;
  }
  AddSeedAxis(plan);

  Points points(plan, options, meter, sweep);
  ImpossiblePoints impossible(plan);
  std::vector<size_t> digits(plan.axes.size(), 0);
  RunConfig point = plan.base;
  for (const Axis& axis : plan.axes) axis.parameter->set(point, axis.values[0].value);
  sweep.runs.reserve(std::min({wanted, options.max_runs, options.keep_runs}));
  uint64_t visited = 0;
  for (bool more = true; more && sweep.run_count + impossible.count() < cap; ++visited) {
    if (sweep.run_count >= options.max_runs || visited >= max_visited) {
      NoteTooMany(plan, total, options.max_runs, notices);
      return false;
    }
    meter.Spend(kStepsAPoint);
    if (!meter.GoesOn(plan.where, notices)) return false;
    RunConfig config = point;
    points.Complete(config);
    if (points.Excluded(config)) {
      // Left out.
    } else if (const auto errors = CheckConfig(config); errors.empty()) {
      points.Add(config);
    } else if (impossible.InEveryPoint(errors.front())) {
      impossible.ReportShared(config, errors, notices);
      return false;
    } else {
      impossible.Add(config, errors);
    }
    more = false;
    for (size_t axis = digits.size(); axis-- > 0 && !more;) {
      more = ++digits[axis] < plan.axes[axis].values.size();
      if (!more) digits[axis] = 0;
      plan.axes[axis].parameter->set(point, plan.axes[axis].values[digits[axis]].value);
    }
  }
  if (impossible.count() > 0) {
    notices.Error(plan.where, impossible.Message(sweep.run_count + impossible.count()));
    return false;
  }
  if (sweep.run_count == 0) {
    notices.Error(plan.where, "exclude leaves no run");
    return false;
  }
  points.NoteIdleExclusions(notices);
  if (sweep.run_count == cap && visited < total) {
    notices.Note(plan.run_cap_where, StrCat("run_cap keeps the first ", Thousands(cap), " of ",
                                            Thousands(total), " points, in the grid's order"));
  }
  return true;
}

}  // namespace

std::optional<ExpandedSweep> Expand(SweepPlan plan, const ExpandOptions& options, Meter& meter,
                                    Notices& notices) {
  ExpandedSweep sweep;
  sweep.name = plan.name;
  sweep.method = plan.method;
  sweep.metadata_json = plan.metadata_json;
  sweep.settings = plan.settings;
  for (const Axis& axis : plan.axes) plan.given.insert(axis.parameter->name);
  if (!plan.given.contains("place_field_values")) {
    notices.Error(Unset(plan, "place_field_values"),
                  StrCat("is missing: it is what a sweep is about. One or more of ",
                         science::FindParameter("place_field_values")->range));
    return std::nullopt;
  }
  const bool good = plan.method == "grid" ? ExpandGrid(plan, options, meter, sweep, notices)
                                          : ExpandRandom(plan, options, meter, sweep, notices);
  if (!good || notices.has_errors()) return std::nullopt;
  return sweep;
}

}  // namespace gridsweep::sweepspec
