#include "sweepspec/expand_random.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "common/sha256.h"
#include "common/strings.h"
#include "sweepspec/impossible.h"
#include "sweepspec/points.h"
#include "sweepspec/scalar.h"

namespace gridsweep::sweepspec {
namespace {

using science::RunConfig;

// Draws without a run that are forgiven beyond kMaxVisitedPerRun for each run.
constexpr uint64_t kFutileDraws = 10'000;
// Draws that are made of a sweep without a number of runs.
constexpr uint64_t kProbes = 100;

// The value of `axis` in draw `index`, or nothing when it cannot be.
// `sums` are those of the axis' probabilities up to and with each.
std::optional<science::Value> DrawValue(const Axis& axis, const std::vector<double>& sums,
                                        uint64_t seed, uint64_t index) {
  if (!axis.distribution && axis.values.size() == 1) return axis.values[0].value;
  const double u = UniformDraw(seed, axis.parameter->name, index);
  if (axis.distribution) {
    auto parsed = ParseValue(*axis.parameter, Quantile(*axis.distribution, u));
    if (!parsed.error.empty()) return std::nullopt;
    return std::move(parsed.value);
  }
  const auto chosen =
      sums.empty() ? static_cast<size_t>(u * static_cast<double>(axis.values.size()))
                   : static_cast<size_t>(std::ranges::upper_bound(sums, u) - sums.begin());
  return axis.values[std::min(chosen, axis.values.size() - 1)].value;
}

class RandomSearch {
 public:
  // Adds runs to `sweep`.
  RandomSearch(const SweepPlan& plan, uint64_t seed, const ExpandOptions& options, Meter& meter,
               ExpandedSweep& sweep)
      : plan_(plan),
        seed_(seed),
        meter_(meter),
        points_(plan, options, meter, sweep),
        impossible_(plan) {
    for (const Axis& axis : plan.axes) {
      std::partial_sum(axis.probabilities.begin(), axis.probabilities.end(),
                       std::back_inserter(sums_.emplace_back()));
    }
  }

  // The runs of `draws` possible points.
  bool Run(uint64_t draws, Notices& notices) {
    uint64_t futile = 0;
    for (uint64_t index = 0, done = 0; done < draws; ++index) {
      const std::optional<RunConfig> config = Possible(index, notices);
      if (notices.has_errors()) return false;
      if (!config) ++replaced_;
      const bool any = config && AddSeeds(*config, notices);
      meter_.Spend(kStepsAPoint);
      if (!meter_.GoesOn(plan_.where, notices)) return false;
      if (any) {
        ++done;
      } else if (++futile > kFutileDraws + SaturatingProduct(draws, kMaxVisitedPerRun)) {
        notices.Error(plan_.where, StrCat("only ", done, " of ", Thousands(index + 1),
                                          " draws gave a run; narrow the ranges", last_problem_));
        return false;
      }
    }
    return true;
  }

  void NoteReplaced(Notices& notices) const {
    if (replaced_ == 0) return;
    notices.Note(plan_.where, StrCat(replaced_, replaced_ == 1 ? " draw" : " draws",
                                     " could not be and ", replaced_ == 1 ? "was" : "were",
                                     " replaced by the next of the stream", last_problem_));
  }

 private:
  // Number `index` of the stream, unless it cannot be; adds an error when none can.
  std::optional<RunConfig> Possible(uint64_t index, Notices& notices) {
    RunConfig config = plan_.base;
    for (size_t i = 0; i < plan_.axes.size(); ++i) {
      const Axis& axis = plan_.axes[i];
      const auto value = DrawValue(axis, sums_[i], seed_, index);
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
    if (impossible_.InEveryPoint(errors.front())) {
      impossible_.ReportShared(config, errors, notices);
    }
    last_problem_ = StrCat("; for example ", errors[0].parameter, ": ", errors[0].message);
    return std::nullopt;
  }

  // False when all its runs are excluded, or the meter has ended.
  bool AddSeeds(RunConfig config, Notices& notices) {
    bool any = false;
    for (int64_t seed = 0; seed < std::max<int64_t>(plan_.seeds, 1); ++seed) {
      if (plan_.seeds > 0) {
        config.seed = seed;
        meter_.Spend(kStepsAPoint);
        if (!meter_.GoesOn(plan_.where, notices)) return false;
      }
      if (points_.Excluded(config)) continue;
      points_.Add(config);
      any = true;
    }
    return any;
  }

  const SweepPlan& plan_;
  const uint64_t seed_;
  Meter& meter_;
  std::vector<std::vector<double>> sums_;  // by axis
  Points points_;
  const ImpossiblePoints impossible_;
  uint64_t replaced_ = 0;
  std::string last_problem_;
};

// A seed that JSON readers keep exact.
int64_t FreshSeed() {
  uint64_t seed = 0;
  for (unsigned char byte : RandomBytes(8)) seed = seed << 8 | byte;
  return static_cast<int64_t>(seed >> 11);
}

// Without a number of runs: finds the faults that a few draws show.
bool Probe(const SweepPlan& plan, const ExpandOptions& options, uint64_t draws, Meter& meter,
           ExpandedSweep& sweep, Notices& notices) {
  ExpandedSweep probe;
  RandomSearch search(plan, static_cast<uint64_t>(*sweep.sampler_seed), options, meter, probe);
  if (!search.Run(draws, notices)) return false;
  sweep.needs_run_count = true;
  notices.Note(plan.where,
               "a random sweep has no end of its own: say how many runs to draw, by run_cap in "
               "the file or by --runs when it is submitted");
  return true;
}

}  // namespace

bool ExpandRandom(const SweepPlan& plan, const ExpandOptions& options, Meter& meter,
                  ExpandedSweep& sweep, Notices& notices) {
  sweep.sampler_seed = plan.sampler_seed ? *plan.sampler_seed : FreshSeed();
  const auto number = options.runs ? options.runs : plan.run_cap;
  const Where where = options.runs ? Where{"runs"} : plan.run_cap_where;
  if (number && *number == 0) {
    notices.Error(where, "0 draws; ask for at least 1");
    return false;
  }
  const uint64_t seeds = std::max<uint32_t>(plan.seeds, 1);
  const uint64_t runs = SaturatingProduct(number.value_or(1), seeds);
  if (runs > options.max_runs) {
    notices.Error(where, StrCat(Thousands(runs), " runs; one sweep has at most ",
                                Thousands(options.max_runs)));
    return false;
  }
  if (!number) {
    return Probe(plan, options, std::min(kProbes, options.max_runs / seeds), meter, sweep, notices);
  }
  RandomSearch search(plan, static_cast<uint64_t>(*sweep.sampler_seed), options, meter, sweep);
  sweep.runs.reserve(std::min(runs, options.keep_runs));
  if (!search.Run(*number, notices)) return false;
  search.NoteReplaced(notices);
  return true;
}

}  // namespace gridsweep::sweepspec
