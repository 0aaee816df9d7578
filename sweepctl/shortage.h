// Why nobody trains what a sweep has waiting.
#pragma once

#include <string>

#include "gridsweep/v1/admin.pb.h"
#include "gridsweep/v1/sweep.pb.h"

namespace gridsweep::sweepctl {

// The workers that a sweep with these settings lacks, for example "a worker of class gpu: the 2
// that are live are cpu"; "" where a live one may take its runs, now or when it has room again.
std::string Shortage(const v1::SweepSettings& settings, const v1::ListWorkersResponse& workers);

}  // namespace gridsweep::sweepctl
