// A sweep as it is asked for, before it is expanded: the one form that sweep
// files and SweepSpecs are read into.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gridsweep/v1/sweep.pb.h"
#include "science/config/parameters.h"
#include "sweepspec/distribution.h"
#include "sweepspec/notices.h"

namespace gridsweep::sweepspec {

struct AxisValue {
  science::Value value;
  Where where;
};

// A parameter that the sweep sets: one value, several, or a distribution.
struct Axis {
  const science::Parameter* parameter = nullptr;
  Where where;
  std::vector<AxisValue> values;      // empty when there is a distribution
  std::vector<double> probabilities;  // one a value; empty = all equal
  std::optional<Distribution> distribution;
};

// A partial point: a point matches when each parameter has one of its values.
struct Exclusion {
  Where where;
  std::vector<std::pair<const science::Parameter*, std::vector<science::Value>>> terms;
};

struct SweepPlan {
  std::string name;
  std::string method;  // grid or random
  std::string metadata_json = "{}";
  v1::SweepSettings settings;

  science::RunConfig base;           // what no axis sets
  std::set<std::string_view> given;  // parameters that base or an axis sets
  Where where;                       // of all parameters together
  std::vector<Axis> axes;            // the last varies fastest
  std::vector<Exclusion> exclusions;

  uint32_t seeds = 0;  // > 0: seeds 0..n-1 at each point, fastest of all
  Where seeds_where;
  std::optional<uint64_t> run_cap;  // grid: the first n points; random: n draws
  Where run_cap_where;
  std::optional<int64_t> sampler_seed;
};

// Where the plan gives `config` its value of `parameter`; nullopt when no axis does.
std::optional<Where> SetAt(const SweepPlan& plan, std::string_view parameter,
                           const science::RunConfig& config);
// The place of a parameter that no axis sets.
Where Unset(const SweepPlan& plan, std::string_view parameter);

}  // namespace gridsweep::sweepspec
