// When a coordinator may end leases for time: once heartbeats could have come for a whole lease
// time.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <chrono>

namespace gridsweep::coordinator {

// Counts the time that this program and its way to the database have been up. A pause between two
// upkeeps longer than a quarter of the lease time, and than five ticks, counts as an outage: the
// program was suspended, or the database did not answer, and heartbeats had nobody to go to.
class ExpiryGuard {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `tick`: between two upkeeps.
  ExpiryGuard(absl::Duration ttl, absl::Duration tick)
      : ttl_(absl::ToChronoNanoseconds(ttl)),
        longest_gap_(absl::ToChronoNanoseconds(std::max(ttl / 4, 5 * tick))) {}

  // Asked before each upkeep.
  bool MayExpire(Time now) {
    if (!working_ || now - seen_ > longest_gap_) up_since_ = now;
    working_ = true;
    seen_ = now;
    return now - up_since_ > ttl_;
  }
  // An upkeep has failed: time counts from the next, the first that may find all well.
  void Failed() { working_ = false; }

 private:
  const std::chrono::nanoseconds ttl_, longest_gap_;
  Time up_since_, seen_;
  bool working_ = false;
};

}  // namespace gridsweep::coordinator
