// What failures say of the worker that had them.
#pragma once

#include <string>
#include <vector>

#include "coordinator/store/claims.h"
#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

struct Judgement {
  std::string quarantined;             // the worker's name, where this put it in quarantine
  std::vector<EndedLease> taken_back;  // runs that lost a failure by it, and their state now
};

// Looks at what `worker_id` has failed since its last result, after a failure
// was added to that. Once `after` different runs have failed under it on as many
// occasions (runs that went down with one process are one), it is in quarantine: the failures are
// the worker's, so they count against no run any more, and runs that had failed for good
// or were in a pause wait again. The same for what it fails while it is there.
//
// A run that took the process of another worker down as well, while neither
// has brought a result since, keeps its failures: else one such run would send
// every worker into quarantine.
//
// The caller holds the worker's row, so that failures are judged one after
// another. `after` 0: never.
Judgement JudgeWorker(Transaction& t, int64_t worker_id, int after);

}  // namespace gridsweep::coordinator
