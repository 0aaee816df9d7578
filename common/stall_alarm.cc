#include "common/stall_alarm.h"

#include <grpcpp/alarm.h>

#include <chrono>

#include "common/mutex.h"

namespace gridsweep {

using Clock = std::chrono::steady_clock;

// Outlives the StallAlarm for as long as its alarm is set.
class StallAlarm::State : public std::enable_shared_from_this<State> {
 public:
  State(grpc::CallbackServerContext* context, absl::Duration limit)
      : limit_(absl::ToChronoNanoseconds(limit)), context_(context), heard_(Clock::now()) {}

  // One timer an interval, however many messages come: it looks when the last one did.
  void Arm() LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    if (context_ == nullptr) return;
    // Looked at again a limit from now, where the server has the turn.
    const auto now = Clock::now();
    const auto left = (suspended_ ? now : heard_) + limit_ - now;
    if (left <= Clock::duration::zero()) {
      context_->TryCancel();
      context_ = nullptr;
      return;
    }
    alarm_ = std::make_unique<grpc::Alarm>();
    alarm_->Set(std::chrono::system_clock::now() + left, [self = shared_from_this()](bool in_time) {
      if (in_time) self->Arm();
    });
  }
  void Heard() LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    heard_ = Clock::now();
    suspended_ = false;
  }
  void Suspend() LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    suspended_ = true;
  }
  void Finished() LOCKS_EXCLUDED(mutex_) {
    std::unique_ptr<grpc::Alarm> alarm;
    {
      MutexLock lock(mutex_);
      context_ = nullptr;
      alarm = std::move(alarm_);
    }
  }

 private:
  const Clock::duration limit_;
  Mutex mutex_;
  grpc::CallbackServerContext* context_ GUARDED_BY(mutex_);  // nullptr: nothing to watch any more
  Clock::time_point heard_ GUARDED_BY(mutex_);
  bool suspended_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<grpc::Alarm> alarm_ GUARDED_BY(mutex_);
};

StallAlarm::StallAlarm(grpc::CallbackServerContext* context, absl::Duration limit)
    : state_(std::make_shared<State>(context, limit)) {
  state_->Arm();
}

StallAlarm::~StallAlarm() { state_->Finished(); }
void StallAlarm::Heard() { state_->Heard(); }
void StallAlarm::Suspend() { state_->Suspend(); }
void StallAlarm::Finished() { state_->Finished(); }

}  // namespace gridsweep
