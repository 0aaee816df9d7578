#include "worker/lease_runner.h"

#include <absl/strings/str_format.h>
#include <absl/time/clock.h>

#include "common/duration.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/config/parameters.h"
#include "science/integrator/trainer.h"
#include "sweepspec/run_config_proto.h"
#include "worker/checkpoint_policy.h"
#include "worker/proto_conversion.h"
#include "worker/run_pipeline.h"

namespace gridsweep::worker {
namespace {

constexpr absl::Duration kReleaseDeadline = absl::Seconds(2);

absl::StatusOr<science::RunConfig> ReadConfig(const v1::Lease& lease) {
  ASSIGN_OR_RETURN(const science::RunConfig config, sweepspec::FromProto(lease.config()));
  if (sweepspec::ConfigHash(config) != lease.config_hash()) {
    return absl::FailedPreconditionError(StrCat(
        "the configuration hashes to ", ToHex(sweepspec::ConfigHash(config)), " here and to ",
        ToHex(lease.config_hash()), " at the coordinator; run workers of its version"));
  }
  return config;
}

// Whether this run's checkpoint, if any, can be gone on from here; the log says why not.
bool CanResume(const HeldLease& held) {
  const v1::CheckpointRef& checkpoint = held.lease.checkpoint();
  if (!held.lease.has_checkpoint()) return false;
  if (checkpoint.science_version() == science::kScienceVersion) return true;
  held.monitor->Log(StrCat("starts over: the checkpoint is of science version ",
                           checkpoint.science_version(), ", this worker computes version ",
                           science::kScienceVersion));
  return false;
}

// Saves the checkpoints of one run through the coordinator.
class CheckpointSaver {
 public:
  CheckpointSaver(const HeldLease& held, const LastSave& last_save, DispatchClient& client)
      : held_(held),
        client_(client),
        policy_(FromProto(held.lease.checkpoint_interval()), last_save.grace, last_save.company,
                absl::Now()) {
    left_.ref = held.lease.ref();
  }

  bool Due() const {
    const auto reason = held_.monitor->stop_reason();
    return reason ? *reason == StopReason::kPreempted : policy_.DueByTime(absl::Now());
  }

  void Save(uint64_t step, const std::string& bytes, const std::string& numerics_id) {
    RunMonitor& monitor = *held_.monitor;
    const bool leaving = monitor.stop_reason().has_value();
    if (leaving && !policy_.WorthOnTheWayOut(bytes.size())) {
      monitor.Log(
          StrCat("no last checkpoint: ", bytes.size() / 1000000, " MB would not arrive in time"));
      return;
    }
    v1::CheckpointRef checkpoint;
    checkpoint.set_step(step);
    checkpoint.set_size(bytes.size());
    checkpoint.set_sha256(Sha256::Of(bytes));
    checkpoint.set_numerics_id(numerics_id);
    checkpoint.set_science_version(science::kScienceVersion);
    const absl::Time start = absl::Now();
    // Not training, which the coordinators expect to advance: this waits for them.
    monitor.SetPhase(Phase::kUploading);
    const absl::Status status = client_.SaveCheckpoint(held_.lease.ref(), checkpoint, bytes, [&] {
      return monitor.stop_reason() != StopReason::kCancelled;
    });
    monitor.SetPhase(Phase::kTraining);
    if (!status.ok()) {
      monitor.Log(StrCat("no checkpoint at step ", step, ": ", status.message()));
      if (leaving && DispatchClient::MaySucceedLater(status)) {
        left_.checkpoint = checkpoint;
        left_.bytes = bytes;
      }
      return policy_.Failed(absl::Now());
    }
    policy_.Saved(absl::Now(), absl::Now() - start, bytes.size());
    spdlog::info("run {}: checkpoint of step {}, {} kB in {:.2f} s", held_.lease.ref().run_id(),
                 step, bytes.size() / 1000, absl::ToDoubleSeconds(absl::Now() - start));
  }

  // What is owed of a run that is given back: its last checkpoint, where no coordinator took it.
  const LeftRun& left() const { return left_; }

 private:
  const HeldLease& held_;
  DispatchClient& client_;
  CheckpointPolicy policy_;
  LeftRun left_;
};

absl::StatusOr<RunResult> Train(const HeldLease& held, CheckpointSaver& saver,
                                hdf5::Reader& reader, DispatchClient& client) {
  ASSIGN_OR_RETURN(const science::RunConfig config, ReadConfig(held.lease));
  RunMonitor& monitor = *held.monitor;
  std::string resume;
  if (CanResume(held)) {
    monitor.SetPhase(Phase::kUploading);  // as a save is: moving the checkpoint
    auto bytes = client.LoadCheckpoint(held.lease.ref(), held.lease.checkpoint(),
                                       [&] { return !monitor.stop_reason(); });
    if (bytes.ok()) {
      resume = *std::move(bytes);
    } else if (IsLeaseLost(bytes.status()) || absl::IsCancelled(bytes.status())) {
      return bytes.status();
    } else {
      monitor.Log(StrCat("starts over: ", bytes.status().message()));
    }
  }
  if (!resume.empty()) {
    spdlog::info("run {} goes on from the checkpoint of step {}", held.lease.ref().run_id(),
                 held.lease.checkpoint().step());
  }
  const v1::LeaseRef& ref = held.lease.ref();
  spdlog::info("run {} attempt {} starts: {} Ng {} seed {}, {} steps", ref.run_id(), ref.attempt(),
               science::ReadoutLabel(config), config.Ng, config.seed, config.TotalSteps());
  return RunPipeline(
      config, monitor,
      {.resume = std::move(resume),
       .reader = &reader,
       .due = [&] { return saver.Due(); },
       .save = [&](uint64_t step, const std::string& bytes,
                   const std::string& numerics_id) { saver.Save(step, bytes, numerics_id); }});
}

FinishedRun Finished(const HeldLease& held, const RunResult& result) {
  FinishedRun run{ToProto(result), result.units, result.artifact};
  *run.header.mutable_ref() = held.lease.ref();
  run.header.set_log_tail(held.monitor->LogTail());
  v1::ArtifactRef& artifact = *run.header.add_artifacts();
  artifact.set_sha256(Sha256::Of(result.artifact));
  artifact.set_size(result.artifact.size());
  artifact.set_kind("result");
  return run;
}

void LogResult(int64_t run_id, const RunResult& result) {
  const auto metric = [&](const char* name) { return result.run_metrics.at(name); };
  spdlog::info("run {} {}: {} steps in {:.1f} s, error {:.1f} cm, best score {:.2f}, {} kB", run_id,
               result.outcome == RunOutcome::kSucceeded ? "succeeded" : "diverged", result.steps,
               result.compute_seconds, metric("pos_err_published"), metric("max_grid_score_60"),
               result.artifact.size() / 1000);
}

// `left`: what is owed of it where it is given back.
void EndWithoutResult(const HeldLease& held, const absl::Status& why, const LeftRun& left,
                      Delivery& delivery, DispatchClient& client) {
  const v1::LeaseRef& ref = held.lease.ref();
  RunMonitor& monitor = *held.monitor;
  if (monitor.stop_reason() == StopReason::kCancelled || IsLeaseLost(why)) {
    spdlog::info("run {} dropped at step {}: its lease has ended", ref.run_id(),
                 monitor.Read().step);
    // A cancelled run is CANCELLED at once; a lease that is lost is passed over.
    (void)Release({ref}, v1::RELEASE_REASON_UNSPECIFIED, kReleaseDeadline, client);
  } else if (absl::IsCancelled(why)) {
    spdlog::info("run {} given back at step {}", ref.run_id(), monitor.Read().step);
    const absl::Status released =
        Release({ref}, v1::RELEASE_REASON_PREEMPTED, kReleaseDeadline, client);
    if (DispatchClient::MaySucceedLater(released)) delivery.Keep(left);
  } else {
    spdlog::error("run {} failed: {}", ref.run_id(), why.ToString());
    v1::FailRunRequest request;
    *request.mutable_ref() = ref;
    request.set_error(why.ToString());
    request.set_log_tail(monitor.LogTail());
    const auto failed = client.FailRun(request, {[&] { return !monitor.stop_reason(); }});
    if (!failed.ok()) spdlog::warn("run {}: {}", ref.run_id(), failed.status().ToString());
  }
}

}  // namespace

absl::Status Release(const std::vector<v1::LeaseRef>& refs, v1::ReleaseReason reason,
                     absl::Duration deadline, DispatchClient& client) {
  if (refs.empty()) return absl::OkStatus();
  v1::ReleaseRunsRequest request;
  request.mutable_refs()->Assign(refs.begin(), refs.end());
  request.set_reason(reason);
  const absl::Status status = client.ReleaseRuns(request, deadline);
  if (status.ok()) {
    spdlog::info("released {} runs", refs.size());
  } else {
    // Not lost for that: their leases run out.
    spdlog::warn("could not release {} runs: {}", refs.size(), status.ToString());
  }
  return status;
}

void RunLease(const HeldLease& held, const LastSave& last_save, hdf5::Reader& reader,
              DispatchClient& client, Delivery& delivery, HeldLeases& leases) {
  const v1::LeaseRef& ref = held.lease.ref();
  const LogContext run(ref.run_id(), ref.attempt());
  CheckpointSaver saver(held, last_save, client);
  const absl::StatusOr<RunResult> result = Train(held, saver, reader, client);
  absl::Status status = result.status();
  if (result.ok()) {
    const auto delivered = delivery.Deliver(held, Finished(held, *result));
    status = delivered.status();
    if (status.ok()) LogResult(ref.run_id(), *result);
    if (status.ok() && *delivered == Delivery::Fate::kSpooled) return;
  }
  if (!status.ok()) EndWithoutResult(held, status, saver.left(), delivery, client);
  leases.Remove(ref.token());
}

}  // namespace gridsweep::worker
