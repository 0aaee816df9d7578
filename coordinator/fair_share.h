// Which sweep the next run comes from, chosen in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coordinator/queue_floor.h"

namespace gridsweep::coordinator {

// run_state.class, and what a worker is.
enum ResourceClass { kAnyClass = 0, kCpuClass = 1, kGpuClass = 2 };

// What is known of a sweep that has, or may have, claimable runs.
struct SweepInQueue {
  Queue queue;
  int priority = 0;
  int64_t max_parallel = 0;   // 0: no limit
  std::string submitted_by;   // the user; "" is one of them
  uint64_t memory_bytes = 0;  // of free memory that each run needs
  bool one_shape = true;      // all its runs have tensors of equal shapes
};

// What a worker can hold of one run more.
struct Room {
  int resource_class = kCpuClass;
  uint64_t free_memory = UINT64_MAX;  // bytes
};

// The highest priority first; there the user with the fewest leased runs, of his sweeps the one
// with the fewest, of those the oldest. Counts are what the database said last and the grants
// since: approximate by design, other coordinators grant too. For one thread at a time.
class FairShare {
 public:
  // Adds or updates a sweep: it has claimable runs.
  void Offer(SweepInQueue sweep);
  // It has no claimable run as far as can be seen, until it is offered again.
  void Exhausted(int64_t sweep_id);
  // All sweeps are as never offered; counts stand.
  void ExhaustAll();

  struct Leased {
    int64_t sweep_id;
    std::string submitted_by;
    int64_t count;
  };
  // The database's count of leases by sweep: all that there are.
  void Counted(const std::vector<Leased>& leased);
  // The exact count of one sweep, and its limit.
  void Counted(int64_t sweep_id, int64_t leased, int64_t max_parallel);
  // So many more (or fewer) are leased.
  void Granted(int64_t sweep_id, int64_t runs);

  // The sweep that gives the next run to who has `room`; nullptr when none can. Valid until the
  // next call of another function.
  const SweepInQueue* Pick(const Room& room) const;

  bool offers_any() const;
  // Whether any offered sweep has a limit.
  bool offers_limited() const;
  bool knows(int64_t sweep_id) const { return sweeps_.contains(sweep_id); }
  // Sweeps that are known but not offered.
  std::vector<Queue> exhausted() const;
  // Forgets those not offered and not leased from; answers their queues.
  std::vector<Queue> ForgetIdle();

 private:
  struct Sweep {
    SweepInQueue about;
    int64_t leased = 0;
    bool offered = false;
    int64_t* of_user = nullptr;  // leased, in users_
  };
  std::map<int64_t, Sweep> sweeps_;
  std::map<std::string, int64_t> users_;  // leased by user
};

}  // namespace gridsweep::coordinator
