// One lease from its grant to its end.
#pragma once

#include "hdf5/reader.h"
#include "worker/delivery.h"
#include "worker/dispatch_client.h"
#include "worker/held_leases.h"

namespace gridsweep::worker {

struct LastSave {
  absl::Duration grace;  // what the last save may take
  int company;           // runs that save side by side
};

// Trains the run of `held` on the calling thread and hands in its result, or
// says why there is none. It goes on from the lease's checkpoint, where there is one that it can
// use (`reader` reads it), and saves others: by time, and before it is given back. By the return
// the lease has ended, or another's word has ended it, and it is out of `leases`:
//   result accepted, or refused because the lease is gone
//   told to stop by its monitor: dropped (kCancelled) or given back (kPreempted); what no
//     coordinator takes of the latter is on disk for the worker's next start
//   fault of run, worker or machine: FailRun with the log's tail
// or its result is on disk, and the lease is `delivery`'s to end.
// Logs one line at the start and one at the end.
void RunLease(const HeldLease& held, const LastSave& last_save, hdf5::Reader& reader,
              DispatchClient& client, Delivery& delivery, HeldLeases& leases);

// Gives `refs` back without costing a failure; waits at most `deadline`.
absl::Status Release(const std::vector<v1::LeaseRef>& refs, v1::ReleaseReason reason,
                     absl::Duration deadline, DispatchClient& client);

}  // namespace gridsweep::worker
