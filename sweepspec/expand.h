// From a plan to its runs.
#pragma once

#include <optional>

#include "sweepspec/notices.h"
#include "sweepspec/plan.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepspec {

// Absent when an error was added to `notices`.
std::optional<ExpandedSweep> Expand(SweepPlan plan, const ExpandOptions& options, Notices& notices);

}  // namespace gridsweep::sweepspec
