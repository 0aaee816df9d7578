// `method: random`: draws, never an enumeration.
#pragma once

#include "sweepspec/meter.h"
#include "sweepspec/notices.h"
#include "sweepspec/plan.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepspec {

// Adds the runs of `plan`'s draws to `sweep`, its seed and its flags. Draw
// number i of a parameter depends on sampler seed, parameter and i alone; a draw
// that cannot be is replaced by the next of the stream. False after an error
// or once `meter` has stopped.
bool ExpandRandom(const SweepPlan& plan, const ExpandOptions& options, Meter& meter,
                  ExpandedSweep& sweep, Notices& notices);

}  // namespace gridsweep::sweepspec
