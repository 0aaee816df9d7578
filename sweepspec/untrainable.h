// What a sweep asks of the workers that none of this version can do.
#pragma once

#include <span>
#include <vector>

#include "gridsweep/v1/sweep.pb.h"
#include "sweepspec/plan.h"

namespace gridsweep::sweepspec {

// One notice a parameter that has values which cannot be trained: the first
// few of them, what can be, and where the first one stands.
std::vector<v1::Notice> FindUntrainable(const SweepPlan& plan,
                                        std::span<const science::RunConfig> runs);

}  // namespace gridsweep::sweepspec
