// What a worker's log says of results that do not arrive.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <string>

#include "common/mutex.h"

namespace gridsweep::worker {

// What to do about a call that ended with `status`, in one sentence.
std::string Remedy(const absl::Status& status);

// Logs "WHAT: the status; the remedy", once a minute at most. Thread-safe.
class Complaints {
 public:
  void Log(const std::string& what, const absl::Status& status) LOCKS_EXCLUDED(mutex_);

 private:
  Mutex mutex_;
  absl::Time next_ GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace gridsweep::worker
