#include "coordinator/watch_hub.h"

#include <chrono>
#include <deque>

#include "common/log.h"
#include "common/stall_alarm.h"
#include "common/status.h"

namespace gridsweep::coordinator {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
// A transaction may commit this long after it set the time of a run's end.
constexpr int64_t kLateCommitMicros = 10'000'000;
// That are read at once.
constexpr size_t kEndsAtOnce = 5000;
// Of a message, which may have 4 MiB; and what a field takes beside its content.
constexpr size_t kMostBytes = size_t{7} << 19;
constexpr size_t kRoomOfField = 8;

absl::Status DrainStatus() {
  return WithRetryAfter(absl::UnavailableError("the coordinator is shutting down"),
                        absl::Seconds(1));
}

}  // namespace

// One stream. At most one write is in flight; what changes meanwhile is put
// together into the next, but for the ends of runs: each is told.
class WatchHub::Watcher final : public grpc::ServerWriteReactor<v1::WatchSweepResponse> {
 public:
  Watcher(WatchHub& hub, grpc::CallbackServerContext* context, int64_t sweep)
      : sweep_id(sweep), hub_(hub), silence_(context, hub.longest_silence_) {
    silence_.Suspend();
  }

  // Runs that have ended, to be told with the next state and those after it.
  void Add(const Ends& ends) {
    MutexLock lock(mutex_);
    if (!ending_) untold_.push_back(ends);
  }

  // The sweep's state now, without the runs that have ended.
  void Update(const v1::WatchSweepResponse& latest) {
    {
      MutexLock lock(mutex_);
      if (ending_) return;
      std::string bytes = latest.SerializeAsString();
      if (bytes == last_ && untold_.empty()) return;
      last_ = std::move(bytes);
      state_ = latest;
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
    silence_.Suspend();
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) {
        fresh_ = false;
        untold_.clear();
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
      if (fresh_ || !untold_.empty()) {
        message_ = state_;
        TakeEnds();
        message_.set_done(state_.done() && untold_.empty());
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
      silence_.Heard();
      StartWrite(&message_);
    }
  }

  // Moves ends of runs into the message, at least one and as many as it holds.
  void TakeEnds() REQUIRES(mutex_) {
    for (size_t bytes = message_.ByteSizeLong(); !untold_.empty() && bytes < kMostBytes;) {
      const v1::RunProgress& run = (*untold_.front())[first_untold_];
      bytes += run.ByteSizeLong() + kRoomOfField;
      *message_.add_ended() = run;
      if (++first_untold_ < untold_.front()->size()) continue;
      untold_.pop_front();
      first_untold_ = 0;
    }
  }

  WatchHub& hub_;
  StallAlarm silence_;
  Mutex mutex_;
  v1::WatchSweepResponse message_;                   // being written
  v1::WatchSweepResponse state_ GUARDED_BY(mutex_);  // the latest
  std::deque<Ends> untold_ GUARDED_BY(mutex_);       // none is empty
  size_t first_untold_ GUARDED_BY(mutex_) = 0;       // in the first of them
  std::string last_ GUARDED_BY(mutex_);              // the last state told
  bool fresh_ GUARDED_BY(mutex_) = false;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> ending_ GUARDED_BY(mutex_);
};

WatchHub::WatchHub(Database::Settings settings, const ProgressBoard& board,
                   absl::Duration longest_silence)
    : database_(std::move(settings)),
      board_(board),
      longest_silence_(longest_silence),
      thread_([this] { Loop(); }) {}

WatchHub::~WatchHub() {
  Drain();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

grpc::ServerWriteReactor<v1::WatchSweepResponse>* WatchHub::Watch(
    grpc::CallbackServerContext* context, int64_t sweep_id) {
  auto* watcher = new Watcher(*this, context, sweep_id);
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
    for (const auto& [id, since] : due) Tell(id, since);
  }
}

void WatchHub::Tell(int64_t sweep_id, int64_t since_micros) {
  absl::StatusOr<SweepSnapshot> snapshot = ReadSnapshot(database_, sweep_id);
  absl::Status status = snapshot.status();
  // After the counts: whatever they count as ended is told by the time they are.
  if (status.ok() && since_micros > 0) status = TellEnds(sweep_id, since_micros);
  MutexLock lock(mutex_);
  const auto found = sweeps_.find(sweep_id);
  if (found == sweeps_.end()) return;
  Sweep& sweep = found->second;
  if (absl::IsNotFound(status)) {
    for (Watcher* watcher : sweep.watchers) watcher->End(status);
    return;
  }
  if (!status.ok()) {
    spdlog::warn("cannot read sweep {} for its watchers: {}", sweep_id,
                 std::string(status.message()));
    return;
  }
  v1::WatchSweepResponse latest;
  *latest.mutable_counts() = snapshot->counts;
  for (v1::RunProgress& run : snapshot->running) {
    board_.Fill(run);
    *latest.add_running() = std::move(run);
  }
  sweep.since_micros = snapshot->now_micros - kLateCommitMicros;
  const auto& c = snapshot->counts;
  latest.set_done(c.pending() + c.backoff() + c.paused() + c.leased() == 0);
  for (Watcher* watcher : sweep.watchers) watcher->Update(latest);
}

absl::Status WatchHub::TellEnds(int64_t sweep_id, int64_t since_micros) {
  EndPlace place{since_micros, 0};
  for (;;) {
    ASSIGN_OR_RETURN(auto ended,
                     ReadEnded(database_, sweep_id, place, static_cast<int>(kEndsAtOnce)));
    const bool last = ended.size() < kEndsAtOnce;
    MutexLock lock(mutex_);
    if (stopping_) return absl::CancelledError("the coordinator is shutting down");
    const auto found = sweeps_.find(sweep_id);
    if (found == sweeps_.end()) return absl::OkStatus();
    Sweep& sweep = found->second;
    std::erase_if(ended, [&](const v1::RunProgress& run) {
      return !sweep.ended_seen.insert(run.run_id()).second;
    });
    if (!ended.empty()) {
      const auto ends = std::make_shared<const std::vector<v1::RunProgress>>(std::move(ended));
      for (Watcher* watcher : sweep.watchers) watcher->Add(ends);
    }
    if (last) return absl::OkStatus();
  }
}

}  // namespace gridsweep::coordinator
