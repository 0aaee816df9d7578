// The worker's side of DispatchService: deadlines, retries, chunks and blocks.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "common/mutex.h"
#include "gridsweep/v1/dispatch.grpc.pb.h"
#include "worker/complaints.h"
#include "worker/run_result.h"

namespace gridsweep::worker {

// Every method may be called from any thread, and waits for its answer.
//
// What ends or moves a lease is tried again, with growing, jittered pauses and the same request,
// until it is accepted, no longer `wanted`, or a verdict is passed on it (common/verdict.h): any
// other failure, of whatever code, may be mended. All writes carry a request id or the lease's
// token, so that a repeat is harmless. Register and LeaseRuns try again what is transient (no
// coordinator, no answer in time, a full server), and once this worker has registered
// UNAUTHENTICATED, too: its token has expired, and may be replaced; other failures come back as
// they are. A call that was given up, here or by StopLeasing or Abort, returns CANCELLED.
//
// Streams have no deadline: they live for as long as something moves.
class DispatchClient {
 public:
  using Wanted = std::function<bool()>;
  // How long a result is sent for: until it is accepted, judged or no longer wanted.
  struct Patience {
    Wanted wanted;
    // With it also until an attempt fails, or nothing has moved in one for so long; where the
    // server asks to wait, that is done for so long. The failure then comes back.
    std::optional<absl::Duration> once = std::nullopt;
    // Whether a part of the file may have arrived with an earlier call.
    bool again = false;
  };
  struct Settings {
    absl::Duration stall = absl::Minutes(2);  // a stream in which nothing moves is begun again
  };
  // Whether a call that ended with `status` may succeed later as it is.
  static bool MaySucceedLater(const absl::Status& status);

  // `streams`, for files and results, should be a channel with connections of its own: heartbeats
  // are not to queue behind them. Null: the same.
  explicit DispatchClient(const std::shared_ptr<grpc::Channel>& channel,
                          const std::shared_ptr<grpc::Channel>& streams = nullptr)
      : DispatchClient(channel, streams, Settings()) {}
  DispatchClient(const std::shared_ptr<grpc::Channel>& channel,
                 const std::shared_ptr<grpc::Channel>& streams, Settings settings);

  absl::StatusOr<v1::RegisterResponse> Register(const v1::RegisterRequest& request,
                                                const Wanted& wanted);
  // Also ends when StopLeasing is called.
  absl::StatusOr<v1::LeaseRunsResponse> LeaseRuns(const v1::LeaseRunsRequest& request);
  // One attempt: the next heartbeat says more than a repeat of this one.
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request,
                                                  absl::Duration deadline);
  // Sends `bytes` in chunks of 64 KiB, from where the last attempt stopped; `on_chunk` hears how
  // many are under way.
  absl::Status UploadArtifact(const v1::LeaseRef& ref, const std::string& bytes,
                              const std::string& sha256,
                              const std::function<void(uint64_t chunks)>& on_chunk,
                              const Patience& patience);
  // Sends `header`, then `units` in blocks of at most 512 units.
  absl::StatusOr<v1::CompleteRunResponse> CompleteRun(const v1::CompleteRunRequest::Header& header,
                                                      const std::vector<UnitColumn>& units,
                                                      const Patience& patience);
  absl::StatusOr<v1::FailRunResponse> FailRun(const v1::FailRunRequest& request,
                                              const Patience& patience);
  // Sends a checkpoint in chunks of 64 KiB. One attempt: training is not to wait for an outage.
  // `again`: Patience's.
  absl::Status SaveCheckpoint(const v1::LeaseRef& ref, const v1::CheckpointRef& checkpoint,
                              const std::string& bytes, const Wanted& wanted, bool again = false);
  // From where the last attempt stopped. Errors: DATA_LOSS when what arrives is not what
  // `checkpoint` says, several times over.
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
  using Attempt = std::function<grpc::Status(grpc::ClientContext&)>;
  // What comes back to the caller of Retry.
  enum class Until { kVerdict, kNotTransient };
  absl::Status Retry(const Patience& patience, bool leasing, absl::Duration deadline, Until until,
                     const Attempt& attempt);
  absl::Duration StallOf(const Patience& patience) const;
  // How many bytes of a file have come with streams that broke.
  absl::StatusOr<uint64_t> Received(const v1::LeaseRef& ref, const std::string& sha256)
      LOCKS_EXCLUDED(mutex_);
  bool Stopped(bool leasing) LOCKS_EXCLUDED(mutex_);
  // Waits for `pause`, less when stopped.
  void Pause(absl::Duration pause, bool leasing) LOCKS_EXCLUDED(mutex_);
  double Jitter() LOCKS_EXCLUDED(mutex_);

  const Settings settings_;
  std::unique_ptr<v1::DispatchService::Stub> stub_;
  std::unique_ptr<v1::DispatchService::Stub> streams_;
  Complaints complaints_;
  std::atomic<bool> registered_ = false;
  Mutex mutex_;
  CondVar changed_;
  bool stop_leasing_ GUARDED_BY(mutex_) = false;
  bool abort_ GUARDED_BY(mutex_) = false;
  std::map<grpc::ClientContext*, bool> calls_ GUARDED_BY(mutex_);  // in flight: is it LeaseRuns?
  std::minstd_rand random_ GUARDED_BY(mutex_);
};

}  // namespace gridsweep::worker
