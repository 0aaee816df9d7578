// SweepService: what users do to a sweep that is there.
#include "common/log.h"
#include "common/strings.h"
#include "coordinator/sweep_service.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kMostRunIds = 10'000;

absl::StatusOr<std::vector<State>> StatesToRetry(const v1::RetrySweepRequest& request) {
  std::vector<State> states;
  for (int i = 0; i < request.states_size(); ++i) {
    switch (request.states(i)) {
      case v1::RUN_STATE_FAILED:
        states.push_back(State::kFailed);
        break;
      case v1::RUN_STATE_DIVERGED:
        states.push_back(State::kDiverged);
        break;
      case v1::RUN_STATE_CANCELLED:
        states.push_back(State::kCancelled);
        break;
      default:
        return InvalidField(StrCat("states[", i, "]"),
                            StrCat(v1::RunState_Name(request.states(i)),
                                   ": only RUN_STATE_FAILED, RUN_STATE_DIVERGED and "
                                   "RUN_STATE_CANCELLED can be retried"));
    }
  }
  if (states.empty()) states.push_back(State::kFailed);
  return states;
}

}  // namespace

OwnSweeps SweepService::OwnOf(const grpc::ServerContextBase& context) const {
  if (gate_ == nullptr || rules_.shared_sweeps) return std::nullopt;
  const auto caller = gate_->CallerOf(context);
  if (caller && caller->role == v1::ROLE_ADMIN) return std::nullopt;
  return caller ? caller->name : "";  // "": the token has died since the call was let in
}

grpc::ServerUnaryReactor* SweepService::PauseSweep(grpc::CallbackServerContext* context,
                                                   const v1::PauseSweepRequest* request,
                                                   v1::PauseSweepResponse* response) {
  return AnswerIn(lane_, context,
                  [request, response, own = OwnOf(*context)](Database& database) -> absl::Status {
                    ASSIGN_OR_RETURN(const Affected affected,
                                     coordinator::PauseSweep(database, request->sweep_id(), own));
                    response->set_paused(affected.waiting);
                    response->set_leased(affected.leased);
                    return absl::OkStatus();
                  });
}

grpc::ServerUnaryReactor* SweepService::ResumeSweep(grpc::CallbackServerContext* context,
                                                    const v1::ResumeSweepRequest* request,
                                                    v1::ResumeSweepResponse* response) {
  return AnswerIn(
      lane_, context,
      [this, request, response, own = OwnOf(*context)](Database& database) -> absl::Status {
        ASSIGN_OR_RETURN(const int64_t resumed,
                         coordinator::ResumeSweep(database, request->sweep_id(), own));
        response->set_resumed(resumed);
        if (resumed > 0) work_appeared_({.sweeps = {request->sweep_id()}});
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SweepService::StopSweep(grpc::CallbackServerContext* context,
                                                  const v1::StopSweepRequest* request,
                                                  v1::StopSweepResponse* response) {
  return AnswerIn(
      lane_, context,
      [this, request, response, own = OwnOf(*context)](Database& database) -> absl::Status {
        ASSIGN_OR_RETURN(const Affected affected,
                         coordinator::StopSweep(database, request->sweep_id(), own));
        response->set_cancelled(affected.waiting);
        counters_.Cancelled(affected.waiting);
        response->set_leased(affected.leased);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SweepService::CancelSweep(grpc::CallbackServerContext* context,
                                                    const v1::CancelSweepRequest* request,
                                                    v1::CancelSweepResponse* response) {
  return AnswerIn(
      lane_, context,
      [this, request, response, own = OwnOf(*context)](Database& database) -> absl::Status {
        ASSIGN_OR_RETURN(const Affected affected,
                         coordinator::CancelSweep(database, request->sweep_id(), own));
        response->set_cancelled(affected.waiting);
        counters_.Cancelled(affected.waiting);
        response->set_cancelling(affected.leased);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SweepService::RetrySweep(grpc::CallbackServerContext* context,
                                                   const v1::RetrySweepRequest* request,
                                                   v1::RetrySweepResponse* response) {
  const auto states = StatesToRetry(*request);
  if (!states.ok()) return Refuse(context, states.status());
  if (request->run_ids_size() > kMostRunIds) {
    return Refuse(context, InvalidField("run_ids", StrCat("has ", request->run_ids_size(),
                                                          " ids; at most ", kMostRunIds)));
  }
  return AnswerIn(
      lane_, context,
      [this, request, response, states,
       own = OwnOf(*context)](Database& database) -> absl::Status {
        ASSIGN_OR_RETURN(
            const int64_t retried,
            coordinator::RetrySweep(database, request->sweep_id(), *states,
                                    {request->run_ids().begin(), request->run_ids().end()}, own));
        response->set_retried(retried);
        if (retried > 0) {
          spdlog::info("sweep {}: {} runs are retried", request->sweep_id(), retried);
          work_appeared_({.sweeps = {request->sweep_id()}});
        }
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* SweepService::DeleteSweep(grpc::CallbackServerContext* context,
                                                    const v1::DeleteSweepRequest* request,
                                                    v1::DeleteSweepResponse* response) {
  return AnswerIn(lane_, context,
                  [request, response, own = OwnOf(*context)](Database& database) -> absl::Status {
                    ASSIGN_OR_RETURN(const int64_t runs,
                                     coordinator::DeleteSweep(database, request->sweep_id(), own));
                    response->set_runs(runs);
                    spdlog::info("sweep {} of {} runs is deleted", request->sweep_id(), runs);
                    return absl::OkStatus();
                  });
}

}  // namespace gridsweep::coordinator
