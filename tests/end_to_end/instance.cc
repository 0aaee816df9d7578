#include "tests/end_to_end/instance.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "common/rpc.h"
#include "gridsweep/v1/analysis.grpc.pb.h"
#include "gridsweep/v1/sweep.grpc.pb.h"
#include "tests/support/postgres.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

// Calls `method` until the server answers, or a minute is over.
template <typename Stub, typename Method, typename Request, typename Response>
void WaitFor(Stub& stub, Method method, const Request& request, Response response) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  const grpc::Status status = (stub.*method)(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

}  // namespace

Instance::Instance(const std::vector<std::string>& coordinator_flags)
    : coordinator_flags_(coordinator_flags),
      database_(CreateDatabase()),
      coordinator_address_(Socket("coordinator")),
      analysis_address_(Socket("analysis")) {
  coordinator_ = StartCoordinator(coordinator_address_, "coordinator");
  WaitFor(*v1::SweepService::NewStub(Dial(coordinator_address_)),
          &v1::SweepService::Stub::ListSweeps, v1::ListSweepsRequest(), v1::ListSweepsResponse());
  // After the coordinator, which makes what analysis would wait for.
  analysis_ = std::make_unique<Program>(
      std::vector<std::string>{Binary("gridsweep-analysis"), "--listen", analysis_address_,
                               "--database", database_, "--artifacts", artifacts()},
      Log("analysis"));
  WaitFor(*v1::AnalysisService::NewStub(Dial(analysis_address_)),
          &v1::AnalysisService::Stub::ListMetrics, v1::ListMetricsRequest(),
          v1::ListMetricsResponse());
}

Instance::~Instance() {
  EXPECT_TRUE(analysis_->Running());
  EXPECT_TRUE(coordinator_->Running());
  EXPECT_EQ(analysis_->Terminate(), 0);
  EXPECT_EQ(coordinator_->Terminate(), 0);
  if (::testing::UnitTest::GetInstance()->Failed()) {
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      if (entry.path().extension() != ".log") continue;
      std::printf("== %s\n%s\n", entry.path().filename().c_str(), ReadFile(entry.path()).c_str());
    }
  }
}

std::unique_ptr<Program> Instance::StartCoordinator(const std::string& address,
                                                    const std::string& log,
                                                    const std::vector<std::string>& flags) const {
  std::vector<std::string> words = {Binary("gridsweep-coordinator"),
                                    "--listen",
                                    address,
                                    "--database",
                                    database_,
                                    "--artifacts",
                                    artifacts()};
  words.insert(words.end(), coordinator_flags_.begin(), coordinator_flags_.end());
  words.insert(words.end(), flags.begin(), flags.end());
  return std::make_unique<Program>(words, Log(log));
}

void Instance::KillCoordinator() { EXPECT_TRUE(coordinator_->Kill()); }

void Instance::RestartCoordinator() {
  coordinator_ = StartCoordinator(coordinator_address_, "coordinator");
}

std::unique_ptr<Program> Instance::StartWorker(const std::string& name, int slots,
                                               const std::string& address,
                                               const std::string& log) const {
  return std::make_unique<Program>(
      std::vector<std::string>{Binary("gridsweep-worker"), "--coordinator", address, "--name", name,
                               "--slots", std::to_string(slots), "--spool", directory_ / "spool"},
      Log(log));
}

Ran Instance::Sweepctl(const std::vector<std::string>& arguments) const {
  return RunSweepctl(directory_.path(), coordinator_address_, analysis_address_, arguments);
}

nlohmann::json Instance::Ask(std::vector<std::string> arguments) const {
  arguments.insert(arguments.end(), {"-o", "json"});
  const Ran ran = Sweepctl(arguments);
  EXPECT_EQ(ran.code, 0) << ran.err;
  return ran.code == 0 ? nlohmann::json::parse(ran.out) : nlohmann::json();
}

std::string Instance::Submit(const std::string& yaml) const {
  const fs::path file = directory_ / "sweep.yaml";
  std::ofstream(file) << yaml;
  const Ran ran = Sweepctl({"submit", file, "-o", "name"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return ran.out.substr(0, ran.out.find('\n'));
}

}  // namespace gridsweep::testing
