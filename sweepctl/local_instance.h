// Brings PostgreSQL, coordinator, analysis and a worker up on this machine,
// and down again. Progress is said on stderr.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <filesystem>
#include <string>

#include "sweepctl/console.h"
#include "sweepctl/local_state.h"

namespace gridsweep::sweepctl {

struct UpOptions {
  std::filesystem::path data;
  int slots = 0;  // of the worker; 0 = one a core
  absl::Duration deadline = absl::Seconds(90);
};

// Starts what is not running, and returns when all answer. What this call has
// started is stopped again when it fails or is interrupted (CANCELLED).
absl::StatusOr<LocalState> BringUp(Console& console, const UpOptions& options);

// Stops the worker, analysis, coordinator and PostgreSQL, in that order.
// NOT_FOUND when nothing is up.
absl::Status BringDown(Console& console, const std::filesystem::path& data);

}  // namespace gridsweep::sweepctl
