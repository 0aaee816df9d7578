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
// It goes on from the lease's checkpoint, where there is one that it can use, and saves others:
// by time, and before it is given back.
//   fault of run, worker or machine: FailRun with the log's tail
// Logs one line at the start and one at the end.
struct LastSave {
  absl::Duration grace;  // what the last save may take
  int company;           // runs that save side by side
};
void RunLease(const HeldLease& held, const LastSave& last_save, DispatchClient& client);

// Gives `refs` back without costing a failure; waits at most `deadline`.
void Release(const std::vector<v1::LeaseRef>& refs, v1::ReleaseReason reason,
             absl::Duration deadline, DispatchClient& client);

}  // namespace gridsweep::worker
