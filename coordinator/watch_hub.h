// WatchSweep: one reader of the database for all watchers, at most once a
// second a sweep.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_callback.h>

#include <map>
#include <memory>
#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

#include "common/mutex.h"
#include "coordinator/progress_board.h"
#include "coordinator/store/sweeps.h"

namespace gridsweep::coordinator {

class WatchHub {
 public:
  // A watcher that takes nothing of what it is sent for `longest_silence` is cut off.
  WatchHub(Database::Settings settings, const ProgressBoard& board, absl::Duration longest_silence);
  ~WatchHub();

  // A stream that tells the sweep's state at once and after each change.
  grpc::ServerWriteReactor<v1::WatchSweepResponse>* Watch(grpc::CallbackServerContext* context,
                                                          int64_t sweep_id);
  // Ends all streams, and all that come later, with UNAVAILABLE and RetryInfo.
  void Drain() LOCKS_EXCLUDED(mutex_);

 private:
  class Watcher;
  // Shared by the watchers of a sweep: they may be many, and as slow as they like.
  using Ends = std::shared_ptr<const std::vector<v1::RunProgress>>;
  // What is known of a sweep that somebody watches.
  struct Sweep {
    std::set<Watcher*> watchers;
    std::unordered_set<int64_t> ended_seen;
    int64_t since_micros = 0;
  };

  void Loop() LOCKS_EXCLUDED(mutex_);
  // Reads the sweep, and the runs of it that ended since, and tells its watchers.
  void Tell(int64_t sweep_id, int64_t since_micros) LOCKS_EXCLUDED(mutex_);
  absl::Status TellEnds(int64_t sweep_id, int64_t since_micros) LOCKS_EXCLUDED(mutex_);
  void Remove(Watcher* watcher) LOCKS_EXCLUDED(mutex_);

  Database database_;
  const ProgressBoard& board_;
  const absl::Duration longest_silence_;
  Mutex mutex_;
  CondVar changed_;
  std::map<int64_t, Sweep> sweeps_ GUARDED_BY(mutex_);
  bool draining_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gridsweep::coordinator
