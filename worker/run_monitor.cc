#include "worker/run_monitor.h"

#include <algorithm>
#include <cmath>

namespace gridsweep::worker {
namespace {

constexpr size_t kTailLines = 50;
// Bounds memory while no coordinator answers; a long run has under 2,000.
constexpr size_t kMaxPoints = 4096;
constexpr size_t kMaxLines = 200;

template <typename T>
void DropOldest(std::vector<T>& items, size_t n) {
  items.erase(items.begin(), items.begin() + static_cast<ptrdiff_t>(std::min(n, items.size())));
}

}  // namespace

void RunMonitor::SetPhase(Phase phase) {
  MutexLock lock(mutex_);
  progress_.phase = phase;
  progress_.phase_done = 0;
}

void RunMonitor::SetPhaseDone(uint64_t done) {
  MutexLock lock(mutex_);
  progress_.phase_done = done;
}

void RunMonitor::SetStep(uint64_t step, double loss, std::optional<double> seconds) {
  if (on_step_ && seconds) on_step_(*seconds);
  MutexLock lock(mutex_);
  progress_.step = step;
  if (std::isfinite(loss)) progress_.loss = loss;
}

void RunMonitor::AddPoint(const CurvePoint& point) {
  MutexLock lock(mutex_);
  if (std::isfinite(point.error_cm)) progress_.error_cm = point.error_cm;
  // Full means that nothing was acknowledged for long: the heartbeat after
  // the outage shows how the run began, its result brings the whole curve.
  if (progress_.points.size() < kMaxPoints) progress_.points.push_back(point);
}

void RunMonitor::Log(std::string line) {
  MutexLock lock(mutex_);
  log_tail_.push_back(line);
  if (log_tail_.size() > kTailLines) log_tail_.pop_front();
  if (progress_.log_lines.size() < kMaxLines) progress_.log_lines.push_back(std::move(line));
}

RunMonitor::Progress RunMonitor::Read() const {
  MutexLock lock(mutex_);
  return progress_;
}

void RunMonitor::Acknowledge(size_t points, size_t log_lines) {
  MutexLock lock(mutex_);
  DropOldest(progress_.points, points);
  DropOldest(progress_.log_lines, log_lines);
}

std::string RunMonitor::LogTail() const {
  MutexLock lock(mutex_);
  std::string tail;
  for (const std::string& line : log_tail_) tail += line + "\n";
  return tail;
}

void RunMonitor::RequestStop(StopReason reason) {
  MutexLock lock(mutex_);
  if (!stop_) stop_ = reason;
}

std::optional<StopReason> RunMonitor::stop_reason() const {
  MutexLock lock(mutex_);
  return stop_;
}

}  // namespace gridsweep::worker
