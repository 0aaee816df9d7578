#include "coordinator/log_hub.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "common/line_overlap.h"
#include "common/log.h"
#include "common/stall_alarm.h"
#include "common/status.h"

namespace gridsweep::coordinator {
namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr int kRunsAPiece = 10'000;  // whose new lines are kept at once
constexpr size_t kMostFollowers = 256;
// Messages that wait for a follower; what is beyond is read again for it.
constexpr size_t kMostUnsent = 64;
// That are read of a run; each has up to 64 kB.
constexpr int kAttemptsAtOnce = 64;

absl::Status DrainStatus() {
  return WithRetryAfter(absl::UnavailableError("the coordinator is shutting down"),
                        absl::Seconds(1));
}

}  // namespace

// One stream. At most one write is in flight. Lives until gRPC is done with it.
class LogHub::Follower final : public grpc::ServerWriteReactor<v1::StreamLogsResponse> {
 public:
  Follower(LogHub& hub, grpc::CallbackServerContext* context, int64_t run, bool follows)
      : run_id(run), hub_(hub), follow_(follows), silence_(context, hub.longest_silence_) {
    silence_.Suspend();
  }

  // What attempt it wants to hear of next.
  int from() const LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return attempt_;
  }

  void Update(const RunLog& log) {
    {
      MutexLock lock(mutex_);
      if (ending_) return;
      bool all = log.all;
      for (const AttemptLines& attempt : log.attempts) {
        if (unsent_.size() >= kMostUnsent) {
          all = false;
          break;
        }
        Tell(attempt);
      }
      if (all && (log.ended || !follow_)) ending_ = absl::OkStatus();
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
        unsent_.clear();
        if (!ending_) ending_ = absl::CancelledError("the follower has gone");
      }
    }
    Advance();
  }
  void OnCancel() override { End(absl::CancelledError("the follower has gone")); }
  void OnDone() override {
    hub_.Remove(this);
    delete this;
  }

  const int64_t run_id;

 private:
  // Queues what is new of an attempt.
  void Tell(const AttemptLines& attempt) REQUIRES(mutex_) {
    if (attempt.attempt < attempt_) return;
    if (attempt.attempt > attempt_) told_.clear();
    const bool first = attempt.attempt > attempt_;
    attempt_ = attempt.attempt;
    const size_t known = LineOverlap(told_, attempt.lines);
    if (known == attempt.lines.size() && !first) return;
    told_ = attempt.lines;
    v1::StreamLogsResponse& message = unsent_.emplace_back();
    message.set_attempt(attempt.attempt);
    message.set_worker(attempt.worker);
    for (size_t i = known; i < attempt.lines.size(); ++i) message.add_lines(attempt.lines[i]);
  }

  // Starts the next write, or finishes; outside the lock, for gRPC may call back.
  void Advance() {
    std::optional<absl::Status> finish;
    {
      MutexLock lock(mutex_);
      if (writing_ || finished_) return;
      if (!unsent_.empty()) {
        message_ = std::move(unsent_.front());
        unsent_.pop_front();
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

  LogHub& hub_;
  const bool follow_;
  StallAlarm silence_;
  mutable Mutex mutex_;
  v1::StreamLogsResponse message_;  // being written
  std::deque<v1::StreamLogsResponse> unsent_ GUARDED_BY(mutex_);
  int attempt_ GUARDED_BY(mutex_) = 0;                // the last one told of
  std::vector<std::string> told_ GUARDED_BY(mutex_);  // its last lines
  bool writing_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> ending_ GUARDED_BY(mutex_);
};

LogHub::LogHub(Database::Settings settings, ProgressBoard& board, Counters& counters,
               absl::Duration longest_silence)
    : database_(std::move(settings)),
      board_(board),
      keeping_("keeping log lines", kRunsAPiece, counters.BackgroundTimeouts("keep_log_lines")),
      longest_silence_(longest_silence),
      thread_([this] { Loop(); }) {}

LogHub::~LogHub() {
  Drain();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

grpc::ServerWriteReactor<v1::StreamLogsResponse>* LogHub::Stream(
    grpc::CallbackServerContext* context, int64_t run_id, bool follow) {
  auto* follower = new Follower(*this, context, run_id, follow);
  std::optional<absl::Status> refusal;
  {
    MutexLock lock(mutex_);
    if (draining_) {
      refusal = DrainStatus();
    } else if (followers_.size() >= kMostFollowers) {
      refusal = WithRetryAfter(absl::ResourceExhaustedError("too many logs are being followed"),
                               absl::Seconds(5));
    } else {
      followers_.insert(follower);
      newcomer_ = true;
    }
  }
  if (refusal) follower->End(*refusal);
  changed_.notify_all();
  return follower;
}

void LogHub::Drain() {
  // Held throughout: a follower that ends waits in Remove until this is done with it.
  MutexLock lock(mutex_);
  draining_ = true;
  for (Follower* follower : followers_) follower->End(DrainStatus());
}

void LogHub::Remove(Follower* follower) {
  MutexLock lock(mutex_);
  followers_.erase(follower);
}

void LogHub::Loop() {
  auto next_tick = std::chrono::steady_clock::now();
  for (;;) {
    bool tick = false;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !newcomer_ && std::chrono::steady_clock::now() < next_tick) {
        changed_.wait_until(mutex_, next_tick);
      }
      if (stopping_) return;
      newcomer_ = false;
      tick = std::chrono::steady_clock::now() >= next_tick;
    }
    if (tick) next_tick = std::chrono::steady_clock::now() + kTick;
    KeepNewLines();
    TellFollowers();
  }
}

void LogHub::KeepNewLines() {
  std::vector<NewLines> added = board_.TakeNewLines();
  absl::Status status;
  size_t kept = 0;
  while (status.ok() && kept < added.size()) {
    size_t n = 0;
    status = keeping_.Do([&](int size) {
      n = std::min(added.size() - kept, static_cast<size_t>(size));
      return KeepLines(database_, std::span(added).subspan(kept, n));
    });
    if (status.ok()) kept += n;
  }
  if (status.ok()) return;
  added.erase(added.begin(), added.begin() + static_cast<std::ptrdiff_t>(kept));
  board_.PutBack(std::move(added));
  // Upkeep says when the database is away.
  if (!absl::IsUnavailable(status)) {
    spdlog::error("keeping log lines: {}", std::string(status.message()));
  }
}

void LogHub::TellFollowers() {
  std::map<int64_t, int> wanted;  // run, the earliest attempt that somebody has not heard in full
  {
    MutexLock lock(mutex_);
    for (const Follower* follower : followers_) {
      const auto [at, added] = wanted.emplace(follower->run_id, follower->from());
      if (!added) at->second = std::min(at->second, follower->from());
    }
  }
  for (const auto& [run_id, from] : wanted) {
    const absl::StatusOr<RunLog> log = ReadRunLog(database_, run_id, from, kAttemptsAtOnce);
    MutexLock lock(mutex_);
    for (Follower* follower : followers_) {
      // Who came since is read for with the next round.
      if (follower->run_id != run_id || follower->from() < from) continue;
      if (log.ok()) {
        follower->Update(*log);
      } else if (!absl::IsUnavailable(log.status())) {
        follower->End(log.status());
      }
    }
  }
}

}  // namespace gridsweep::coordinator
