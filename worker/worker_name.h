#pragma once

#include <string>

namespace gridsweep::worker {

// A name for a worker that was given none: the host's, or "HOST-2", "HOST-3"
// and so on when other workers of this user run here. The choice is held by a
// lock file for the life of the process, so that a restarted worker gets its
// name, and with it its unfinished runs, again.
std::string ClaimWorkerName();

}  // namespace gridsweep::worker
