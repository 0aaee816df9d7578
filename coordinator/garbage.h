// What deleted sweeps, results that were taken back and uploads that broke off leave behind.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <chrono>

#include "common/artifact_store.h"
#include "coordinator/counters.h"
#include "coordinator/piece_size.h"
#include "coordinator/store/database.h"

namespace gridsweep::coordinator {

// Deletes rows of deleted sweeps, checkpoints and live logs of ended runs, files that nothing
// names, and what uploads have left that broke off. Any number of coordinators may be at it. For
// one thread.
class GarbageCollector {
 public:
  // `grace`: how long a file whose lease has ended, and an upload that broke off, are left alone.
  GarbageCollector(Database& database, ArtifactStore& artifacts, Counters& counters,
                   absl::Duration grace);

  // For about `at_most`; what is left, the next call goes on with. One kind that fails holds up no
  // other; the first error.
  absl::Status Collect(absl::Duration at_most);

 private:
  // Four times within the grace, and no oftener than that or once a minute: what ends with time.
  absl::Status CollectOld();
  absl::Status RemoveUnfinished();

  Database& database_;
  ArtifactStore& artifacts_;
  const absl::Duration grace_;
  PieceSize runs_, rows_, files_, uploads_, checkpoints_, logs_;
  std::chrono::steady_clock::time_point next_old_, next_log_;
};

}  // namespace gridsweep::coordinator
