// SweepService: what users call.
#pragma once

#include "common/token_gate.h"
#include "coordinator/lane.h"
#include "coordinator/log_hub.h"
#include "coordinator/progress_board.h"
#include "coordinator/store/claims.h"
#include "coordinator/store/lifecycle.h"
#include "coordinator/watch_hub.h"
#include "gridsweep/v1/sweep.grpc.pb.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::coordinator {

// What submitters may do where tokens are asked for; admins are bound by none of it.
struct SubmitterRules {
  bool shared_sweeps = false;  // change sweeps that others submitted
  Quota quota = {.sweeps = 10'000, .runs = 10'000'000, .bytes = 0};  // a token name's
};

class SweepService final : public v1::SweepService::CallbackService {
 public:
  // All outlive the service. `expand` is where sweeps are validated and created: once it is
  // hurried, expansions end UNAVAILABLE. `work_appeared` is called when there may be claimable
  // runs. `gate` may be null: nobody has a name then.
  SweepService(Lane& lane, Lane& expand, const ProgressBoard& board, WatchHub& hub, LogHub& logs,
               Counters& counters, WorkAppeared work_appeared, const TokenGate* gate,
               const SubmitterRules& rules = {})
      : lane_(lane),
        expand_(expand),
        board_(board),
        hub_(hub),
        logs_(logs),
        counters_(counters),
        work_appeared_(std::move(work_appeared)),
        gate_(gate),
        rules_(rules) {}

  grpc::ServerUnaryReactor* CreateSweep(grpc::CallbackServerContext*, const v1::CreateSweepRequest*,
                                        v1::CreateSweepResponse*) override;
  grpc::ServerUnaryReactor* ValidateSweep(grpc::CallbackServerContext*,
                                          const v1::ValidateSweepRequest*,
                                          v1::ValidateSweepResponse*) override;
  grpc::ServerUnaryReactor* GetSweep(grpc::CallbackServerContext*, const v1::GetSweepRequest*,
                                     v1::GetSweepResponse*) override;
  grpc::ServerUnaryReactor* ListSweeps(grpc::CallbackServerContext*, const v1::ListSweepsRequest*,
                                       v1::ListSweepsResponse*) override;
  // In sweep_lifecycle.cc.
  grpc::ServerUnaryReactor* PauseSweep(grpc::CallbackServerContext*, const v1::PauseSweepRequest*,
                                       v1::PauseSweepResponse*) override;
  grpc::ServerUnaryReactor* ResumeSweep(grpc::CallbackServerContext*, const v1::ResumeSweepRequest*,
                                        v1::ResumeSweepResponse*) override;
  grpc::ServerUnaryReactor* StopSweep(grpc::CallbackServerContext*, const v1::StopSweepRequest*,
                                      v1::StopSweepResponse*) override;
  grpc::ServerUnaryReactor* CancelSweep(grpc::CallbackServerContext*, const v1::CancelSweepRequest*,
                                        v1::CancelSweepResponse*) override;
  grpc::ServerUnaryReactor* RetrySweep(grpc::CallbackServerContext*, const v1::RetrySweepRequest*,
                                       v1::RetrySweepResponse*) override;
  grpc::ServerUnaryReactor* DeleteSweep(grpc::CallbackServerContext*, const v1::DeleteSweepRequest*,
                                        v1::DeleteSweepResponse*) override;
  grpc::ServerWriteReactor<v1::WatchSweepResponse>* WatchSweep(
      grpc::CallbackServerContext*, const v1::WatchSweepRequest*) override;
  grpc::ServerUnaryReactor* ListRuns(grpc::CallbackServerContext*, const v1::ListRunsRequest*,
                                     v1::ListRunsResponse*) override;
  grpc::ServerUnaryReactor* GetRun(grpc::CallbackServerContext*, const v1::GetRunRequest*,
                                   v1::GetRunResponse*) override;
  grpc::ServerWriteReactor<v1::StreamLogsResponse>* StreamLogs(
      grpc::CallbackServerContext*, const v1::StreamLogsRequest*) override;

 private:
  // What the caller may change.
  OwnSweeps OwnOf(const grpc::ServerContextBase& context) const;
  // `T` is CreateSweepRequest or ValidateSweepRequest; the first `keep_runs` runs are kept. An
  // error where the call has gone, the lane is hurried or memory ran out; faults of the sweep are
  // in the result.
  template <typename T>
  absl::StatusOr<sweepspec::ExpandResult> Expand(const grpc::CallbackServerContext& context,
                                                 const T& request, uint64_t keep_runs);

  Lane& lane_;
  Lane& expand_;
  const ProgressBoard& board_;
  WatchHub& hub_;
  LogHub& logs_;
  Counters& counters_;
  const WorkAppeared work_appeared_;
  const TokenGate* const gate_;
  const SubmitterRules rules_;
};

}  // namespace gridsweep::coordinator
