#include "coordinator/sweep_service.h"

#include <absl/cleanup/cleanup.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <charconv>

#include "common/call_memory.h"
#include "common/http_post.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/strings.h"
#include "coordinator/store/fields.h"
#include "coordinator/store/runs.h"
#include "coordinator/store/sweeps.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kDefaultPage = 100;
constexpr uint32_t kMaxPage = 1000;
constexpr int kShownConfigs = 5;
constexpr int kMaxStates = 100;

// Of everything that decides what is stored; maps in a fixed order.
std::string RequestHash(v1::CreateSweepRequest request) {
  request.clear_request_id();
  request.clear_file_name();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return Sha256::Of(bytes);
}

absl::StatusOr<int> PageSize(uint32_t size) {
  if (size > kMaxPage) return InvalidField("page_size", StrCat(size, ": 1 to ", kMaxPage));
  return size == 0 ? kDefaultPage : static_cast<int>(size);
}

// Page tokens are the last id of the page before; 0 = the first page.
absl::StatusOr<int64_t> PageToken(const std::string& token, const char* field = "page_token") {
  if (token.empty()) return 0;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc() || end != token.data() + token.size() || value <= 0) {
    return InvalidField(field,
                        StrCat("\"", token, "\" is not the next_page_token of a response"));
  }
  return value;
}

}  // namespace

template <typename T>
absl::StatusOr<sweepspec::ExpandResult> SweepService::Expand(
    const grpc::CallbackServerContext& context, const T& request, uint64_t keep_runs) {
  sweepspec::ExpandOptions options;
  if (request.has_runs()) options.runs = request.runs();
  options.keep_runs = keep_runs;
  options.stop = [&](uint64_t steps) {
    counters_.expansion_steps.Increment(static_cast<double>(steps));
    return context.IsCancelled() || expand_.hurried();
  };
  if (!options.stop(0)) {
    sweepspec::ExpandResult result = request.has_spec()
                                         ? sweepspec::ExpandSpec(request.spec(), options)
                                         : sweepspec::ExpandYaml(request.yaml(), options);
    if (result.end == sweepspec::ExpandResult::End::kDone) return result;
    if (result.end == sweepspec::ExpandResult::End::kOutOfMemory) return OutOfMemory();
  }
  if (context.IsCancelled()) return absl::CancelledError("the caller has gone");
  return WithRetryAfter(absl::UnavailableError("the coordinator is shutting down"),
                        absl::Seconds(1));
}

grpc::ServerUnaryReactor* SweepService::CreateSweep(grpc::CallbackServerContext* context,
                                                    const v1::CreateSweepRequest* request,
                                                    v1::CreateSweepResponse* response) {
  if (request->source_case() == v1::CreateSweepRequest::SOURCE_NOT_SET) {
    return Refuse(context, InvalidField("yaml", "give a sweep file's text, or a `spec`"));
  }
  if (request->request_id().size() > 64) {
    return Refuse(context, InvalidField("request_id", "has more than 64 bytes"));
  }
  if (absl::Status status = CheckName("name", request->name(), sweepspec::kMaxNameBytes);
      !status.ok()) {
    return Refuse(context, status);
  }
  if (const std::string fault = HttpUrlFault(request->notify_url());
      !request->notify_url().empty() && !fault.empty()) {
    return Refuse(context, InvalidField("notify_url", fault));
  }
  const auto caller = gate_ == nullptr ? std::nullopt : gate_->CallerOf(*context);
  const Quota quota = caller && caller->role != v1::ROLE_ADMIN ? rules_.quota : Quota();
  const auto create = [this, context, request, response, quota,
                       name = caller ? caller->name : ""](Database& database) -> absl::Status {
    // After all that is large below.
    const auto give_back = absl::MakeCleanup(ReturnFreedMemory);
    ASSIGN_OR_RETURN(sweepspec::ExpandResult expanded, Expand(*context, *request, UINT64_MAX));
    if (!expanded.sweep) return sweepspec::ToStatus(expanded.notices, request->file_name());
    if (!request->notify_url().empty()) {
      expanded.sweep->settings.set_notify_url(request->notify_url());
    }
    const sweepspec::ExpandedSweep& sweep = *expanded.sweep;
    if (sweep.needs_run_count) {
      return InvalidField("runs", "method random needs a number of runs: submit with --runs N");
    }
    if (sweep.runs.empty()) return InvalidField("parameters", "the sweep has no runs");
    NewSweep stored{request->name().empty() ? sweep.name : request->name(),
                    request->request_id(),
                    RequestHash(*request),
                    request->yaml(),
                    &sweep,
                    name,
                    quota};
    ASSIGN_OR_RETURN(CreatedSweep created, coordinator::CreateSweep(database, stored));
    response->set_already_existed(created.already_existed);
    *response->mutable_sweep() = std::move(created.sweep);
    response->mutable_sweep()->clear_source_yaml();
    for (const v1::Notice& notice : expanded.notices) *response->add_notices() = notice;
    if (created.reusable > 0) {
      v1::Notice& notice = *response->add_notices();
      notice.set_severity(v1::Notice::SEVERITY_NOTICE);
      notice.set_path("gridsweep.reuse");
      notice.set_message(StrCat(created.reusable, " of ", sweep.runs.size(),
                                " runs have a result in another sweep, and take that"));
    }
    if (!created.already_existed) {
      spdlog::info("sweep {} \"{}\": {} runs", response->sweep().sweep_id(),
                   response->sweep().name(), sweep.runs.size());
      work_appeared_({.sweeps = {response->sweep().sweep_id()}});
    }
    return absl::OkStatus();
  };
  return AnswerIn(expand_, context, create);
}

grpc::ServerUnaryReactor* SweepService::ValidateSweep(grpc::CallbackServerContext* context,
                                                      const v1::ValidateSweepRequest* request,
                                                      v1::ValidateSweepResponse* response) {
  if (request->source_case() == v1::ValidateSweepRequest::SOURCE_NOT_SET) {
    return Refuse(context, InvalidField("yaml", "give a sweep file's text, or a `spec`"));
  }
  return AnswerIn(expand_, context, [this, context, request, response](Database&) -> absl::Status {
    const auto give_back = absl::MakeCleanup(ReturnFreedMemory);
    ASSIGN_OR_RETURN(sweepspec::ExpandResult expanded, Expand(*context, *request, kShownConfigs));
    for (const v1::Notice& notice : expanded.notices) *response->add_notices() = notice;
    response->set_valid(expanded.sweep.has_value());
    if (!expanded.sweep) return absl::OkStatus();
    const sweepspec::ExpandedSweep& sweep = *expanded.sweep;
    response->set_run_count(sweep.run_count);
    response->set_collapsed(sweep.collapsed);
    response->set_excluded(sweep.excluded);
    response->set_total_flop(sweep.total_flop);
    for (const science::RunConfig& config : sweep.runs) {
      *response->add_first_configs() = sweepspec::ToProto(config);
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* SweepService::GetSweep(grpc::CallbackServerContext* context,
                                                 const v1::GetSweepRequest* request,
                                                 v1::GetSweepResponse* response) {
  if (request->sweep_id() == 0 && request->name().empty()) {
    return Refuse(context, InvalidField("sweep_id", "give sweep_id or name"));
  }
  if (absl::Status status = CheckText("name", request->name()); !status.ok()) {
    return Refuse(context, status);
  }
  return AnswerIn(lane_, context, [request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(*response->mutable_sweep(),
                     request->sweep_id() != 0 ? coordinator::GetSweep(database, request->sweep_id())
                                              : GetSweepByName(database, request->name()));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* SweepService::ListSweeps(grpc::CallbackServerContext* context,
                                                   const v1::ListSweepsRequest* request,
                                                   v1::ListSweepsResponse* response) {
  return AnswerIn(lane_, context, [request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(const int page, PageSize(request->page_size()));
    ASSIGN_OR_RETURN(const int64_t before, PageToken(request->page_token()));
    ASSIGN_OR_RETURN(const auto sweeps, coordinator::ListSweeps(database, before, page + 1));
    for (const v1::Sweep& sweep : sweeps) {
      if (response->sweeps_size() < page) *response->add_sweeps() = sweep;
    }
    if (sweeps.size() > static_cast<size_t>(page)) {
      response->set_next_page_token(
          std::to_string(response->sweeps(response->sweeps_size() - 1).sweep_id()));
    }
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::WatchSweepResponse>* SweepService::WatchSweep(
    grpc::CallbackServerContext* context, const v1::WatchSweepRequest* request) {
  return hub_.Watch(context, request->sweep_id());
}

grpc::ServerUnaryReactor* SweepService::ListRuns(grpc::CallbackServerContext* context,
                                                 const v1::ListRunsRequest* request,
                                                 v1::ListRunsResponse* response) {
  return AnswerIn(lane_, context, [this, request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(const int page, PageSize(request->page_size()));
    ASSIGN_OR_RETURN(const int64_t after, PageToken(request->page_token()));
    std::vector<State> states;
    if (request->states_size() > kMaxStates) {
      return InvalidField("states", StrCat(request->states_size(), " of them; name each once"));
    }
    for (int i = 0; i < request->states_size(); ++i) {
      const v1::RunState state = request->states(i);
      if (state == v1::RUN_STATE_UNSPECIFIED || !v1::RunState_IsValid(state)) {
        return InvalidField(StrCat("states[", i, "]"), "is not a run state");
      }
      states.push_back(static_cast<State>(static_cast<int>(state) - 1));
    }
    ASSIGN_OR_RETURN(const auto runs,
                     coordinator::ListRuns(database, request->sweep_id(), states, after, page + 1));
    for (const v1::Run& run : runs) {
      if (response->runs_size() == page) break;
      v1::Run& added = *response->add_runs();
      added = run;
      if (added.has_progress()) board_.Fill(*added.mutable_progress());
    }
    if (runs.size() > static_cast<size_t>(page)) {
      response->set_next_page_token(
          std::to_string(response->runs(response->runs_size() - 1).run_id()));
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* SweepService::GetRun(grpc::CallbackServerContext* context,
                                               const v1::GetRunRequest* request,
                                               v1::GetRunResponse* response) {
  return AnswerIn(lane_, context, [this, request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(const int64_t after,
                     PageToken(request->attempts_page_token(), "attempts_page_token"));
    ASSIGN_OR_RETURN(*response, coordinator::GetRun(database, request->run_id(), after));
    if (response->run().has_progress()) board_.Fill(*response->mutable_run()->mutable_progress());
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::StreamLogsResponse>* SweepService::StreamLogs(
    grpc::CallbackServerContext* context, const v1::StreamLogsRequest* request) {
  return logs_.Stream(context, request->run_id(), request->follow());
}

}  // namespace gridsweep::coordinator
