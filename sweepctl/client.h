// Channels and stubs of the two servers, and unary calls with a deadline.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "common/status.h"
#include "gridsweep/v1/admin.grpc.pb.h"
#include "gridsweep/v1/analysis.grpc.pb.h"
#include "gridsweep/v1/sweep.grpc.pb.h"
#include "sweepctl/config.h"
#include "sweepctl/console.h"

namespace gridsweep::sweepctl {

enum class Server { kCoordinator, kAnalysis };

class Client {
 public:
  Client(const Settings& settings, Console& console, bool verbose);

  v1::SweepService::Stub& sweeps() { return *sweeps_; }
  v1::AdminService::Stub& admin() { return *admin_; }
  v1::AnalysisService::Stub& analysis() { return *analysis_; }
  const std::shared_ptr<grpc::Channel>& channel(Server server) const {
    return server == Server::kCoordinator ? coordinator_channel_ : analysis_channel_;
  }

  // One unary call: client.Call(client.sweeps(), &v1::SweepService::Stub::GetSweep, request).
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(
      Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
      const Request& request, absl::Duration deadline = absl::Seconds(30)) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
    const absl::Time start = absl::Now();
    Response response;
    const absl::Status status = FromGrpc((stub.*method)(&context, request, &response));
    Trace(std::string(Request::descriptor()->name()), start, status);
    if (!status.ok()) return Explain(status, ServerOf(stub));
    return response;
  }

  // Makes an error of a call one that says what to do next. Fields of the request are named by
  // the flags that set them, or as they are where `by_flags` is false.
  absl::Status Explain(const absl::Status& status, Server server, bool by_flags = true) const;
  // With --verbose, says on stderr what was called, how it ended, how long it took.
  void Trace(const std::string& request, absl::Time start, const absl::Status& status) const;

  // A sweep by id, or the newest of that name. NOT_FOUND where there is none.
  absl::StatusOr<v1::Sweep> FindSweep(const std::string& id_or_name);
  // Ids for a selection; each entry may be a comma-separated list.
  absl::StatusOr<std::vector<int64_t>> SweepIds(const std::vector<std::string>& ids_or_names);

 private:
  static Server ServerOf(const v1::AnalysisService::Stub&) { return Server::kAnalysis; }
  template <typename Stub>
  static Server ServerOf(const Stub&) {
    return Server::kCoordinator;
  }

  Settings settings_;
  Console& console_;
  bool verbose_;
  std::shared_ptr<grpc::Channel> coordinator_channel_, analysis_channel_;
  std::unique_ptr<v1::SweepService::Stub> sweeps_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
  std::unique_ptr<v1::AnalysisService::Stub> analysis_;
};

// A whole number > 0 that fits int64, or nothing.
std::optional<int64_t> ParseId(const std::string& text);

}  // namespace gridsweep::sweepctl
