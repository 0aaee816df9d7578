// What monitoring is told: metrics by their names, ready and alive, log lines about runs.
#include <httplib.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "common/log.h"
#include "tests/coordinator/server_fixture.h"
#include "tests/support/health.h"

namespace gridsweep::coordinator {
namespace {

class Monitored : public ServerTest {
 protected:
  Monitored() {
    options_.http.address = "127.0.0.1:0";
    options_.version = "9.8.7";
    options_.count_every = absl::Milliseconds(50);
    options_.readiness = {absl::Milliseconds(20), absl::Milliseconds(500)};
    options_.tick = absl::Milliseconds(20);
    options_.dispatch.failures.backoff_base = absl::ZeroDuration();
  }

  httplib::Result Get(const std::string& path) {
    return httplib::Client("http://" + coordinator_->http_address()).Get(path);
  }

  // Each sample of /metrics, by its name and labels as they stand there.
  std::map<std::string, double> Samples() {
    std::map<std::string, double> samples;
    const auto answer = Get("/metrics");
    EXPECT_TRUE(answer && answer->status == 200);
    if (!answer) return samples;
    std::istringstream text(answer->body);
    for (std::string line; std::getline(text, line);) {
      if (line.empty() || line[0] == '#') continue;
      const size_t space = line.rfind(' ');
      EXPECT_NE(space, std::string::npos) << line;
      char* end = nullptr;
      samples[line.substr(0, space)] = std::strtod(line.c_str() + space + 1, &end);
      EXPECT_EQ(*end, '\0') << line;
    }
    return samples;
  }
  // The value once it is `wanted`, else the last one.
  double Awaited(const std::string& sample, double wanted) {
    double value = -1;
    Eventually([&] {
      const auto samples = Samples();
      const auto found = samples.find(sample);
      value = found == samples.end() ? -1 : found->second;
      return value == wanted;
    });
    return value;
  }

  grpc::Status Fail(const v1::Lease& lease) {
    v1::FailRunRequest request;
    *request.mutable_ref() = lease.ref();
    request.set_error("broken");
    v1::FailRunResponse response;
    grpc::ClientContext context;
    return dispatch_->FailRun(&context, request, &response);
  }
};

TEST_F(Monitored, MetricsHaveTheirNamesAndNoLabelNamesARun) {
  const auto samples = Samples();
  std::set<std::string> names, labels;
  for (const auto& [sample, value] : samples) {
    const size_t brace = sample.find('{');
    std::string name = sample.substr(0, brace);
    for (const std::string suffix : {"_bucket", "_count", "_sum"}) {
      if (name.size() > suffix.size() && name.ends_with(suffix)) {
        name.resize(name.size() - suffix.size());
        break;
      }
    }
    names.insert(name);
    if (brace == std::string::npos) continue;
    std::istringstream list(sample.substr(brace + 1));
    for (std::string label; std::getline(list, label, ',');) {
      labels.insert(label.substr(0, label.find('=')));
    }
  }
  for (const char* name :
       {"gridsweep_runs", "gridsweep_runs_finished_total", "gridsweep_lease_wait_seconds",
        "gridsweep_lease_expired_total", "gridsweep_fenced_writes_total",
        "gridsweep_attempts_total", "gridsweep_heartbeat_age_seconds", "gridsweep_commit_seconds",
        "gridsweep_workers", "gridsweep_worker_quarantined_total",
        "gridsweep_wasted_compute_seconds_total", "gridsweep_artifact_bytes_total",
        "gridsweep_expansion_steps_total", "gridsweep_background_timeouts_total",
        "gridsweep_build_info", "pg_notification_queue_usage",
        "pg_oldest_xact_start_timestamp_seconds"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  for (const std::string& label : labels) {
    EXPECT_TRUE((std::set<std::string>{"state", "outcome", "what", "reason", "le", "program",
                                       "version", "grpc_method", "grpc_status", "work"})
                    .contains(label))
        << label;
  }
  EXPECT_EQ(samples.at("gridsweep_build_info{program=\"coordinator\",version=\"9.8.7\"}"), 1);
}

TEST_F(Monitored, WhatHappensIsCounted) {
  auto spec = SpecOf(3);
  spec.mutable_spec()->mutable_settings()->set_max_attempts(1);
  v1::CreateSweepResponse created;
  grpc::ClientContext context;
  ASSERT_TRUE(sweeps_->CreateSweep(&context, spec, &created).ok());
  EXPECT_EQ(Awaited("gridsweep_runs{state=\"pending\"}", 3), 3);
  const TestWorker worker = Register("ada");
  const auto leases = Lease(worker, 3);
  ASSERT_EQ(leases.size(), 3u);
  EXPECT_EQ(Awaited("gridsweep_runs{state=\"leased\"}", 3), 3);
  EXPECT_EQ(Awaited("gridsweep_workers{state=\"run\"}", 1), 1);

  const std::string bytes = "an artifact of 26 bytes...";
  ASSERT_TRUE(Upload(leases[0], bytes, Sha256::Of(bytes)).ok());
  ASSERT_TRUE(Complete(leases[0], Sha256::Of(bytes)).ok());
  ASSERT_TRUE(Complete(leases[0], Sha256::Of(bytes)).ok()) << "a repeat, which is not counted";
  ASSERT_TRUE(Fail(leases[1]).ok());
  v1::ReleaseRunsRequest release;
  *release.add_refs() = leases[2].ref();
  v1::ReleaseRunsResponse released;
  grpc::ClientContext releasing;
  ASSERT_TRUE(dispatch_->ReleaseRuns(&releasing, release, &released).ok());
  EXPECT_EQ(Reason(FromGrpc(Complete(leases[2], Sha256::Of(bytes)))), "LEASE_LOST");

  const auto samples = Samples();
  EXPECT_EQ(samples.at("gridsweep_runs_finished_total{state=\"succeeded\"}"), 1);
  EXPECT_EQ(samples.at("gridsweep_runs_finished_total{state=\"failed\"}"), 1);
  EXPECT_EQ(samples.at("gridsweep_attempts_total{outcome=\"succeeded\"}"), 1);
  EXPECT_EQ(samples.at("gridsweep_attempts_total{outcome=\"failed\"}"), 1);
  EXPECT_EQ(samples.at("gridsweep_attempts_total{outcome=\"released\"}"), 1);
  EXPECT_EQ(samples.at("gridsweep_fenced_writes_total"), 1);
  EXPECT_EQ(samples.at("gridsweep_lease_wait_seconds_count"), 1);
  EXPECT_EQ(samples.at("gridsweep_artifact_bytes_total"), 26);
  EXPECT_GT(samples.at("gridsweep_wasted_compute_seconds_total{reason=\"failed\"}"), 0);
  EXPECT_GE(samples.at("gridsweep_commit_seconds_count{what=\"complete\"}"), 2);
  EXPECT_EQ(samples.at("grpc_server_call_duration_seconds_count{grpc_method=\"gridsweep.v1."
                       "DispatchService/CompleteRun\",grpc_status=\"FAILED_PRECONDITION\"}"),
            1);
  EXPECT_EQ(Awaited("gridsweep_runs{state=\"succeeded\"}", 1), 1);
  EXPECT_EQ(Awaited("gridsweep_runs{state=\"failed\"}", 1), 1);
  EXPECT_EQ(Awaited("gridsweep_runs{state=\"leased\"}", 0), 0);
}

TEST_F(Monitored, WithoutTheDatabaseItIsAliveAndNotReady) {
  const std::string services[] = {"", "gridsweep.v1.SweepService", "gridsweep.v1.DispatchService"};
  const auto told = [&](int http, testing::Health health) {
    return Eventually([&] {
      const auto ready = Get("/readyz");
      if (!ready || ready->status != http) return false;
      for (const std::string& service : services) {
        if (testing::HealthOf(coordinator_->address(), service) != health) return false;
      }
      return true;
    });
  };
  EXPECT_TRUE(told(200, testing::kServing));
  // Nobody gets a connection any more. That is said from another database of the server.
  std::string name;
  ASSERT_TRUE(db_.Transact([&](Transaction& t) {
                   name = t.ExecText("select current_database()")[0][0].c_str();
                   return absl::OkStatus();
                 })
                  .ok());
  Database elsewhere({testing::CreateDatabase()});
  const auto say = [&](const std::string& sql) {
    const absl::Status status = elsewhere.Transact([&](Transaction& t) {
      t.ExecText(sql);
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
  };
  say("alter database " + name + " allow_connections false");
  say("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name + "'");
  EXPECT_TRUE(told(503, testing::kNotServing));
  EXPECT_EQ(Get("/healthz")->status, 200);
  // Neither monitoring nor a caller learns where the database is, and as whom we go there.
  v1::GetSweepRequest request;
  request.set_sweep_id(1);
  v1::GetSweepResponse response;
  grpc::ClientContext context;
  const grpc::Status refused = sweeps_->GetSweep(&context, request, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  for (const std::string& words : {Get("/readyz")->body, refused.error_message()}) {
    for (const std::string& word : {name, std::string("user"), std::string("gridsweep"),
                                    std::string("socket"), std::string("connection to")}) {
      EXPECT_EQ(words.find(word), std::string::npos) << words;
    }
  }
  EXPECT_EQ(testing::HealthOf(coordinator_->address(), kLiveness), testing::kServing);
  say("alter database " + name + " allow_connections true");
  EXPECT_TRUE(told(200, testing::kServing));
}

TEST_F(Monitored, LogLinesAboutARunNameItsAttemptAndWorker) {
  setenv("GRIDSWEEP_LOG_FORMAT", "json", 1);
  InitLogging("logged");
  const auto created = Create(1);
  const auto leases = Lease(Register("ada"), 1);
  ASSERT_EQ(leases.size(), 1u);
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(Fail(leases[0]).ok());
  std::istringstream text(::testing::internal::GetCapturedStderr());
  unsetenv("GRIDSWEEP_LOG_FORMAT");
  spdlog::default_logger()->set_pattern("%v");
  int lines = 0;
  for (std::string line; std::getline(text, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << line;
    if (!json.contains("run")) continue;
    ++lines;
    EXPECT_EQ(json["run"], leases[0].ref().run_id()) << line;
    EXPECT_EQ(json["attempt"], 1) << line;
    EXPECT_EQ(json["worker"], "ada") << line;
  }
  EXPECT_EQ(lines, 1);
}

}  // namespace
}  // namespace gridsweep::coordinator
