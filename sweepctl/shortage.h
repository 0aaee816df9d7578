// Why nobody trains what a sweep has waiting.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "sweepctl/client.h"

namespace gridsweep::sweepctl {

// The workers that a sweep with these settings lacks, for example "a worker of class gpu: of 2 live
// none is"; "" where a live one may take its runs, now or when it has room again.
std::string Shortage(const v1::SweepSettings& settings, const v1::ListWorkersResponse& workers);
// The same of the workers that there are now.
absl::StatusOr<std::string> AskShortage(Client& client, const v1::SweepSettings& settings);

}  // namespace gridsweep::sweepctl
