#include "coordinator/dispatch_service.h"

#include <absl/time/clock.h>

#include "common/duration.h"
#include "common/log.h"
#include "common/strings.h"
#include "common/verdict.h"
#include "coordinator/dispatch_checks.h"
#include "coordinator/store/fields.h"
#include "coordinator/store/leases.h"
#include "coordinator/store/results.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kLongestPoll = absl::Seconds(30);
constexpr size_t kMostPointsABeat = 256;

LeaseKey KeyOf(const v1::LeaseRef& ref) { return {ref.run_id(), ref.token()}; }

absl::Status FillLeases(const Claimed& claimed, const DispatchSettings& settings,
                        v1::LeaseRunsResponse& response) {
  response.set_directive(claimed.directive);
  if (claimed.directive != v1::WORKER_DIRECTIVE_RUN) {
    *response.mutable_retry_after() = gridsweep::ToProto(settings.heartbeat_interval);
  }
  for (const Grant& grant : claimed.grants) {
    ASSIGN_OR_RETURN(const science::RunConfig config,
                     sweepspec::FromCanonicalJson(grant.config_json));
    v1::Lease& lease = *response.add_leases();
    lease.mutable_ref()->set_run_id(grant.key.run_id);
    lease.mutable_ref()->set_attempt(grant.attempt);
    lease.mutable_ref()->set_token(grant.key.token);
    lease.set_sweep_id(grant.sweep_id);
    *lease.mutable_config() = sweepspec::ToProto(config);
    lease.set_config_hash(grant.config_hash);
    lease.set_shape_key(grant.shape_key);
    *lease.mutable_ttl() = gridsweep::ToProto(settings.lease_ttl);
    if (grant.checkpoint) *lease.mutable_checkpoint() = *grant.checkpoint;
    *lease.mutable_checkpoint_interval() =
        gridsweep::ToProto(grant.checkpoint_interval.value_or(settings.checkpoint_interval));
  }
  return absl::OkStatus();
}

void TellOfQuarantine(const std::string& worker, Counters& counters) {
  counters.worker_quarantined.Increment();
  spdlog::error(
      "worker {} fails one run after another: it is quarantined, and its failures count against no "
      "run; `sweepctl get workers` says which they were, `sweepctl workers uncordon` ends it",
      worker);
}

// A waiting LeaseRuns call: memory, but neither thread nor connection.
class LeaseReactor final : public grpc::ServerUnaryReactor {
 public:
  LeaseReactor(grpc::CallbackServerContext* context, Matcher& matcher,
               const DispatchSettings& settings, Counters& counters,
               const v1::LeaseRunsRequest& request, absl::Time deadline,
               v1::LeaseRunsResponse* response)
      : context_(context), matcher_(matcher) {
    Demand demand{request.worker_id(),         request.incarnation(),
                  request.request_id(),        static_cast<int>(request.max_runs()),
                  request.free_memory_bytes(), request.prefer_shape_key()};
    ticket_ = matcher.Wait(
        std::move(demand), deadline,
        [this, &settings, &counters, response,
         start = absl::Now()](absl::StatusOr<Claimed> claimed) {
          absl::Status status = claimed.status();
          if (claimed.ok()) {
            for (const Grant& grant : claimed->grants) keys_.push_back(grant.key);
            status = FillLeases(*claimed, settings, *response);
          }
          delivered_ = status.ok();
          if (!keys_.empty()) {
            counters.lease_wait_seconds.Observe(absl::ToDoubleSeconds(absl::Now() - start));
          }
          Finish(gridsweep::ToGrpc(status));
        });
  }

  void OnCancel() override { matcher_.Cancel(ticket_); }
  void OnDone() override {
    if (!delivered_ || context_->IsCancelled()) matcher_.Release(keys_);
    delete this;
  }

 private:
  grpc::CallbackServerContext* const context_;
  Matcher& matcher_;
  uint64_t ticket_ = 0;
  std::vector<LeaseKey> keys_;
  bool delivered_ = false;
};

}  // namespace

grpc::ServerUnaryReactor* DispatchService::Register(grpc::CallbackServerContext* context,
                                                    const v1::RegisterRequest* request,
                                                    v1::RegisterResponse* response) {
  if (absl::Status status = CheckIntroduction(*request); !status.ok()) {
    return Refuse(context, status);
  }
  return AnswerIn(
      parts_.lanes.dispatch, context,
      [this, request, response](Database& database) -> absl::Status {
        ASSIGN_OR_RETURN(
            const Registered registered,
            RegisterWorker(database, *request, settings_.failures,
                           [this](int64_t run_id) { return parts_.board.LogTail(run_id); }));
        parts_.counters.Ended(registered.ended);
        for (const EndedLease& ended : registered.ended) {
          parts_.board.Forget(ended.run_id);
        }
        TellOfEnded(registered.ended, registered.quarantined);
        if (registered.quarantined) TellOfQuarantine(request->name(), parts_.counters);
        response->set_worker_id(registered.worker_id);
        *response->mutable_heartbeat_interval() = gridsweep::ToProto(settings_.heartbeat_interval);
        *response->mutable_lease_ttl() = gridsweep::ToProto(settings_.lease_ttl);
        response->set_max_artifact_bytes(settings_.max_artifact_bytes);
        spdlog::info("worker {} registered from {} with {} slots", request->name(), request->host(),
                     request->slots());
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* DispatchService::LeaseRuns(grpc::CallbackServerContext* context,
                                                     const v1::LeaseRunsRequest* request,
                                                     v1::LeaseRunsResponse* response) {
  if (request->max_runs() < 1 || request->max_runs() > 64) {
    return Refuse(context, InvalidField("max_runs", StrCat(request->max_runs(), ": 1 to 64")));
  }
  if (request->request_id().size() != 16) {
    return Refuse(context, InvalidField("request_id", "must have 16 bytes"));
  }
  const absl::Duration wait = FromProto(request->max_wait());
  const absl::Time deadline =
      absl::Now() + std::clamp(wait, absl::ZeroDuration(), kLongestPoll) + absl::Milliseconds(1);
  return new LeaseReactor(context, parts_.matcher, settings_, parts_.counters, *request, deadline,
                          response);
}

absl::Status DispatchService::EndStuck(Database& database, const v1::LeaseProgress& progress,
                                       absl::Duration idle) {
  const int64_t run_id = progress.ref().run_id();
  const std::string why =
      StrCat("stuck: no progress in ", v1::Phase_Name(progress.phase()), " at step ",
             progress.step(), " (", progress.phase_done(), " of the phase done) for ",
             absl::FormatDuration(absl::Trunc(idle, absl::Milliseconds(100))));
  const auto failed = FailLease(database, KeyOf(progress.ref()), why, parts_.board.LogTail(run_id),
                                settings_.failures);
  if (IsLeaseLost(failed.status())) return absl::OkStatus();  // somebody else was quicker
  RETURN_IF_ERROR(failed.status());
  {
    const LogContext run(run_id, progress.ref().attempt(),
                         failed->ended.empty() ? "" : failed->ended[0].worker);
    spdlog::warn("run {}: {}", run_id, why);
  }
  parts_.counters.Ended(failed->ended);
  if (!failed->quarantined.empty()) TellOfQuarantine(failed->quarantined, parts_.counters);
  parts_.board.Forget(run_id);
  TellOfEnded(failed->ended, !failed->quarantined.empty());
  return absl::OkStatus();
}

void DispatchService::TellOfEnded(const std::vector<EndedLease>& ended, bool quarantined) {
  // Quarantine gives back runs of other sweeps, too.
  if (!ended.empty()) parts_.work_appeared(quarantined ? NewWork{.anywhere = true} : WorkOf(ended));
}

absl::Status DispatchService::DoHeartbeat(Database& database, const v1::HeartbeatRequest& request,
                                          v1::HeartbeatResponse& response) {
  std::vector<Renewal> renewals;
  std::vector<std::string> reported;
  for (const v1::LeaseProgress& progress : request.held()) {
    Renewal renewal{KeyOf(progress.ref()), {}};
    for (const v1::CurvePoint& point : progress.points()) {
      if (renewal.points.size() < kMostPointsABeat) renewal.points.push_back(point);
    }
    renewals.push_back(std::move(renewal));
    reported.push_back(progress.ref().token());
  }
  const bool look_for_left_out =
      left_out_.Due(request.worker_id(), absl::Now(), settings_.heartbeat_interval / 2);
  ASSIGN_OR_RETURN(const Renewed renewed,
                   RenewLeases(database, request.worker_id(), request.incarnation(), renewals,
                               settings_.lease_ttl, /*full=*/look_for_left_out));
  std::map<std::string, const HeldLease*> held;
  std::vector<std::string> tokens;
  for (const HeldLease& lease : renewed.held) {
    held[lease.key.token] = &lease;
    tokens.push_back(lease.key.token);
  }
  const auto now = std::chrono::steady_clock::now();
  for (const v1::LeaseProgress& progress : request.held()) {
    v1::Verdict& verdict = *response.add_verdicts();
    verdict.set_run_id(progress.ref().run_id());
    const auto found = held.find(progress.ref().token());
    if (found == held.end() || found->second->key.run_id != progress.ref().run_id()) {
      verdict.set_kind(v1::Verdict::KIND_LOST);
      continue;
    }
    parts_.board.Report(progress);
    const auto idle = stuck_watch_.Observe(request.worker_id(), progress, request.beats(), now);
    if (idle && !found->second->cancelling) {
      RETURN_IF_ERROR(EndStuck(database, progress, *idle));
      verdict.set_kind(v1::Verdict::KIND_LOST);
      continue;
    }
    verdict.set_kind(found->second->cancelling ? v1::Verdict::KIND_CANCEL
                     : renewed.releasing       ? v1::Verdict::KIND_CHECKPOINT_AND_RELEASE
                                               : v1::Verdict::KIND_CONTINUE);
  }
  stuck_watch_.KeepOnly(request.worker_id(), now);
  std::vector<LeaseKey> forgotten;
  if (look_for_left_out) {
    for (const std::string& token : left_out_.Observe(request.worker_id(), tokens, reported)) {
      forgotten.push_back(held.at(token)->key);
    }
  }
  if (!forgotten.empty()) {
    ASSIGN_OR_RETURN(const auto released,
                     ReleaseLeases(database, forgotten, "two heartbeats left the run out"));
    parts_.counters.Ended(released);
    for (const EndedLease& ended : released) parts_.board.Forget(ended.run_id);
    parts_.work_appeared(WorkOf(released));
  }
  response.set_directive(renewed.directive);
  *response.mutable_next() = gridsweep::ToProto(settings_.heartbeat_interval);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* DispatchService::Heartbeat(grpc::CallbackServerContext* context,
                                                     const v1::HeartbeatRequest* request,
                                                     v1::HeartbeatResponse* response) {
  if (absl::Status status = CheckHeartbeat(*request); !status.ok()) return Refuse(context, status);
  return AnswerIn(parts_.lanes.heartbeat, context, [this, request, response](Database& database) {
    return DoHeartbeat(database, *request, *response);
  });
}

grpc::ServerReadReactor<v1::UploadArtifactRequest>* DispatchService::UploadArtifact(
    grpc::CallbackServerContext* context, v1::UploadArtifactResponse* response) {
  return NewUpload(parts_, settings_, uploads_, context, response);
}

grpc::ServerUnaryReactor* DispatchService::FindUpload(grpc::CallbackServerContext* context,
                                                      const v1::FindUploadRequest* request,
                                                      v1::FindUploadResponse* response) {
  absl::Status status = CheckRef("ref", request->ref());
  if (status.ok()) status = CheckSha256("sha256", request->sha256());
  if (!status.ok()) return Refuse(context, WithVerdict(status));
  return AnswerIn(parts_.lanes.upload, context, [this, request, response](Database& database) {
    RETURN_IF_ERROR(CheckLease(database, KeyOf(request->ref())));
    response->set_received(
        parts_.artifacts.PartialSize({request->ref().token(), request->sha256()}));
    return absl::OkStatus();
  });
}

grpc::ServerReadReactor<v1::CompleteRunRequest>* DispatchService::CompleteRun(
    grpc::CallbackServerContext* context, v1::CompleteRunResponse* response) {
  return NewCompletion(parts_, settings_, buffered_, context, response);
}

grpc::ServerReadReactor<v1::SaveCheckpointRequest>* DispatchService::SaveCheckpoint(
    grpc::CallbackServerContext* context, v1::SaveCheckpointResponse* response) {
  return NewCheckpointUpload(parts_, settings_, uploads_, context, response);
}

grpc::ServerWriteReactor<v1::LoadCheckpointResponse>* DispatchService::LoadCheckpoint(
    grpc::CallbackServerContext* context, const v1::LoadCheckpointRequest* request) {
  return NewCheckpointDownload(parts_, settings_, context, *request);
}

grpc::ServerUnaryReactor* DispatchService::FailRun(grpc::CallbackServerContext* context,
                                                   const v1::FailRunRequest* request,
                                                   v1::FailRunResponse* response) {
  if (absl::Status status = CheckFailure(*request); !status.ok()) {
    return Refuse(context, WithVerdict(status));
  }
  return AnswerIn(parts_.lanes.dispatch, context,
                  [this, request, response](Database& database) -> absl::Status {
                    ASSIGN_OR_RETURN(
                        const Failed failed,
                        FailLease(database, KeyOf(request->ref()), StartOfError(request->error()),
                                  EndOfLog(request->log_tail()), settings_.failures));
                    parts_.board.Forget(request->ref().run_id());
                    response->set_state(coordinator::ToProto(failed.state));
                    parts_.counters.Ended(failed.ended);
                    if (!failed.quarantined.empty()) {
                      TellOfQuarantine(failed.quarantined, parts_.counters);
                    }
                    TellOfEnded(failed.ended, !failed.quarantined.empty());
                    return absl::OkStatus();
                  });
}

grpc::ServerUnaryReactor* DispatchService::ReleaseRuns(grpc::CallbackServerContext* context,
                                                       const v1::ReleaseRunsRequest* request,
                                                       v1::ReleaseRunsResponse* response) {
  std::vector<LeaseKey> keys;
  for (int i = 0; i < request->refs_size(); ++i) {
    if (absl::Status status = CheckRef(StrCat("refs[", i, "]"), request->refs(i)); !status.ok()) {
      return Refuse(context, WithVerdict(status));
    }
    keys.push_back(KeyOf(request->refs(i)));
  }
  static constexpr const char* kReasons[] = {"", "the worker drains", "the worker was preempted",
                                             "the worker is idle"};
  const char* why =
      request->reason() >= 0 && request->reason() < 4 ? kReasons[request->reason()] : "";
  return AnswerIn(parts_.lanes.dispatch, context,
                  [this, keys, why, response](Database& database) -> absl::Status {
                    ASSIGN_OR_RETURN(const auto released, ReleaseLeases(database, keys, why));
                    parts_.counters.Ended(released);
                    for (const EndedLease& ended : released) parts_.board.Forget(ended.run_id);
                    response->set_released(static_cast<uint32_t>(released.size()));
                    if (!released.empty()) parts_.work_appeared(WorkOf(released));
                    return absl::OkStatus();
                  });
}

}  // namespace gridsweep::coordinator
