#include "common/readiness.h"

#include <absl/time/clock.h>

#include <chrono>
#include <optional>
#include <utility>

#include "common/strings.h"

namespace gridsweep {

Readiness::Readiness(Settings settings, std::function<absl::Status()> probe,
                     std::function<void(const absl::Status&)> changed)
    : settings_(settings),
      probe_(std::move(probe)),
      changed_(std::move(changed)),
      thread_([this] { Loop(); }) {}

Readiness::~Readiness() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

absl::Status Readiness::OfProbes() const {
  if (absl::Now() - last_success_ <= settings_.patience) return absl::OkStatus();
  return absl::UnavailableError(failure_.empty() ? "no answer of the database" : failure_);
}

absl::Status Readiness::Status() const {
  MutexLock lock(mutex_);
  return draining_ ? absl::UnavailableError("shutting down") : OfProbes();
}

void Readiness::Drain() {
  MutexLock lock(mutex_);
  draining_ = true;
}

void Readiness::Loop() {
  std::optional<bool> told;
  for (;;) {
    const absl::Status status = probe_();
    absl::Status now;
    {
      MutexLock lock(mutex_);
      if (status.ok()) last_success_ = absl::Now();
      failure_ = status.ok() ? "" : std::string(ToStd(status.message()));
      now = OfProbes();
    }
    if (told != now.ok()) {
      told = now.ok();
      if (changed_) changed_(now);
    }
    const auto until =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(settings_.every);
    MutexLock lock(mutex_);
    while (!stopping_ && std::chrono::steady_clock::now() < until) wake_.wait_until(mutex_, until);
    if (stopping_) return;
  }
}

}  // namespace gridsweep
