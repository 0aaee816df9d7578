// Following a sweep until all its runs have ended: the loop behind watch,
// wait and submit --wait.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

#include "sweepctl/session.h"

namespace gridsweep::sweepctl {

struct FollowOptions {
  absl::Duration timeout = absl::InfiniteDuration();
  bool quiet = false;      // only the end
  bool to_stderr = false;  // progress is talk, not the result
};

// Exit code kDone, or kSomeRunsFailed when a run FAILED. DEADLINE_EXCEEDED
// after `timeout`. A lost connection is mended for a minute before it is an
// error; a local instance that loses a piece is one at once.
absl::StatusOr<int> FollowSweep(Session& session, Client& client, const v1::Sweep& sweep,
                                const FollowOptions& options);

}  // namespace gridsweep::sweepctl
