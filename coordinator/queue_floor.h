// Where claims begin to look in the queues: so that they pass over the entries of runs claimed
// long ago, which the database must keep while anyone holds an old snapshot.
#pragma once

#include <absl/time/time.h>

#include <compare>
#include <cstdint>
#include <map>

namespace gridsweep::coordinator {

// The claimable runs of one sweep and resource class, in the order of run_state.queue_pos.
struct Queue {
  int64_t sweep_id = 0;
  int resource_class = 0;  // run_state.class
  auto operator<=>(const Queue&) const = default;
};

// Hints, in memory and lost with the process: a queue's floor is the first position of the last
// batch that was claimed from it. Positions only grow, but transactions commit in any order and a
// claim may be rolled back, so that claimable runs may lie below a floor: all queues are looked at
// from zero at the start, every `rescan_every`, and before anyone is told that there is nothing.
// Times are passed in and come from one clock. For one thread at a time.
class QueueFloor {
 public:
  struct Limits {
    absl::Duration rescan_every = absl::Seconds(10);
    // Rescans that are wanted earlier are so far apart, and take a fiftieth of the time.
    absl::Duration least_pause = absl::Milliseconds(200);
  };
  QueueFloor() = default;
  explicit QueueFloor(const Limits& limits) : limits_(limits) {}

  // The position from which to claim; 0 for a queue that nothing is known of.
  int64_t From(const Queue& queue) const;

  // Whether all queues are to be looked at from zero now. `wanted`: there is word of claimable
  // runs, or the caller would otherwise say that there is nothing to claim.
  bool RescanDue(absl::Time now, bool wanted) const;

  // All queues were looked at from zero, from `began` to `ended`; `first` has the lowest claimable
  // position of each that has any. The other floors stand.
  void Rescanned(absl::Time began, absl::Time ended, const std::map<Queue, int64_t>& first);

  // A batch was claimed that began at position `first`.
  void Claimed(const Queue& queue, int64_t first) { floors_[queue] = first; }

  void Forget(const Queue& queue) { floors_.erase(queue); }

 private:
  Limits limits_;
  std::map<Queue, int64_t> floors_;
  absl::Time rescan_began_ = absl::InfinitePast();
  absl::Time rescan_ended_ = absl::InfinitePast();
};

}  // namespace gridsweep::coordinator
