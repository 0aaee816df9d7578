// What the points of a grid and the draws of a random sweep have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sweepspec/exclusions.h"
#include "sweepspec/meter.h"
#include "sweepspec/notices.h"
#include "sweepspec/plan.h"

namespace gridsweep::sweepspec {

// Points that are looked at for one run, where `exclude` or an impossible draw
// drops some: what bounds the time that a file can take.
inline constexpr uint64_t kMaxVisitedPerRun = 20;

// UINT64_MAX when the product is larger.
uint64_t SaturatingProduct(uint64_t a, uint64_t b);
// "1,000,000"; "more than 10^19" for UINT64_MAX.
std::string Thousands(uint64_t number);

// A plan's defaults and exclusions, applied to its points; what they become.
class Points {
 public:
  // All must outlive this.
  Points(const SweepPlan& plan, const ExpandOptions& options, Meter& meter, ExpandedSweep& sweep)
      : plan_(plan), options_(options), meter_(meter), sweep_(sweep), exclusions_(plan) {}

  // Fills in the defaults that follow other parameters.
  void Complete(science::RunConfig& config) const;
  // Whether an exclusion matches; counted.
  bool Excluded(const science::RunConfig& config);
  // One more run, kept unless there are as many as wanted.
  void Add(const science::RunConfig& config);
  // Names the exclusions that have matched nothing.
  void NoteIdleExclusions(Notices& notices) const { exclusions_.NoteIdle(notices); }

 private:
  const SweepPlan& plan_;
  const ExpandOptions& options_;
  Meter& meter_;
  ExpandedSweep& sweep_;
  Exclusions exclusions_;
};

}  // namespace gridsweep::sweepspec
