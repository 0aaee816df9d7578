// When a coordinator may end leases for time: once heartbeats could have come for a whole lease
// time.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <chrono>

namespace gridsweep::coordinator {

// Counts the time that this program and its way to the database have been up. A pause between two
// upkeeps longer than a quarter of the lease time, and than five ticks, counts as an outage: the
// program was suspended, or the database did not answer, and heartbeats had nobody to go to. So
// does a jump of the database's clock by more than a quarter of the lease time, forward or back:
// the leases that it makes old get a lease time to be renewed in.
class ExpiryGuard {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `tick`: between two upkeeps.
  ExpiryGuard(absl::Duration ttl, absl::Duration tick)
      : ttl_(absl::ToChronoNanoseconds(ttl)),
        longest_gap_(absl::ToChronoNanoseconds(std::max(ttl / 4, 5 * tick))),
        farthest_jump_(ttl / 4) {}

  // Called before each upkeep. `database`: its clock, read within `took` before `now`.
  bool MayExpire(Time now, absl::Time database, absl::Duration took = absl::ZeroDuration()) {
    // Of the database's clock, from where it stood when `up_since_` began.
    const absl::Duration ahead = database - database_since_ - absl::FromChrono(now - up_since_);
    if (!working_ || now - seen_ > longest_gap_ ||
        absl::AbsDuration(ahead) - took > farthest_jump_) {
      up_since_ = now;
      database_since_ = database;
    }
    working_ = true;
    seen_ = now;
    return now - up_since_ > ttl_;
  }
  // An upkeep has failed: time counts from the next, the first that may find all well.
  void Failed() { working_ = false; }

 private:
  const std::chrono::nanoseconds ttl_, longest_gap_;
  const absl::Duration farthest_jump_;
  Time up_since_, seen_;
  absl::Time database_since_;
  bool working_ = false;
};

}  // namespace gridsweep::coordinator
