// What the outside may know of a run in training, and how it is told to stop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "worker/learning_curve.h"

namespace gridsweep::worker {

enum class Phase { kTraining, kEvaluating, kScoring, kUploading };

// Why a run is to stop before its end.
enum class StopReason {
  kPreempted,  // the worker goes: the run is given back
  kCancelled,  // by its user, or its lease is another's: nothing is owed to anyone
};

// Shared by the thread that trains a run, which writes, and the heartbeat,
// which reads. All methods may be called from any thread and none waits for
// more than a copy.
class RunMonitor {
 public:
  // `on_step` hears the seconds of each training step, from the thread that trains.
  explicit RunMonitor(std::function<void(double seconds)> on_step = nullptr)
      : on_step_(std::move(on_step)) {}

  struct Progress {
    Phase phase = Phase::kTraining;
    uint64_t step = 0;
    uint64_t phase_done = 0;  // evaluation batch, unit, chunk: counts within the phase
    std::optional<double> loss;
    std::optional<double> error_cm;
    // Points and log lines that have not been acknowledged, oldest first.
    std::vector<CurvePoint> points;
    std::vector<std::string> log_lines;
  };

  void SetPhase(Phase phase) LOCKS_EXCLUDED(mutex_);
  void SetPhaseDone(uint64_t done) LOCKS_EXCLUDED(mutex_);
  // Step `step` is done; `loss` is shown where it is finite. `seconds`: what it took, where this
  // process has trained it.
  void SetStep(uint64_t step, double loss, std::optional<double> seconds) LOCKS_EXCLUDED(mutex_);
  void AddPoint(const CurvePoint& point) LOCKS_EXCLUDED(mutex_);
  void Log(std::string line) LOCKS_EXCLUDED(mutex_);

  Progress Read() const LOCKS_EXCLUDED(mutex_);
  // The first `points` points and `log_lines` lines of the last Read have
  // arrived and need not be sent again. Only one thread reads and acknowledges.
  void Acknowledge(size_t points, size_t log_lines) LOCKS_EXCLUDED(mutex_);
  // The latest log lines, joined by newlines.
  std::string LogTail() const LOCKS_EXCLUDED(mutex_);

  // The first reason stays.
  void RequestStop(StopReason reason) LOCKS_EXCLUDED(mutex_);
  std::optional<StopReason> stop_reason() const LOCKS_EXCLUDED(mutex_);

 private:
  const std::function<void(double)> on_step_;
  mutable Mutex mutex_;
  Progress progress_ GUARDED_BY(mutex_);
  std::deque<std::string> log_tail_ GUARDED_BY(mutex_);
  std::optional<StopReason> stop_ GUARDED_BY(mutex_);
};

}  // namespace gridsweep::worker
