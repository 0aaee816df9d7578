// Whether a program can serve: what it leans on answers, and it is not going away.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <functional>
#include <string>
#include <thread>

#include "common/mutex.h"

namespace gridsweep {

// Asks `probe` every `every`, on a thread of its own; it is ready from the first success until
// none has come for `patience`, so that a hiccup of the database sends nobody elsewhere.
class Readiness {
 public:
  struct Settings {
    absl::Duration every = absl::Seconds(2);
    absl::Duration patience = absl::Seconds(6);
  };
  // `changed` hears each change of what the probes say, OK or what stands in the way, from that
  // thread; its first word is that of the first probe.
  Readiness(Settings settings, std::function<absl::Status()> probe,
            std::function<void(const absl::Status&)> changed);
  ~Readiness();

  // OK, or UNAVAILABLE with what stands in the way. Does not block on the probe.
  absl::Status Status() const LOCKS_EXCLUDED(mutex_);
  // Not ready from now on: the program goes away.
  void Drain() LOCKS_EXCLUDED(mutex_);

 private:
  void Loop() LOCKS_EXCLUDED(mutex_);
  absl::Status OfProbes() const REQUIRES(mutex_);

  const Settings settings_;
  const std::function<absl::Status()> probe_;
  const std::function<void(const absl::Status&)> changed_;
  mutable Mutex mutex_;
  CondVar wake_;
  absl::Time last_success_ GUARDED_BY(mutex_) = absl::InfinitePast();
  std::string failure_ GUARDED_BY(mutex_) = "starting";
  bool draining_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace gridsweep
