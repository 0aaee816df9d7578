// Runs as rows of a table.
#pragma once

#include <string>
#include <vector>

#include "gridsweep/v1/sweep.pb.h"
#include "sweepctl/output.h"

namespace gridsweep::sweepctl {

// A listing with the columns that AddRun fills.
Listing RunListing();
void AddRun(Listing& listing, const v1::Run& run);

// The unit-level metrics of the registry, in its order.
const std::vector<std::string>& UnitMetricNames();

}  // namespace gridsweep::sweepctl
