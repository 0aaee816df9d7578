// The partial points of `exclude`, found by the values of a point.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "science/config/parameters.h"
#include "sweepspec/meter.h"
#include "sweepspec/notices.h"
#include "sweepspec/plan.h"

namespace gridsweep::sweepspec {

class Exclusions {
 public:
  // `plan` must outlive this.
  explicit Exclusions(const SweepPlan& plan);

  // Whether one matches. What it took is spent from `meter`.
  bool Match(const science::RunConfig& config, Meter& meter);
  // Names those that have matched no point that Match was asked about.
  void NoteIdle(Notices& notices) const;

 private:
  using Id = uint32_t;  // of a value among those that exclusions name for its parameter
  static constexpr Id kOther = UINT32_MAX;

  struct ValueHash {
    size_t operator()(const science::Value& value) const;
  };
  struct Column {
    const science::Parameter* parameter;
    std::unordered_map<science::Value, Id, ValueHash> ids;
    // By value: the exclusions to look at where a point has it.
    std::vector<std::vector<uint32_t>> candidates;
    Id current = kOther;  // of the point at hand
  };
  struct Term {
    uint32_t column;
    std::vector<Id> ids;  // sorted
  };
  struct Rule {
    std::vector<Term> terms;
    bool matched = false;
  };

  uint32_t ColumnOf(const science::Parameter& parameter);
  bool Matches(const Rule& rule, uint64_t& steps) const;

  const SweepPlan& plan_;
  std::vector<Column> columns_;
  std::vector<Rule> rules_;
};

}  // namespace gridsweep::sweepspec
