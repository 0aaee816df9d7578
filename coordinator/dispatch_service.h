// DispatchService: what workers call.
#pragma once

#include <absl/time/time.h>

#include <functional>

#include "common/artifact_store.h"
#include "common/byte_budget.h"
#include "coordinator/lane.h"
#include "coordinator/matcher.h"
#include "coordinator/progress_board.h"
#include "coordinator/store/leases.h"
#include "coordinator/stuck_watch.h"
#include "gridsweep/v1/dispatch.grpc.pb.h"
#include "hdf5/reader.h"

namespace gridsweep::coordinator {

struct DispatchSettings {
  absl::Duration lease_ttl = absl::Seconds(60);
  absl::Duration heartbeat_interval = absl::Seconds(15);
  FailurePolicy failures;
  StuckLimits stuck;
  absl::Duration checkpoint_interval = absl::Minutes(5);  // where the sweep has none
  uint64_t max_artifact_bytes = uint64_t{1} << 30;
  uint64_t max_checkpoint_bytes = uint64_t{1} << 32;
  size_t max_completion_bytes = size_t{64} << 20;     // of one CompleteRun stream, in memory
  size_t max_buffered_bytes = size_t{128} << 20;      // of all of them together
  size_t max_uploads = 32;                            // files on their way at a time
  absl::Duration longest_silence = absl::Minutes(1);  // of a client in the middle of a stream
};

// What the service works with; all of it outlives the service.
struct DispatchParts {
  Lanes& lanes;
  Matcher& matcher;
  ProgressBoard& board;
  ArtifactStore& artifacts;
  Counters& counters;
  WorkAppeared work_appeared;  // there may be claimable runs; any thread
  hdf5::Reader* reader;        // checks files; nullptr: they are taken as they come
};

class DispatchService final : public v1::DispatchService::CallbackService {
 public:
  DispatchService(DispatchParts parts, DispatchSettings settings)
      : parts_(std::move(parts)),
        settings_(settings),
        buffered_(settings.max_buffered_bytes),
        uploads_(settings.max_uploads),
        stuck_watch_(settings.stuck, 2 * settings.heartbeat_interval) {}

  grpc::ServerUnaryReactor* Register(grpc::CallbackServerContext*, const v1::RegisterRequest*,
                                     v1::RegisterResponse*) override;
  grpc::ServerUnaryReactor* LeaseRuns(grpc::CallbackServerContext*, const v1::LeaseRunsRequest*,
                                      v1::LeaseRunsResponse*) override;
  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext*, const v1::HeartbeatRequest*,
                                      v1::HeartbeatResponse*) override;
  grpc::ServerReadReactor<v1::UploadArtifactRequest>* UploadArtifact(
      grpc::CallbackServerContext*, v1::UploadArtifactResponse*) override;
  grpc::ServerUnaryReactor* FindUpload(grpc::CallbackServerContext*, const v1::FindUploadRequest*,
                                       v1::FindUploadResponse*) override;
  grpc::ServerReadReactor<v1::CompleteRunRequest>* CompleteRun(grpc::CallbackServerContext*,
                                                               v1::CompleteRunResponse*) override;
  grpc::ServerUnaryReactor* FailRun(grpc::CallbackServerContext*, const v1::FailRunRequest*,
                                    v1::FailRunResponse*) override;
  grpc::ServerUnaryReactor* ReleaseRuns(grpc::CallbackServerContext*, const v1::ReleaseRunsRequest*,
                                        v1::ReleaseRunsResponse*) override;
  grpc::ServerReadReactor<v1::SaveCheckpointRequest>* SaveCheckpoint(
      grpc::CallbackServerContext*, v1::SaveCheckpointResponse*) override;
  grpc::ServerWriteReactor<v1::LoadCheckpointResponse>* LoadCheckpoint(
      grpc::CallbackServerContext*, const v1::LoadCheckpointRequest*) override;

 private:
  absl::Status DoHeartbeat(Database& database, const v1::HeartbeatRequest& request,
                           v1::HeartbeatResponse& response);
  // Ends the lease of a run that has not advanced for `idle`, as a failure.
  absl::Status EndStuck(Database& database, const v1::LeaseProgress& progress, absl::Duration idle);
  // That runs may wait again, and limited sweeps have room.
  void TellOfEnded(const std::vector<EndedLease>& ended, bool quarantined);

  const DispatchParts parts_;
  const DispatchSettings settings_;
  ByteBudget buffered_;
  ByteBudget uploads_;  // counts calls
  LeftOut left_out_;
  StuckWatch stuck_watch_;
};

// The streams, each in a file of its own. They delete themselves.
grpc::ServerReadReactor<v1::UploadArtifactRequest>* NewUpload(const DispatchParts& parts,
                                                              const DispatchSettings& settings,
                                                              ByteBudget& places,
                                                              grpc::CallbackServerContext* context,
                                                              v1::UploadArtifactResponse* response);
grpc::ServerReadReactor<v1::SaveCheckpointRequest>* NewCheckpointUpload(
    const DispatchParts& parts, const DispatchSettings& settings, ByteBudget& places,
    grpc::CallbackServerContext* context, v1::SaveCheckpointResponse* response);
grpc::ServerWriteReactor<v1::LoadCheckpointResponse>* NewCheckpointDownload(
    const DispatchParts& parts, const DispatchSettings& settings,
    grpc::CallbackServerContext* context, const v1::LoadCheckpointRequest& request);
grpc::ServerReadReactor<v1::CompleteRunRequest>* NewCompletion(const DispatchParts& parts,
                                                               const DispatchSettings& settings,
                                                               ByteBudget& buffered,
                                                               grpc::CallbackServerContext* context,
                                                               v1::CompleteRunResponse* response);

}  // namespace gridsweep::coordinator
