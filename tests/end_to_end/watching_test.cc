// Watching the real programs: their metrics over HTTP, their JSON logs, `sweepctl logs`, and a
// notice that survives the death of the coordinator that owes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "common/strings.h"
#include "tests/end_to_end/instance.h"
#include "tests/support/postgres.h"

namespace gridsweep::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr int kSteps = 20;

// Two runs of `kSteps` steps.
std::string Sweep(const std::string& notify) {
  return StrCat(
      "name: watched\nmethod: grid\nparameters:\n  place_field_values: {value: gaussian}\n"
      "  Ng: {value: 16}\n  Np: {value: 16}\n  batch_size: {value: 4}\n"
      "  sequence_length: {value: 5}\n  n_epochs: {value: 1}\n  n_grad_steps_per_epoch: {value: ",
      kSteps, "}\n  chance_units: {value: 0}\ngridsweep:\n  seeds: 2\n  notify: ", notify, "\n");
}

std::vector<json> LinesOf(const std::filesystem::path& log) {
  std::vector<json> lines;
  std::istringstream text(ReadFile(log));
  for (std::string line; std::getline(text, line);) {
    lines.push_back(json::parse(line, nullptr, false));
    EXPECT_TRUE(lines.back().is_object()) << log << ": " << line;
  }
  return lines;
}

// Where a program that logs to `log` serves its metrics; "" while it has not said so.
std::string MetricsOf(const std::filesystem::path& log) {
  const std::string text = ReadFile(log);
  const std::string before = "metrics on ";
  const size_t at = text.find(before);
  const size_t end = text.find("/metrics", at);
  if (at == std::string::npos || end == std::string::npos) return "";
  return text.substr(at + before.size(), end - at - before.size());
}

std::string Get(const std::string& server, const std::string& path) {
  const auto answer = httplib::Client(server).Get(path);
  return answer && answer->status == 200 ? answer->body : "";
}

class WatchedInstance : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("GRIDSWEEP_LOG_FORMAT", "json", 1);
    setenv("GRIDSWEEP_WORKER_HTTP", "127.0.0.1:0", 1);
    instance_ = new Instance({"--heartbeat-interval", "50ms", "--http", "127.0.0.1:0"});
    http_.Post("/told", [](const httplib::Request& request, httplib::Response&) {
      std::lock_guard lock(mutex_);
      told_.push_back(json::parse(request.body, nullptr, false));
    });
    port_ = http_.bind_to_any_port("127.0.0.1");
    listening_ = std::thread([] { http_.listen_after_bind(); });
    while (!http_.is_running()) std::this_thread::yield();
  }
  static void TearDownTestSuite() {
    http_.stop();
    listening_.join();
    delete instance_;
    unsetenv("GRIDSWEEP_LOG_FORMAT");
    unsetenv("GRIDSWEEP_WORKER_HTTP");
  }
  static std::vector<json> Told() {
    std::lock_guard lock(mutex_);
    return told_;
  }

  static Instance* instance_;
  static httplib::Server http_;
  static int port_;
  static std::thread listening_;
  static std::mutex mutex_;
  static std::vector<json> told_;
};
Instance* WatchedInstance::instance_ = nullptr;
httplib::Server WatchedInstance::http_;
int WatchedInstance::port_ = 0;
std::thread WatchedInstance::listening_;
std::mutex WatchedInstance::mutex_;
std::vector<json> WatchedInstance::told_;

TEST_F(WatchedInstance, ASweepCanBeWatchedFromItsStartToItsNotice) {
  const auto worker = instance_->StartWorker("ada", 1, instance_->coordinator(), "ada");
  const std::string sweep = instance_->Submit(Sweep(StrCat("http://127.0.0.1:", port_, "/told")));
  ASSERT_EQ(
      instance_->Sweepctl({"wait", sweep, "--timeout", Timeout(std::chrono::minutes(3))}).code, 0);
  ASSERT_TRUE(Within([] { return Told().size() == 1; }));
  EXPECT_EQ(Told()[0]["counts"]["succeeded"], 2);

  // The last line is one that no heartbeat has to bring: it comes with the result.
  const json runs = instance_->Ask({"get", "runs", "--sweep", sweep});
  const std::string run = runs.at(0).at("run_id").get<std::string>();
  const Ran logs = instance_->Sweepctl({"logs", run, "-f"});
  EXPECT_EQ(logs.code, 0) << logs.err;
  EXPECT_THAT(logs.out, HasSubstr(StrCat("step ", kSteps, "/", kSteps, " loss ")));
  EXPECT_THAT(logs.err, HasSubstr("attempt 1 on ada"));
  EXPECT_EQ(instance_->Sweepctl({"logs", run, "--attempt", "1"}).out, logs.out);
  EXPECT_EQ(instance_->Sweepctl({"logs", run, "--attempt", "2"}).code, 3);
  EXPECT_EQ(instance_->Sweepctl({"logs", "999999"}).code, 3);
  EXPECT_EQ(instance_->Sweepctl({"logs", "ada"}).code, 2);

  const std::string trained = Get(MetricsOf(instance_->LogOf("ada")), "/metrics");
  EXPECT_THAT(trained, HasSubstr(StrCat("gridsweep_train_steps_total ", 2 * kSteps, "\n")));
  EXPECT_THAT(trained, HasSubstr(StrCat("gridsweep_train_step_seconds_count ", 2 * kSteps, "\n")));
  EXPECT_THAT(trained, HasSubstr("gridsweep_build_info{program=\"worker\""));
  EXPECT_THAT(trained, HasSubstr("grpc_client_call_duration_seconds_count{grpc_method="
                                 "\"gridsweep.v1.DispatchService/CompleteRun\""));
  EXPECT_EQ(Get(MetricsOf(instance_->LogOf("ada")), "/readyz"), "ready\n");
  const std::string counted = Get(MetricsOf(instance_->LogOf("coordinator")), "/metrics");
  EXPECT_THAT(counted, HasSubstr("gridsweep_runs_finished_total{state=\"succeeded\"} 2\n"));
  EXPECT_EQ(worker->Terminate(), 0);

  int about_runs = 0;
  for (const json& line : LinesOf(instance_->LogOf("ada"))) {
    EXPECT_TRUE(line.contains("time") && line.contains("level") && line.contains("message"));
    EXPECT_EQ(line.value("worker", ""), "ada") << line;
    if (line.at("message").get<std::string>().starts_with("run ")) {
      ++about_runs;
      EXPECT_GT(line.value("run", 0), 0) << line;
      EXPECT_EQ(line.value("attempt", 0), 1) << line;
    }
  }
  EXPECT_GE(about_runs, 4) << "a start and an end of each run";
  LinesOf(instance_->LogOf("coordinator"));
}

// An address nobody answers at, then a coordinator that is killed, then an answer.
TEST(Notice, OutlivesTheCoordinatorThatOwesIt) {
  int port = 0;
  {
    // A port where nobody answers, until the end.
    httplib::Server probe;
    port = probe.bind_to_any_port("127.0.0.1");
    std::thread probing([&] { probe.listen_after_bind(); });
    while (!probe.is_running()) std::this_thread::yield();
    probe.stop();
    probing.join();
  }
  const TemporaryDirectory directory;
  const std::string address = "unix:" + (directory / "coordinator.sock").string();
  const std::vector<std::string> words = {Binary("gridsweep-coordinator"),
                                          "--listen",
                                          address,
                                          "--database",
                                          CreateDatabase(),
                                          "--artifacts",
                                          directory / "artifacts"};
  const auto sweepctl = [&](const std::vector<std::string>& arguments) {
    return RunSweepctl(directory.path(), address, /*analysis=*/address,
                       arguments);  // asks no analysis
  };
  auto first = std::make_unique<Program>(words, directory / "first.log");
  ASSERT_TRUE(Within([&] { return sweepctl({"get", "sweeps"}).code == 0; }));
  std::ofstream(directory / "sweep.yaml") << Sweep("http://127.0.0.1:1/unused");
  const Ran submitted = sweepctl({"submit", directory / "sweep.yaml", "-o", "name", "--notify",
                                  StrCat("http://127.0.0.1:", port, "/told")});
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  const std::string sweep = submitted.out.substr(0, submitted.out.find('\n'));
  ASSERT_EQ(sweepctl({"cancel", sweep, "--yes"}).code, 0);
  ASSERT_TRUE(Within([&] {
    return ReadFile(directory / "first.log").find("telling its address failed") !=
           std::string::npos;
  }));
  ASSERT_TRUE(first->Kill());

  httplib::Server http;
  std::mutex mutex;
  std::vector<json> told;
  http.Post("/told", [&](const httplib::Request& request, httplib::Response&) {
    std::lock_guard lock(mutex);
    told.push_back(json::parse(request.body, nullptr, false));
  });
  ASSERT_TRUE(http.bind_to_port("127.0.0.1", port));
  std::thread listening([&] { http.listen_after_bind(); });
  const Program second(words, directory / "second.log");
  EXPECT_TRUE(Within([&] {
    std::lock_guard lock(mutex);
    return !told.empty();
  }));
  http.stop();
  listening.join();
  ASSERT_FALSE(told.empty()) << ReadFile(directory / "second.log");
  EXPECT_EQ(told[0]["counts"]["cancelled"], 2);
}

}  // namespace
}  // namespace gridsweep::testing
