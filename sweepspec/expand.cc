#include "sweepspec/expand.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/sha256.h"
#include "common/strings.h"
#include "sweepspec/impossible.h"
#include "sweepspec/scalar.h"

namespace gridsweep::sweepspec {
namespace {

using science::Parameter;
using science::RunConfig;

// A random sweep whose draws are impossible or excluded this many times
// running is taken to have no possible point.
constexpr uint64_t kMaxRefusals = 10'000;
// Grid points that are looked at to find the runs that `exclude` leaves.
constexpr uint64_t kMaxVisitedPerRun = 20;

uint64_t SaturatingProduct(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

std::string Thousands(uint64_t number) {
  if (number == UINT64_MAX) return "more than 10^19";
  std::string text = std::to_string(number);
  for (int i = static_cast<int>(text.size()) - 3; i > 0; i -= 3) text.insert(i, ",");
  return text;
}

bool Matches(const Exclusion& exclusion, const RunConfig& config) {
  for (const auto& [parameter, values] : exclusion.terms) {
    const science::Value value = parameter->get(config);
    if (std::find(values.begin(), values.end(), value) == values.end()) return false;
  }
  return true;
}

// The settings that a sweep's points have in common, and what is wrong with them.
class Points {
 public:
  explicit Points(const SweepPlan& plan) : plan_(plan), matched_(plan.exclusions.size(), 0) {}

  void Complete(RunConfig& config) const {
    ApplyDependentDefaults(config,
                           [this](std::string_view name) { return plan_.given.contains(name); });
  }
  bool Excluded(const RunConfig& config) {
    bool excluded = false;
    for (size_t i = 0; i < plan_.exclusions.size(); ++i) {
      if (!Matches(plan_.exclusions[i], config)) continue;
      ++matched_[i];
      excluded = true;
    }
    return excluded;
  }
  void NoteIdleExclusions(Notices& notices) const {
    for (size_t i = 0; i < plan_.exclusions.size(); ++i) {
      if (matched_[i] == 0) {
        notices.Note(plan_.exclusions[i].where, "this matches no point of the sweep");
      }
    }
  }

 private:
  const SweepPlan& plan_;
  std::vector<uint64_t> matched_;
};

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

bool ExpandGrid(SweepPlan& plan, const ExpandOptions& options, ExpandedSweep& sweep,
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
  if (wanted > options.max_runs && (plan.exclusions.empty() || cap <= options.max_runs)) {
    NoteTooMany(plan, wanted, options.max_runs, notices);
    return false;
  }
  if (plan.seeds > options.max_runs) {
    NoteTooMany(plan, total, options.max_runs, notices);
    return false;
  }
  AddSeedAxis(plan);

  Points points(plan);
  ImpossiblePoints impossible(plan);
  std::vector<size_t> digits(plan.axes.size(), 0);
  RunConfig point = plan.base;
  for (const Axis& axis : plan.axes) axis.parameter->set(point, axis.values[0].value);
  sweep.runs.reserve(std::min(wanted, options.max_runs));
  uint64_t visited = 0;
  for (bool more = true; more && sweep.runs.size() + impossible.count() < cap; ++visited) {
    if (sweep.runs.size() >= options.max_runs ||
        visited >= SaturatingProduct(options.max_runs, kMaxVisitedPerRun)) {
      NoteTooMany(plan, total, options.max_runs, notices);
      return false;
    }
    RunConfig config = point;
    points.Complete(config);
    if (points.Excluded(config)) {
      ++sweep.excluded;
    } else if (const auto errors = CheckConfig(config); errors.empty()) {
      sweep.runs.push_back(config);
    } else if (impossible.Add(config, errors)) {
      for (const auto& error : errors) notices.Error(impossible.PlaceOf(error), error.message);
      return false;
    }
    more = false;
    for (size_t axis = digits.size(); axis-- > 0 && !more;) {
      more = ++digits[axis] < plan.axes[axis].values.size();
      if (!more) digits[axis] = 0;
      plan.axes[axis].parameter->set(point, plan.axes[axis].values[digits[axis]].value);
    }
  }
  if (impossible.count() > 0) {
    notices.Error(plan.where, impossible.Message(sweep.runs.size() + impossible.count()));
    return false;
  }
  if (sweep.runs.empty()) {
    notices.Error(plan.where, "exclude leaves no run");
    return false;
  }
  points.NoteIdleExclusions(notices);
  if (sweep.runs.size() == cap && visited < total) {
    notices.Note(plan.run_cap_where, StrCat("run_cap keeps the first ", Thousands(cap), " of ",
                                            Thousands(total), " points, in the grid's order"));
  }
  return true;
}

// The value of `axis` in draw `index`, or nothing when it cannot be.
std::optional<science::Value> DrawValue(const Axis& axis, uint64_t seed, uint64_t index) {
  if (!axis.distribution && axis.values.size() == 1) return axis.values[0].value;
  const double u = UniformDraw(seed, axis.parameter->name, index);
  if (axis.distribution) {
    auto parsed = ParseValue(*axis.parameter, Quantile(*axis.distribution, u));
    if (!parsed.error.empty()) return std::nullopt;
    return std::move(parsed.value);
  }
  size_t chosen = 0;
  if (axis.probabilities.empty()) {
    chosen = static_cast<size_t>(u * static_cast<double>(axis.values.size()));
  } else {
    double sum = 0;
    while (chosen + 1 < axis.values.size() && (sum += axis.probabilities[chosen]) <= u) ++chosen;
  }
  return axis.values[std::min(chosen, axis.values.size() - 1)].value;
}

class RandomSearch {
 public:
  RandomSearch(const SweepPlan& plan, uint64_t seed) : plan_(plan), seed_(seed), points_(plan) {}

  // Appends the runs of `draws` possible points to `sweep`.
  bool Run(uint64_t draws, ExpandedSweep& sweep, Notices& notices) {
    uint64_t refusals = 0;
    for (uint64_t index = 0, done = 0; done < draws; ++index) {
      const std::optional<RunConfig> config = Possible(index);
      if (!config) ++replaced_;
      if (config && AppendSeeds(*config, sweep)) {
        ++done;
        refusals = 0;
      } else if (++refusals == kMaxRefusals) {
        notices.Error(plan_.where, StrCat("no possible point in ", kMaxRefusals,
                                          " successive draws", last_problem_));
        return false;
      }
    }
    if (replaced_ > 0) {
      notices.Note(plan_.where, StrCat(replaced_, replaced_ == 1 ? " draw" : " draws",
                                       " could not be and ", replaced_ == 1 ? "was" : "were",
                                       " replaced by the next of the stream", last_problem_));
    }
    return true;
  }

 private:
  std::optional<RunConfig> Possible(uint64_t index) {
    RunConfig config = plan_.base;
    for (const Axis& axis : plan_.axes) {
      const auto value = DrawValue(axis, seed_, index);
      if (!value) {
        last_problem_ = StrCat("; for example one of ", axis.parameter->name, ", which is ",
                               axis.parameter->range);
        return std::nullopt;
      }
      axis.parameter->set(config, *value);
    }
    points_.Complete(config);
    const auto errors = CheckConfig(config);
    if (errors.empty()) return config;
    last_problem_ = StrCat("; for example ", errors[0].parameter, ": ", errors[0].message);
    return std::nullopt;
  }

  // False when all its runs are excluded.
  bool AppendSeeds(RunConfig config, ExpandedSweep& sweep) {
    bool any = false;
    for (int64_t seed = 0; seed < std::max<int64_t>(plan_.seeds, 1); ++seed) {
      if (plan_.seeds > 0) config.seed = seed;
      if (points_.Excluded(config)) {
        ++sweep.excluded;
      } else {
        sweep.runs.push_back(config);
        any = true;
      }
    }
    return any;
  }

  const SweepPlan& plan_;
  const uint64_t seed_;
  Points points_;
  uint64_t replaced_ = 0;
  std::string last_problem_;
};

// A seed that JSON readers keep exact.
int64_t FreshSeed() {
  uint64_t seed = 0;
  for (unsigned char byte : RandomBytes(8)) seed = seed << 8 | byte;
  return static_cast<int64_t>(seed >> 11);
}

bool ExpandRandom(const SweepPlan& plan, const ExpandOptions& options, ExpandedSweep& sweep,
                  Notices& notices) {
  sweep.sampler_seed = plan.sampler_seed ? *plan.sampler_seed : FreshSeed();
  const auto number = options.runs ? options.runs : plan.run_cap;
  if (number && *number == 0) {
    notices.Error(options.runs ? Where{"runs"} : plan.run_cap_where, "0 draws; ask for at least 1");
    return false;
  }
  const uint64_t draws = number.value_or(1);
  const uint64_t runs = SaturatingProduct(draws, std::max<uint32_t>(plan.seeds, 1));
  if (runs > options.max_runs) {
    notices.Error(
        options.runs ? Where{"runs"} : plan.run_cap_where,
        StrCat(Thousands(runs), " runs; one sweep has at most ", Thousands(options.max_runs)));
    return false;
  }
  sweep.runs.reserve(runs);
  RandomSearch search(plan, static_cast<uint64_t>(*sweep.sampler_seed));
  if (!number) {
    ExpandedSweep probe;
    Notices quiet;
    if (!search.Run(1, probe, quiet)) {
      for (const auto& notice : quiet.Take()) notices.Error(plan.where, notice.message());
      return false;
    }
    sweep.needs_run_count = true;
    notices.Note(plan.where,
                 "a random sweep has no end of its own: say how many runs to draw, by run_cap in "
                 "the file or by --runs when it is submitted");
    return true;
  }
  return search.Run(draws, sweep, notices);
}

}  // namespace

std::optional<ExpandedSweep> Expand(SweepPlan plan, const ExpandOptions& options,
                                    Notices& notices) {
  ExpandedSweep sweep;
  sweep.name = plan.name;
  sweep.method = plan.method;
  sweep.metadata_json = plan.metadata_json;
  sweep.settings = plan.settings;
  for (const Axis& axis : plan.axes) plan.given.insert(axis.parameter->name);
  if (!plan.given.contains("place_field_values")) {
    notices.Error(
        {plan.where.path.empty() ? "place_field_values" : plan.where.path + ".place_field_values",
         plan.where.line, plan.where.column},
        StrCat("is missing: it is what a sweep is about. One or more of ",
               science::FindParameter("place_field_values")->range));
    return std::nullopt;
  }
  const bool good = plan.method == "grid" ? ExpandGrid(plan, options, sweep, notices)
                                          : ExpandRandom(plan, options, sweep, notices);
  if (!good || notices.has_errors()) return std::nullopt;
  return sweep;
}

}  // namespace gridsweep::sweepspec
