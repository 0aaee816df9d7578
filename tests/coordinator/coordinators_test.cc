// Two coordinators on one database: what one begins the other carries on.
#include <future>

#include "tests/coordinator/server_fixture.h"

namespace gridsweep::coordinator {
namespace {

constexpr absl::Duration kNever = absl::Hours(1);

class Coordinators : public ServerTest {
 protected:
  // Starts both; calls go to A first. B says who it is to PostgreSQL.
  void SetUp() override {
    ServerTest::SetUp();
    Turn();
    listen_ = "unix:" + directory_ + "/socket-b";
    options_.poll = b_poll_;
    Start(StrCat(conninfo_, " application_name=b"));
    Turn();
  }
  void TearDown() override { other_.coordinator.reset(); }

  // Calls go to the other one from now on.
  void Turn() {
    std::swap(coordinator_, other_.coordinator);
    std::swap(sweeps_, other_.sweeps);
    std::swap(dispatch_, other_.dispatch);
    std::swap(admin_, other_.admin);
  }

  bool BothListen() {
    return Eventually([&] {
      return Count(
                 "select count(*) from pg_stat_activity where datname = current_database() "
                 "and query ilike 'listen%'") == 2;
    });
  }

  // A worker of B waits for a run; it has looked, and found none.
  std::future<std::vector<v1::Lease>> WaitAtB(const TestWorker& worker) {
    Query("create table if not exists asked (at timestamptz)");
    Query("insert into asked values (clock_timestamp())");
    // The stub may be called while others go to A.
    auto* const stub = other_.dispatch.get();
    auto lease = std::async(std::launch::async, [stub, request = Asking(worker, 1, 20)] {
      v1::LeaseRunsResponse response;
      grpc::ClientContext context;
      EXPECT_TRUE(stub->LeaseRuns(&context, request, &response).ok());
      return std::vector<v1::Lease>(response.leases().begin(), response.leases().end());
    });
    EXPECT_TRUE(Eventually([&] {
      return Count(
                 "select count(*) from pg_stat_activity where application_name = 'b' and "
                 "state = 'idle' and query ilike 'commit%' and query_start > "
                 "(select max(at) from asked)") > 0;
    }));
    return lease;
  }

  struct Other {
    std::unique_ptr<Coordinator> coordinator;
    std::unique_ptr<v1::SweepService::Stub> sweeps;
    std::unique_ptr<v1::DispatchService::Stub> dispatch;
    std::unique_ptr<v1::AdminService::Stub> admin;
  };
  absl::Duration b_poll_ = absl::Seconds(1);
  Other other_;
};

class WokenByWord : public Coordinators {
 protected:
  // B looks for work only when it is told, and does nothing else on its own.
  WokenByWord() {
    b_poll_ = kNever;
    options_.tick = kNever;
  }
};

TEST_F(WokenByWord, ALongPollAtBHearsOfASweepThatASubmitted) {
  ASSERT_TRUE(BothListen());
  const TestWorker worker = Register("w");
  for (int i = 0; i < 3; ++i) {
    auto lease = WaitAtB(worker);
    Create(1);
    EXPECT_EQ(lease.get().size(), 1u);
  }
}

class WordIsLost : public Coordinators {
 protected:
  WordIsLost() { b_poll_ = absl::Milliseconds(200); }
};

TEST_F(WordIsLost, TheSlowPollFindsTheSweep) {
  ASSERT_TRUE(BothListen());
  auto lease = WaitAtB(Register("w"));
  // It listens again a second later; until then nobody tells B anything.
  Query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'b' "
      "and query ilike 'listen%'");
  Create(1);
  EXPECT_EQ(lease.get().size(), 1u);
}

TEST_F(Coordinators, ARequestThatIsRepeatedAtBGetsTheGrantOfA) {
  Create(3);
  const v1::LeaseRunsRequest request = Asking(Register("w"), 1, 0);
  std::vector<std::string> tokens;
  for (int i = 0; i < 3; ++i) {
    v1::LeaseRunsResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(dispatch_->LeaseRuns(&context, request, &response).ok());
    ASSERT_EQ(response.leases_size(), 1);
    tokens.push_back(response.leases(0).ref().token());
    Turn();
  }
  EXPECT_EQ(tokens[1], tokens[0]);
  EXPECT_EQ(tokens[2], tokens[0]);
  EXPECT_EQ(Count("select count(*) from leases"), 1);
}

TEST_F(Coordinators, ALeaseOfAIsRenewedCompletedAndFailedAtB) {
  Create(2);
  const TestWorker worker = Register("w");
  const auto leases = Lease(worker, 2);
  ASSERT_EQ(leases.size(), 2u);
  // As if it were about to expire.
  Query("update leases set expires_at = clock_timestamp() + interval '1 second'");
  Turn();
  const v1::HeartbeatResponse beat = Beat(worker, leases, 1);
  ASSERT_EQ(beat.verdicts_size(), 2);
  for (const auto& verdict : beat.verdicts()) {
    EXPECT_EQ(verdict.kind(), v1::Verdict::KIND_CONTINUE);
  }
  EXPECT_EQ(Count("select count(*) from leases where expires_at > clock_timestamp() + "
                  "interval '30 seconds'"),
            2);

  const std::string sha = Sha256::Of("bytes");
  ASSERT_TRUE(Upload(leases[0], "bytes", sha).ok());
  EXPECT_TRUE(Complete(leases[0], sha).ok());
  v1::FailRunRequest fail;
  *fail.mutable_ref() = leases[1].ref();
  fail.set_error("out of memory");
  v1::FailRunResponse failed;
  grpc::ClientContext context;
  EXPECT_TRUE(dispatch_->FailRun(&context, fail, &failed).ok());
  EXPECT_EQ(Count("select count(*) from run_state where failures = 1"), 1);

  // The worker did not hear of it, and tells A.
  Turn();
  bool already = false;
  EXPECT_TRUE(Complete(leases[0], sha, &already).ok());
  EXPECT_TRUE(already);
  EXPECT_EQ(Count("select count(*) from run_results"), 1);
}

TEST_F(Coordinators, AWatcherAtBSeesWhatEndsAtA) {
  const v1::Sweep sweep = Create(1);
  grpc::ClientContext context;
  v1::WatchSweepRequest watch;
  watch.set_sweep_id(sweep.sweep_id());
  const auto stream = other_.sweeps->WatchSweep(&context, watch);
  v1::WatchSweepResponse seen;
  ASSERT_TRUE(stream->Read(&seen));
  EXPECT_EQ(seen.counts().pending(), 1);
  const auto leases = Lease(Register("w"), 1);
  ASSERT_EQ(leases.size(), 1u);
  const std::string sha = Sha256::Of("bytes");
  ASSERT_TRUE(Upload(leases[0], "bytes", sha).ok());
  ASSERT_TRUE(Complete(leases[0], sha).ok());
  std::set<int64_t> ended;
  do {
    for (const auto& run : seen.ended()) ended.insert(run.run_id());
  } while (stream->Read(&seen));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(seen.done());
  EXPECT_EQ(ended, std::set<int64_t>{sweep.first_run_id()});
}

TEST_F(Coordinators, WhatAGrantedOutlivesA) {
  Create(1);
  const TestWorker worker = Register("w");
  const auto leases = Lease(worker, 1);
  ASSERT_EQ(leases.size(), 1u);
  const std::string sha = Sha256::Of("bytes");
  ASSERT_TRUE(Upload(leases[0], "bytes", sha).ok());
  coordinator_.reset();
  Turn();
  EXPECT_EQ(Beat(worker, leases).verdicts(0).kind(), v1::Verdict::KIND_CONTINUE);
  EXPECT_TRUE(Complete(leases[0], sha).ok());
  EXPECT_EQ(Count("select count(*) from run_results"), 1);
}

}  // namespace
}  // namespace gridsweep::coordinator
