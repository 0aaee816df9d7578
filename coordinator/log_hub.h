// StreamLogs: keeps the lines that heartbeats bring, and tells them to those who follow.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include <set>
#include <thread>

#include "common/mutex.h"
#include "coordinator/counters.h"
#include "coordinator/piece_size.h"
#include "coordinator/progress_board.h"
#include "coordinator/store/run_logs.h"

namespace gridsweep::coordinator {

// A thread of its own. Once a second it puts the board's new lines into the database, all in one
// statement, and reads the log of each run that is followed: so a run is followed through any
// coordinator, whichever hears its worker. At most 256 streams at a time.
class LogHub {
 public:
  // A follower that takes nothing of what it is sent for `longest_silence` is cut off.
  LogHub(Database::Settings settings, ProgressBoard& board, Counters& counters,
         absl::Duration longest_silence);
  ~LogHub();

  // Tells what the run's attempts have logged; with `follow` goes on until the run has ended.
  // Errors: NOT_FOUND; RESOURCE_EXHAUSTED over the limit.
  grpc::ServerWriteReactor<v1::StreamLogsResponse>* Stream(grpc::CallbackServerContext* context,
                                                           int64_t run_id, bool follow)
      LOCKS_EXCLUDED(mutex_);
  // Ends all streams, and all that come later, with UNAVAILABLE and RetryInfo.
  void Drain() LOCKS_EXCLUDED(mutex_);

 private:
  class Follower;

  void Loop() LOCKS_EXCLUDED(mutex_);
  void KeepNewLines();
  void TellFollowers() LOCKS_EXCLUDED(mutex_);
  void Remove(Follower* follower) LOCKS_EXCLUDED(mutex_);

  Database database_;
  ProgressBoard& board_;
  PieceSize keeping_;  // runs' new lines
  const absl::Duration longest_silence_;
  Mutex mutex_;
  CondVar changed_;
  std::set<Follower*> followers_ GUARDED_BY(mutex_);
  bool newcomer_ GUARDED_BY(mutex_) = false;
  bool draining_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gridsweep::coordinator
