// From a plan to its runs.
#pragma once

#include <optional>

#include "sweepspec/meter.h"
#include "sweepspec/notices.h"
#include "sweepspec/plan.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepspec {

// Absent when an error was added to `notices`, or `meter` has stopped.
std::optional<ExpandedSweep> Expand(SweepPlan plan, const ExpandOptions& options, Meter& meter,
                                    Notices& notices);

}  // namespace gridsweep::sweepspec
