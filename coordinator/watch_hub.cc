#include "coordinator/watch_hub.h"

#include <chrono>

#include "common/log.h"
#include "common/status.h"

namespace gridsweep::coordinator {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
// A transaction may commit this long after it set the time of a run's end.
constexpr int64_t kLateCommitMicros = 10'000'000;

absl::Status DrainStatus() {
  return WithRetryAfter(absl::UnavailableError("the coordinator is shutting down"),
                        absl::Seconds(1));
}

}  // namespace

// One stream. At most one write is in flight; what changes meanwhile is put
// together into the next.
class WatchHub::Watcher final : public grpc::ServerWriteReactor<v1::WatchSweepResponse> {
 public:
  Watcher(WatchHub& hub, int64_t sweep) : sweep_id(sweep), hub_(hub) {}

  // The sweep's state now; `latest.ended` are the runs that ended since the last call.
  void Update(const v1::WatchSweepResponse& latest) {
    {
      MutexLock lock(mutex_);
      if (ending_) return;
      const auto ended = next_.ended();
      v1::WatchSweepResponse state = latest;
      state.clear_ended();
      std::string bytes = state.SerializeAsString();
      if (bytes == last_ && latest.ended().empty()) return;
      last_ = std::move(bytes);
      next_ = latest;
      next_.mutable_ended()->MergeFrom(ended);
      fresh_ = true;
      if (latest.done()) ending_ = absl::OkStatus();
    }
    Advance();
  }

  void End(absl::Status status) {
    {
      MutexLock lock(mutex_);
      if (ending_) return;
      ending_ = std::move(status);
    }
    Advance();
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) {
        fresh_ = false;
        if (!ending_) ending_ = absl::CancelledError("the watcher has gone");
      }
    }
    Advance();
  }
  void OnCancel() override { End(absl::CancelledError("the watcher has gone")); }
  void OnDone() override {
    hub_.Remove(this);
    delete this;
  }

  const int64_t sweep_id;

 private:
  // Starts the next write, or finishes; outside the lock, for gRPC may call back.
  void Advance() {
    std::optional<absl::Status> finish;
    {
      MutexLock lock(mutex_);
      if (writing_ || finished_) return;
      if (fresh_) {
        message_.Swap(&next_);
        next_.Clear();
        fresh_ = false;
        writing_ = true;
      } else if (ending_) {
        finished_ = true;
        finish = ending_;
      } else {
        return;
      }
    }
    if (finish) {
      Finish(ToGrpc(*finish));
    } else {
      StartWrite(&message_);
    }
  }

  WatchHub& hub_;
  Mutex mutex_;
  v1::WatchSweepResponse message_;  // being written
  v1::WatchSweepResponse next_ GUARDED_BY(mutex_);
  std::string last_ GUARDED_BY(mutex_);  // the last state told, runs ended apart
  bool fresh_ GUARDED_BY(mutex_) = false;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> ending_ GUARDED_BY(mutex_);
};

WatchHub::WatchHub(Database::Settings settings, const ProgressBoard& board)
    : database_(std::move(settings)), board_(board), thread_([this] { Loop(); }) {}

WatchHub::~WatchHub() {
  Drain();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

grpc::ServerWriteReactor<v1::WatchSweepResponse>* WatchHub::Watch(int64_t sweep_id) {
  auto* watcher = new Watcher(*this, sweep_id);
  bool draining = false;
  {
    MutexLock lock(mutex_);
    draining = draining_;
    if (!draining) sweeps_[sweep_id].watchers.insert(watcher);
  }
  if (draining) watcher->End(DrainStatus());
  changed_.notify_all();
  return watcher;
}

void WatchHub::Drain() {
  // Held throughout: a watcher that ends waits in Remove until this is done with it.
  MutexLock lock(mutex_);
  draining_ = true;
  for (auto& [id, sweep] : sweeps_) {
    for (Watcher* watcher : sweep.watchers) watcher->End(DrainStatus());
  }
}

void WatchHub::Remove(Watcher* watcher) {
  MutexLock lock(mutex_);
  const auto found = sweeps_.find(watcher->sweep_id);
  if (found == sweeps_.end()) return;
  found->second.watchers.erase(watcher);
  if (found->second.watchers.empty()) sweeps_.erase(found);
}

void WatchHub::Loop() {
  std::map<int64_t, size_t> told;  // sweeps of the last round and their watchers then
  auto next_tick = std::chrono::steady_clock::now();
  for (;;) {
    std::map<int64_t, int64_t> due;  // sweep, since
    {
      MutexLock lock(mutex_);
      const auto grown = [&]() REQUIRES(mutex_) {
        for (const auto& [id, sweep] : sweeps_) {
          if (!told.contains(id) || told[id] < sweep.watchers.size()) return true;
        }
        return false;
      };
      while (!stopping_ &&
             (sweeps_.empty() || (std::chrono::steady_clock::now() < next_tick && !grown()))) {
        if (sweeps_.empty()) {
          changed_.wait(mutex_);
        } else {
          changed_.wait_until(mutex_, next_tick);
        }
      }
      if (stopping_) return;
      const bool all = std::chrono::steady_clock::now() >= next_tick;
      for (const auto& [id, sweep] : sweeps_) {
        const bool more = !told.contains(id) || told[id] < sweep.watchers.size();
        // A newcomer to a sweep that is being watched waits for the next tick.
        if (all || !told.contains(id)) due[id] = sweep.since_micros;
        if (all || more) told[id] = sweep.watchers.size();
      }
      if (all) {
        std::erase_if(told, [&](const auto& item) { return !sweeps_.contains(item.first); });
        next_tick = std::chrono::steady_clock::now() + kTick;
      }
    }
    for (const auto& [id, since] : due) Tell(id, ReadSnapshot(database_, id, since));
  }
}

void WatchHub::Tell(int64_t sweep_id, absl::StatusOr<SweepSnapshot> snapshot) {
  MutexLock lock(mutex_);
  const auto found = sweeps_.find(sweep_id);
  if (found == sweeps_.end()) return;
  Sweep& sweep = found->second;
  if (absl::IsNotFound(snapshot.status())) {
    for (Watcher* watcher : sweep.watchers) watcher->End(snapshot.status());
    return;
  }
  if (!snapshot.ok()) {
    spdlog::warn("cannot read sweep {} for its watchers: {}", sweep_id,
                 std::string(snapshot.status().message()));
    return;
  }
  v1::WatchSweepResponse latest;
  *latest.mutable_counts() = snapshot->counts;
  for (v1::RunProgress& run : snapshot->running) {
    board_.Fill(run);
    *latest.add_running() = std::move(run);
  }
  for (v1::RunProgress& run : snapshot->ended) {
    if (sweep.ended_seen.insert(run.run_id()).second) *latest.add_ended() = std::move(run);
  }
  sweep.since_micros = snapshot->now_micros - kLateCommitMicros;
  const auto& c = snapshot->counts;
  latest.set_done(c.pending() + c.backoff() + c.paused() + c.leased() == 0);
  for (Watcher* watcher : sweep.watchers) watcher->Update(latest);
}

}  // namespace gridsweep::coordinator
