// One lease from its grant to its end.
#pragma once

#include "worker/dispatch_client.h"
#include "worker/held_leases.h"

namespace gridsweep::worker {

// Trains the run of `held` on the calling thread and hands in its result, or
// says why there is none. A finished result is delivered for as long as it
// takes: until the coordinators accept or refuse it, or client.Abort() is
// called. By the return the lease has ended, or another's word has ended it:
//   result accepted, or refused because the lease is gone
//   told to stop by its monitor: given back (kPreempted) or dropped (kCancelled)
//   fault of run, worker or machine: FailRun with the log's tail
// Logs one line at the start and one at the end.
void RunLease(const HeldLease& held, DispatchClient& client);

// Gives `refs` back without costing a failure; waits at most `deadline`.
void Release(const std::vector<v1::LeaseRef>& refs, v1::ReleaseReason reason,
             absl::Duration deadline, DispatchClient& client);

}  // namespace gridsweep::worker
