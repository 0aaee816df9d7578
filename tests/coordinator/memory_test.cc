// What clients can make the coordinator's process hold.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/rpc.h"
#include "gridsweep/v1/dispatch.grpc.pb.h"
#include "gridsweep/v1/sweep.grpc.pb.h"
#include "tests/support/postgres.h"
#include "tests/support/process_memory.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::coordinator {
namespace {

namespace fs = std::filesystem;
using testing::ProcessMiB;

class CoordinatorMemory : public ::testing::Test {
 protected:
  CoordinatorMemory()
      : program_({testing::Binary("gridsweep-coordinator"), "--listen", "127.0.0.1:0", "--database",
                  testing::CreateDatabase(), "--artifacts", directory_ / "artifacts"},
                 directory_ / "log") {
    const std::string listening = "listening on ";
    EXPECT_TRUE(testing::Within([&] {
      const std::string log = testing::ReadFile(directory_ / "log");
      const size_t at = log.find(listening);
      if (at == std::string::npos || log.find('\n', at) == std::string::npos) return false;
      address_ = log.substr(at + listening.size(), log.find('\n', at) - at - listening.size());
      return true;
    })) << testing::ReadFile(directory_ / "log");
    channel_ = Dial(address_);
    before_ = ProcessMiB(program_.pid(), "VmRSS");
  }
  ~CoordinatorMemory() override {
    EXPECT_EQ(program_.Terminate(), 0);
  }

  int64_t PeakGrowth() const { return ProcessMiB(program_.pid(), "VmHWM") - before_; }
  int64_t Growth() const { return ProcessMiB(program_.pid(), "VmRSS") - before_; }

  const testing::TemporaryDirectory temporary_;
  const fs::path directory_ = temporary_.path();
  testing::Program program_;
  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  int64_t before_ = 0;
};

// All metrics in the last block have a NaN for each unit before it: 8 MB on the wire made 190 MB.
TEST_F(CoordinatorMemory, AResultIsCountedAsItWillBeStored) {
  constexpr int kBlocks = 250, kUnits = 4000;
  const auto stub = v1::DispatchService::NewStub(channel_);
  for (int i = 0; i < 4; ++i) {
    grpc::ClientContext context;
    v1::CompleteRunResponse response;
    const auto stream = stub->CompleteRun(&context, &response);
    v1::CompleteRunRequest request;
    auto& header = *request.mutable_header();
    header.mutable_ref()->set_run_id(1);
    header.mutable_ref()->set_token(std::string(16, 'x'));
    header.set_outcome(v1::OUTCOME_SUCCEEDED);
    header.set_unit_count(kBlocks * kUnits);
    header.set_science_version(1);
    stream->Write(request);
    for (int block = 0; block < kBlocks; ++block) {
      auto& units = *request.mutable_units();
      units.Clear();
      units.set_first_unit(block * kUnits);
      const auto add = [&](const char* metric) {
        auto& column = *units.add_columns();
        column.set_metric(metric);
        column.mutable_value()->Resize(kUnits, 0.5);
      };
      add("grid_score_60");
      if (block == kBlocks - 1) {
        for (const char* metric :
             {"grid_score_90", "grid_score_60_n20", "grid_score_90_n20", "grid_score_60_n32",
              "grid_score_90_n32", "period_bins", "period_error_bins", "orientation_rad",
              "mean_rate", "peak_rate", "spatial_information", "grid_score_60_means",
              "grid_score_60_circle", "orientation_spread_rad", "phase_x", "phase_y", "field_count",
              "border_score"}) {
          add(metric);
        }
      }
      if (!stream->Write(request)) break;
    }
    stream->WritesDone();
    const grpc::Status status = stream->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  }
  EXPECT_LT(PeakGrowth(), 120);
}

std::string Repeated(const std::string& text, size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

// The parser keeps a flow collection whole before it tells of its first value; what it frees, and
// what large files and sweeps take, goes back to the system.
TEST_F(CoordinatorMemory, SweepFilesLeaveNothingBehind) {
  const auto stub = v1::SweepService::NewStub(channel_);
  const std::string head = "method: grid\nparameters: {place_field_values: {value: gaussian}}\n";
  const std::vector<std::string> files = {
      head + "description: " + std::string(2'400'000, '['),
      head + "description: [" + Repeated("[", 200'000) + Repeated("]", 200'000) + "]",
      head + "description: [[" + Repeated("a,", 900'000) + "]]",
      head + "description: [[" + Repeated("a,", 3'000'000) + "]]",
      head + "description: [[" + Repeated("'' ", 1'400'000) + "]]",
      head + "description: [[" + Repeated(": ", 900'000) + "]]",
      head + "description: " + Repeated("{a: ", 400'000),
      "method: grid\nparameters:\n  place_field_values: {value: gaussian}\n"
      "  seed: {min: 0, max: 999999}\n",
  };
  for (int round = 0; round < 2; ++round) {
    for (const std::string& file : files) {
      grpc::ClientContext context;
      v1::ValidateSweepRequest request;
      request.set_yaml(file);
      v1::ValidateSweepResponse response;
      const auto status = stub->ValidateSweep(&context, request, &response);
      EXPECT_TRUE(status.ok()) << file.substr(0, 100) << ": " << status.error_message();
    }
  }
  EXPECT_TRUE(testing::Within([&] { return Growth() < 60; }, std::chrono::seconds(10)))
      << Growth() << " MiB";
  EXPECT_LT(PeakGrowth(), 450);
}

}  // namespace
}  // namespace gridsweep::coordinator
