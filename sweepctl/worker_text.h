// Workers as rows of a listing.
#pragma once

#include "gridsweep/v1/admin.pb.h"
#include "sweepctl/output.h"

namespace gridsweep::sweepctl {

// A listing of workers without rows, and a row more in it.
Listing WorkerListing();
void AddWorker(Listing& listing, const v1::Worker& worker);

}  // namespace gridsweep::sweepctl
