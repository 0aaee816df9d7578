#include "worker/heartbeat.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "common/duration.h"
#include "common/log.h"
#include "common/status.h"
#include "common/verdict.h"
#include "worker/proto_conversion.h"

namespace gridsweep::worker {
namespace {

constexpr absl::Duration kShortestDeadline = absl::Seconds(1);

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

v1::LeaseProgress ToProto(const HeldLease& held, const RunMonitor::Progress& progress) {
  v1::LeaseProgress proto;
  *proto.mutable_ref() = held.lease.ref();
  proto.set_phase(ToProto(progress.phase));
  proto.set_step(progress.step);
  proto.set_phase_done(progress.phase_done);
  proto.set_total_steps(held.total_steps);
  if (progress.loss) proto.set_loss(*progress.loss);
  if (progress.error_cm) proto.set_error_cm(*progress.error_cm);
  for (const CurvePoint& point : progress.points) *proto.add_points() = ToProto(point);
  for (const std::string& line : progress.log_lines) proto.add_log_lines(line);
  return proto;
}

// The verdict on the lease sent at `place`. Answers keep the order of the
// request, which tells two leases of one run apart.
v1::Verdict::Kind VerdictOn(int64_t run_id, int place, const v1::HeartbeatResponse& response) {
  if (place < response.verdicts_size() && response.verdicts(place).run_id() == run_id) {
    return response.verdicts(place).kind();
  }
  for (const v1::Verdict& verdict : response.verdicts()) {
    if (verdict.run_id() == run_id) return verdict.kind();
  }
  return v1::Verdict::KIND_CONTINUE;
}

}  // namespace

Heartbeat::Heartbeat(DispatchClient& client, Session& session, HeldLeases& held)
    : client_(client), session_(session), held_(held), thread_([this] { Loop(); }) {}

Heartbeat::~Heartbeat() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void Heartbeat::Loop() {
  absl::Duration wait = session_.heartbeat_interval();
  for (;;) {
    {
      const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(wait);
      MutexLock lock(mutex_);
      while (!stopping_ && wake_.wait_until(mutex_, until) == std::cv_status::no_timeout) {
      }
      if (stopping_) return;
    }
    wait = Beat();
  }
}

absl::Duration Heartbeat::Beat() {
  const absl::Duration interval = session_.heartbeat_interval();
  v1::HeartbeatRequest request;
  request.set_worker_id(session_.worker_id());
  request.set_incarnation(session_.incarnation());
  request.set_beats(beats_);
  request.mutable_stats()->set_resident_bytes(ResidentBytes());
  const std::vector<HeldLease> held = held_.All();
  for (const HeldLease& lease : held) {
    *request.add_held() = ToProto(lease, lease.monitor->Read());
  }
  const auto response = client_.Heartbeat(request, std::max(interval, kShortestDeadline));
  if (!response.ok()) {
    if (absl::IsNotFound(response.status())) {
      // The database was replaced, or forgot us.
      spdlog::warn("registering again: {}", response.status().ToString());
      int attempts = 0;
      (void)session_.Register([&] { return attempts++ == 0; });
    } else if (Reason(response.status()) == kIncarnationReplaced) {
      session_.set_refused(response.status());
    }
    // Sooner than usual: a lease lasts a few beats only.
    return interval / 2;
  }
  ++beats_;
  session_.set_directive(response->directive());
  for (int i = 0; i < request.held_size(); ++i) {
    const v1::LeaseProgress& sent = request.held(i);
    RunMonitor& monitor = *held[static_cast<size_t>(i)].monitor;
    monitor.Acknowledge(static_cast<size_t>(sent.points_size()),
                        static_cast<size_t>(sent.log_lines_size()));
    const v1::Verdict::Kind verdict = VerdictOn(sent.ref().run_id(), i, *response);
    if (verdict == v1::Verdict::KIND_CANCEL || verdict == v1::Verdict::KIND_LOST) {
      if (!monitor.stop_reason()) {
        const LogContext run(sent.ref().run_id(), sent.ref().attempt());
        spdlog::info("run {}: {}", sent.ref().run_id(), v1::Verdict_Kind_Name(verdict));
      }
      monitor.RequestStop(StopReason::kCancelled);
    } else if (verdict == v1::Verdict::KIND_CHECKPOINT_AND_RELEASE &&
               !held[static_cast<size_t>(i)].spooled) {
      monitor.RequestStop(StopReason::kPreempted);
    }
  }
  const absl::Duration next = FromProto(response->next());
  return next > absl::ZeroDuration() ? next : interval;
}

}  // namespace gridsweep::worker
