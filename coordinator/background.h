// What a coordinator does unasked: upkeep of leases, of results that serve other sweeps and of
// garbage once a second, and word of claimable work to and from the other coordinators.
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <thread>

#include "common/artifact_store.h"
#include "common/mutex.h"
#include "coordinator/counters.h"
#include "coordinator/piece_size.h"
#include "coordinator/progress_board.h"
#include "coordinator/store/database.h"
#include "coordinator/store/leases.h"

namespace gridsweep::coordinator {

class Background {
 public:
  struct Settings {
    Database::Settings database;
    absl::Duration lease_ttl;
    FailurePolicy failures;
    absl::Duration tick = absl::Seconds(1);         // between two upkeeps
    absl::Duration count_every = absl::Minutes(1);  // runs by state, for the gauges
    absl::Duration artifact_grace = absl::Hours(1);  // GarbageCollector's
    // While this answers false no lease ends for time: the coordinator says that it is not ready,
    // and heartbeats are kept from it.
    std::function<bool()> ready = [] { return true; };
  };
  // `wake` is called when there may be claimable runs; from any thread.
  Background(Settings settings, ProgressBoard& board, ArtifactStore& artifacts, Counters& counters,
             WorkAppeared wake);
  ~Background();

  // There may be claimable runs: wakes this coordinator now, and the others
  // soon (at most one NOTIFY in 50 ms).
  void TellOf(const NewWork& work) LOCKS_EXCLUDED(mutex_);

 private:
  void Upkeep() LOCKS_EXCLUDED(mutex_);
  // Ends the leases that had run out at `database_now`.
  absl::Status Expire(Database& database, PieceSize& piece, absl::Time database_now)
      LOCKS_EXCLUDED(mutex_);
  absl::Status QueueDue(Database& database, PieceSize& piece) LOCKS_EXCLUDED(mutex_);
  void Garbage() LOCKS_EXCLUDED(mutex_);
  absl::Status Reuse(Database& database, PieceSize& piece) LOCKS_EXCLUDED(mutex_);
  void Listen() LOCKS_EXCLUDED(mutex_);
  void Notify() LOCKS_EXCLUDED(mutex_);
  // False once it is time to stop.
  bool Sleep(absl::Duration duration) LOCKS_EXCLUDED(mutex_);

  const Settings settings_;
  ProgressBoard& board_;
  ArtifactStore& artifacts_;
  Counters& counters_;
  const WorkAppeared wake_;
  Mutex mutex_;
  CondVar changed_;
  NewWork news_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::atomic<int> notifies_ = 0;  // the server's process that sends our word to the others
  std::thread upkeep_, garbage_, listen_, notify_;
};

}  // namespace gridsweep::coordinator
