// The worker's side of DispatchService: deadlines, retries, chunks and blocks.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "common/mutex.h"
#include "gridsweep/v1/dispatch.grpc.pb.h"
#include "worker/run_result.h"

namespace gridsweep::worker {

// Every method may be called from any thread, and waits for its answer.
//
// Transient failures (no coordinator, no answer in time, a full server) are
// tried again, with growing, jittered pauses and the same request, until they
// succeed or are no longer `wanted`; so is UNAUTHENTICATED once this worker
// has registered: its token has expired, and may be replaced. All writes carry a request id or the
// lease's token, so that a repeat is harmless. Other failures come back as
// they are. A call that was given up, here or by StopLeasing or Abort,
// returns CANCELLED.
class DispatchClient {
 public:
  using Wanted = std::function<bool()>;
  explicit DispatchClient(const std::shared_ptr<grpc::Channel>& channel);

  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request,
                                                const Wanted& wanted);
  // Also ends when StopLeasing is called.
  absl::StatusOr<v1::LeaseRunsResponse> LeaseRuns(const v1::LeaseRunsRequest& request);
  // One attempt: the next heartbeat says more than a repeat of this one.
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request,
                                                  absl::Duration deadline);
  // Sends `bytes` in chunks of 1 MiB; `on_chunk` hears how many are under way.
  absl::Status UploadArtifact(const v1::LeaseRef& ref, const std::string& bytes,
                              const std::string& sha256,
                              const std::function<void(uint64_t chunks)>& on_chunk,
                              const Wanted& wanted);
  // Sends `header`, then `units` in blocks of at most 4096 units.
  absl::StatusOr<v1::CompleteRunResponse> CompleteRun(const v1::CompleteRunRequest::Header& header,
                                                      const std::vector<UnitColumn>& units,
                                                      const Wanted& wanted);
  absl::StatusOr<v1::FailRunResponse> FailRun(const v1::FailRunRequest& request,
                                              const Wanted& wanted);
  // Sends a checkpoint in chunks of 1 MiB. One attempt: training is not to wait for an outage.
  absl::Status SaveCheckpoint(const v1::LeaseRef& ref, const v1::CheckpointRef& checkpoint,
                              const std::string& bytes, const Wanted& wanted);
  // Errors: DATA_LOSS when what arrives is not what `checkpoint` says.
  absl::StatusOr<std::string> LoadCheckpoint(const v1::LeaseRef& ref,
                                             const v1::CheckpointRef& checkpoint,
                                             const Wanted& wanted);
  // One attempt of at most `deadline`, also after Abort: for the way out.
  absl::Status ReleaseRuns(const v1::ReleaseRunsRequest& request, absl::Duration deadline);

  // Ends LeaseRuns in flight and to come.
  void StopLeasing() LOCKS_EXCLUDED(mutex_);
  // Ends all calls in flight and to come, ReleaseRuns excepted.
  void Abort() LOCKS_EXCLUDED(mutex_);

 private:
  class Call;
  absl::Status Retry(const Wanted& wanted, bool leasing, absl::Duration deadline,
                     const std::function<grpc::Status(grpc::ClientContext&)>& attempt);
  bool Stopped(bool leasing) LOCKS_EXCLUDED(mutex_);
  // Waits for `pause`, less when stopped.
  void Pause(absl::Duration pause, bool leasing) LOCKS_EXCLUDED(mutex_);
  double Jitter() LOCKS_EXCLUDED(mutex_);

  std::unique_ptr<v1::DispatchService::Stub> stub_;
  std::atomic<bool> registered_ = false;
  Mutex mutex_;
  CondVar changed_;
  bool stop_leasing_ GUARDED_BY(mutex_) = false;
  bool abort_ GUARDED_BY(mutex_) = false;
  std::map<grpc::ClientContext*, bool> calls_ GUARDED_BY(mutex_);  // in flight: is it LeaseRuns?
  std::minstd_rand random_ GUARDED_BY(mutex_);
};

}  // namespace gridsweep::worker
