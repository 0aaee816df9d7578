// The points of a grid that cannot be: counted, the first few kept, and the
// `exclude` that would drop them all.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "science/config/parameters.h"
#include "sweepspec/plan.h"

namespace gridsweep::sweepspec {

// `{Np: 2, place_field_values: gaussian}`, of the axes that vary.
std::string PointText(const science::RunConfig& config,
                      const std::vector<const science::Parameter*>& parameters);

class ImpossiblePoints {
 public:
  explicit ImpossiblePoints(const SweepPlan& plan);

  // Whether no axis that varies has a part in `error`: then every point has it.
  bool InEveryPoint(const science::ConfigError& error) const { return Causes(error).empty(); }
  // Reports errors of `config` that every point has, where the sweep sets their values.
  void ReportShared(const science::RunConfig& config,
                    const std::vector<science::ConfigError>& errors, Notices& notices) const;

  // `errors` are those of `config`; the first is not in every point.
  void Add(const science::RunConfig& config, const std::vector<science::ConfigError>& errors);
  uint64_t count() const { return count_; }
  // "12 of 48 points cannot be: ..., leave them out with ..."
  std::string Message(uint64_t total) const;

 private:
  // The axes that vary and have a part in `error`, defaults that follow others included.
  std::vector<const science::Parameter*> Causes(const science::ConfigError& error) const;
  std::string ExcludeText() const;

  const SweepPlan& plan_;
  std::vector<const science::Parameter*> varying_;
  uint64_t count_ = 0;
  std::vector<std::string> first_;  // "point: message"
  // Values that partial points give their parameters, as texts of YAML; in order, and to be found.
  struct Partials {
    std::vector<std::vector<std::string>> rows;
    std::set<std::vector<std::string>> seen;
  };
  std::map<std::vector<std::string_view>, Partials> partial_;
  size_t partials_ = 0;
};

}  // namespace gridsweep::sweepspec
