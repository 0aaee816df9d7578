// Live leases: workers register, renew them, give them back or fail them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <string>
#include <vector>

#include "coordinator/store/claims.h"
#include "coordinator/store/database.h"
#include "coordinator/store/sweeps.h"
#include "gridsweep/v1/dispatch.pb.h"

namespace gridsweep::coordinator {

// What becomes of a run that fails, and of the worker that it failed under.
struct FailurePolicy {
  absl::Duration backoff_base = absl::Seconds(5);  // pause after the first; doubles each time
  int quarantine_after = 3;  // different runs that a worker fails in a row; 0 = never
};

// The last lines of a leased run's log, as far as they are known: kept with the
// attempt where its worker cannot send them any more.
using LogTails = std::function<std::string(int64_t run_id)>;

// Stores or updates the worker of that name. A new incarnation ends the old
// one's leases as lost, which counts as failures where the host is the same:
// its process ended by itself. Those that the request names as kept go over to the new one.
struct Registered {
  int64_t worker_id;
  std::vector<EndedLease> ended;
  bool quarantined = false;  // by this
};
absl::StatusOr<Registered> RegisterWorker(Database& database, const v1::RegisterRequest& request,
                                          const FailurePolicy& policy,
                                          const LogTails& log_tails = nullptr);

// A lease as its worker reports it.
struct Renewal {
  LeaseKey key;
  std::vector<v1::CurvePoint> points;
};
struct HeldLease {
  LeaseKey key;
  bool cancelling;
};
struct Renewed {
  std::string worker;
  v1::WorkerDirective directive;
  bool releasing;               // it is to give back what it holds
  std::vector<HeldLease> held;  // leases of this incarnation, by run
};
// Renews the reported leases whose tokens hold, unless nine tenths of `ttl` are left of them; keeps
// their new curve points. With `full` it marks the worker as seen, too, and tells of leases that it
// did not report.
// NOT_FOUND for an unknown worker; FAILED_PRECONDITION, reason
// INCARNATION_REPLACED, when a newer process has registered under its name.
absl::StatusOr<Renewed> RenewLeases(Database& database, int64_t worker_id,
                                    const std::string& incarnation,
                                    const std::vector<Renewal>& renewals, absl::Duration ttl,
                                    bool full = true);

// Gives runs back to the queue (or cancels those whose sweep is cancelled);
// costs no failure. Leases that have ended already are passed over.
absl::StatusOr<std::vector<EndedLease>> ReleaseLeases(Database& database,
                                                      const std::vector<LeaseKey>& keys,
                                                      const std::string& why);

// Ends the lease as a failure of worker or machine: the run is retried after a
// growing pause, or FAILED once its failures reach the sweep's max_attempts.
// The worker may be quarantined for it (quarantine.h). A repeat answers the
// run's state. Errors: LEASE_LOST.
struct Failed {
  State state;                    // of the run
  std::string quarantined;        // the worker's name, where this put it in quarantine
  std::vector<EndedLease> ended;  // the attempt, where this call ended it
};
absl::StatusOr<Failed> FailLease(Database& database, const LeaseKey& key, const std::string& error,
                                 const std::string& log_tail, const FailurePolicy& policy);

// The database's clock.
absl::StatusOr<absl::Time> DatabaseTime(Database& database);

// Ends up to `limit` leases as lost that ran out before `until`, a time of the database's clock
// (which may jump once it has been looked at), where the server has been up for `ttl`; a run that
// was lost five times in a row has that counted as a failure. None while a coordinator has fallen
// silent without a word and less than two lease times ago: its workers get one to find another.
absl::StatusOr<std::vector<EndedLease>> ExpireLeases(Database& database, absl::Duration ttl,
                                                     const FailurePolicy& policy,
                                                     const LogTails& log_tails, absl::Time until,
                                                     int limit);
// Puts up to `limit` runs whose pause is over back into the queue. How many.
absl::StatusOr<int64_t> QueueDueRuns(Database& database, int limit);

// What the coordinator does once a second.
struct Upkeep {
  std::vector<EndedLease> expired;
  int64_t due = 0;  // runs whose pause is over
};
// Both, the first where `expire` is set, for all that there are.
absl::StatusOr<Upkeep> DoUpkeep(Database& database, bool expire, absl::Duration ttl,
                                const FailurePolicy& policy, const LogTails& log_tails = nullptr);

// Says that this coordinator (16 raw bytes) is alive; to be said again within `again`, or it counts
// as silent after three times that.
absl::Status MarkAlive(Database& database, const std::string& coordinator_id, absl::Duration again);
// Says that it ends; forgets those that have been silent for a day.
absl::Status MarkEnded(Database& database, const std::string& coordinator_id);

// Tells all coordinators, this one too, where there may be claimable runs; reads what they hear.
inline constexpr char kWorkChannel[] = "gridsweep_work";
absl::Status NotifyWork(Database& database, const NewWork& work);
NewWork FromPayload(const std::string& payload);

}  // namespace gridsweep::coordinator
