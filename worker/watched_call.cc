#include "worker/watched_call.h"

#include <chrono>
#include <utility>

#include "common/strings.h"

namespace gridsweep::worker {
namespace {

constexpr auto kLookAgain = std::chrono::milliseconds(200);

}  // namespace

void CallWatch::Moved(bool ok) {
  MutexLock lock(mutex_);
  step_ = ok;
  changed_.notify_all();
}

void CallWatch::Ended(const grpc::Status& status) {
  // The waiting thread may destroy this as soon as it has the lock.
  MutexLock lock(mutex_);
  end_ = status;
  changed_.notify_all();
}

void CallWatch::Await(const std::function<bool()>& happened) {
  const auto start = std::chrono::steady_clock::now();
  bool cancelled = false, stalled = false;
  for (;;) {
    {
      MutexLock lock(mutex_);
      const auto until = std::chrono::steady_clock::now() + kLookAgain;
      while (!happened() &&
             changed_.wait_until(mutex_, until) == std::cv_status::no_timeout) {
      }
      if (happened()) return;
      stalled_ = stalled_ ||
                 absl::FromChrono(std::chrono::steady_clock::now() - start) > patience_;
      stalled = stalled_;
    }
    // Without the lock: reactions may run here, before it returns.
    if (!std::exchange(cancelled, cancelled || stalled || !wanted_()) && cancelled) {
      context_.TryCancel();
    }
  }
}

bool CallWatch::AwaitStep() {
  Await([this] { return step_.has_value(); });
  MutexLock lock(mutex_);
  const bool ok = *step_;
  step_.reset();
  return ok;
}

grpc::Status CallWatch::AwaitEnd() {
  Await([this] { return end_.has_value(); });
  MutexLock lock(mutex_);
  if (!stalled_ || end_->ok()) return *end_;
  return {grpc::StatusCode::DEADLINE_EXCEEDED,
          StrCat("nothing was taken for ", absl::FormatDuration(patience_),
                 "; it goes on where it stopped")};
}

}  // namespace gridsweep::worker
