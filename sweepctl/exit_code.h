// What sweepctl's exit codes mean, and the one mapping from absl::Status.
#pragma once

#include <absl/status/status.h>

namespace gridsweep::sweepctl {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,  // also a file that does not validate, or that submit refuses
  kUsage = 2,
  kNotFound = 3,
  kNotPermitted = 4,
  kConflict = 5,
  kSomeRunsFailed = 6,  // finished, but some runs FAILED
  kTimedOut = 7,
  kPending = 8,
  kUnavailable = 75,  // try again
  kInterrupted = 130,
  kTerminated = 143,
};

int ExitCodeOf(const absl::Status& status);

// A mistake in the command line, found after parsing: exits 2.
absl::Status UsageError(const std::string& message);

}  // namespace gridsweep::sweepctl
