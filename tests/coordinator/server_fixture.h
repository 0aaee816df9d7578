// A coordinator in this process, on a unix socket, with a database of its own.
#pragma once

#include <gtest/gtest.h>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/rpc.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "coordinator/coordinator.h"
#include "gridsweep/v1/admin.grpc.pb.h"
#include "science/config/run_config.h"
#include "tests/support/postgres.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::coordinator {

inline constexpr int kNg = 4;

class ServerTest : public ::testing::Test {
 protected:
  ServerTest()
      : directory_(temporary_.path()), conninfo_(testing::CreateDatabase()), db_({conninfo_}) {}

  void Start() { Start(conninfo_); }
  void Start(const std::string& conninfo) {
    options_.listen = listen_.empty() ? "unix:" + directory_ + "/socket" : listen_;
    options_.database = conninfo;
    options_.artifacts = directory_ + "/artifacts";
    auto coordinator = Coordinator::Start(options_);
    ASSERT_TRUE(coordinator.ok()) << coordinator.status();
    coordinator_ = *std::move(coordinator);
    const auto channel = Dial(coordinator_->address());
    sweeps_ = v1::SweepService::NewStub(channel);
    dispatch_ = v1::DispatchService::NewStub(channel);
    admin_ = v1::AdminService::NewStub(channel);
  }
  void SetUp() override { Start(); }

  static v1::CreateSweepRequest SpecOf(int seeds) {
    v1::CreateSweepRequest request;
    auto& spec = *request.mutable_spec();
    spec.set_name("served");
    spec.mutable_base()->set_place_field_values("gaussian");
    spec.mutable_base()->set_ng(kNg);
    spec.mutable_base()->set_np(8);
    spec.set_seeds(seeds);
    return request;
  }
  v1::Sweep Create(int seeds) {
    v1::CreateSweepResponse response;
    grpc::ClientContext context;
    const auto status = sweeps_->CreateSweep(&context, SpecOf(seeds), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.sweep();
  }

  struct TestWorker {
    int64_t id;
    std::string incarnation;
  };
  TestWorker Register(const std::string& name) {
    v1::RegisterRequest request;
    request.set_name(name);
    request.set_host("here");
    request.set_slots(1);
    request.set_incarnation(RandomBytes(16));
    v1::RegisterResponse response;
    grpc::ClientContext context;
    const auto status = dispatch_->Register(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return {response.worker_id(), request.incarnation()};
  }

  static v1::LeaseRunsRequest Asking(const TestWorker& worker, int runs, int wait_s) {
    v1::LeaseRunsRequest request;
    request.set_worker_id(worker.id);
    request.set_incarnation(worker.incarnation);
    request.set_request_id(RandomBytes(16));
    request.set_max_runs(runs);
    request.mutable_max_wait()->set_seconds(wait_s);
    return request;
  }
  std::vector<v1::Lease> Lease(const TestWorker& worker, int runs, int wait_s = 0) {
    v1::LeaseRunsResponse response;
    grpc::ClientContext context;
    const auto status = dispatch_->LeaseRuns(&context, Asking(worker, runs, wait_s), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return {response.leases().begin(), response.leases().end()};
  }

  v1::HeartbeatResponse Beat(const TestWorker& worker, const std::vector<v1::Lease>& held,
                             uint64_t step = 0, const std::vector<std::string>& log = {}) {
    v1::HeartbeatRequest request;
    request.set_worker_id(worker.id);
    request.set_incarnation(worker.incarnation);
    for (const v1::Lease& lease : held) {
      auto& progress = *request.add_held();
      for (const std::string& line : log) progress.add_log_lines(line);
      *progress.mutable_ref() = lease.ref();
      progress.set_phase(v1::PHASE_TRAINING);
      progress.set_step(step);
      progress.set_loss(0.5);
    }
    v1::HeartbeatResponse response;
    grpc::ClientContext context;
    const auto status = dispatch_->Heartbeat(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  grpc::Status Upload(const v1::Lease& lease, const std::string& bytes, const std::string& sha,
                      bool* already = nullptr) {
    v1::UploadArtifactResponse response;
    grpc::ClientContext context;
    const auto stream = dispatch_->UploadArtifact(&context, &response);
    v1::UploadArtifactRequest request;
    *request.mutable_header()->mutable_ref() = lease.ref();
    request.mutable_header()->set_sha256(sha);
    request.mutable_header()->set_size(bytes.size());
    request.mutable_header()->set_kind("result");
    bool open = stream->Write(request);
    for (size_t at = 0; open && at < bytes.size(); at += 1 << 20) {
      request.set_chunk(bytes.substr(at, 1 << 20));
      open = stream->Write(request);
    }
    stream->WritesDone();
    const grpc::Status status = stream->Finish();
    if (already != nullptr) *already = response.already_stored();
    return status;
  }

  grpc::Status Save(const v1::Lease& lease, const std::string& bytes) {
    v1::SaveCheckpointRequest request;
    *request.mutable_header()->mutable_ref() = lease.ref();
    auto& checkpoint = *request.mutable_header()->mutable_checkpoint();
    checkpoint.set_step(1);
    checkpoint.set_size(bytes.size());
    checkpoint.set_sha256(Sha256::Of(bytes));
    checkpoint.set_science_version(science::kScienceVersion);
    v1::SaveCheckpointResponse response;
    grpc::ClientContext context;
    const auto stream = dispatch_->SaveCheckpoint(&context, &response);
    bool open = stream->Write(request);
    for (size_t at = 0; open && at < bytes.size(); at += 1 << 20) {
      request.set_chunk(bytes.substr(at, 1 << 20));
      open = stream->Write(request);
    }
    stream->WritesDone();
    return stream->Finish();
  }

  grpc::Status Complete(const v1::Lease& lease, const std::string& sha, bool* already = nullptr) {
    v1::CompleteRunResponse response;
    grpc::ClientContext context;
    const auto stream = dispatch_->CompleteRun(&context, &response);
    v1::CompleteRunRequest request;
    auto& header = *request.mutable_header();
    *header.mutable_ref() = lease.ref();
    header.set_outcome(v1::OUTCOME_SUCCEEDED);
    header.set_unit_count(kNg);
    header.set_science_version(science::kScienceVersion);
    header.set_steps(
        static_cast<uint64_t>(lease.config().n_epochs() * lease.config().n_grad_steps_per_epoch()));
    header.add_artifacts()->set_sha256(sha);
    stream->Write(request);
    auto& units = *request.mutable_units();
    auto& column = *units.add_columns();
    column.set_metric("grid_score_60");
    for (int i = 0; i < kNg; ++i) column.add_value(0.25 * i);
    stream->Write(request);
    stream->WritesDone();
    const grpc::Status status = stream->Finish();
    if (already != nullptr) *already = response.already_recorded();
    return status;
  }

  int64_t Count(const std::string& sql) {
    const auto value = db_.Transact([&](Transaction& t) -> absl::StatusOr<int64_t> {
      return t.ExecText(sql)[0][0].as<int64_t>();
    });
    EXPECT_TRUE(value.ok()) << sql << ": " << value.status();
    return value.value_or(-1);
  }

  void Query(const std::string& sql) {
    const absl::Status status = db_.Transact([&](Transaction& t) {
      t.ExecText(sql);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << sql << ": " << status;
  }

  // Waits for `condition`; false when it does not come true in `limit`.
  static bool Eventually(const std::function<bool()>& condition,
                         absl::Duration limit = absl::Seconds(10)) {
    const absl::Time deadline = absl::Now() + limit;
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(10));
    }
    return true;
  }

  const testing::TemporaryDirectory temporary_;
  const std::string directory_;
  const std::string conninfo_;
  Database db_;
  std::string listen_;  // "": a unix socket
  Options options_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<v1::SweepService::Stub> sweeps_;
  std::unique_ptr<v1::DispatchService::Stub> dispatch_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

}  // namespace gridsweep::coordinator
