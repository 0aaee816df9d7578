#include <algorithm>
#include <thread>

#include "tests/coordinator/server_fixture.h"
#include "tests/support/patience.h"

namespace gridsweep::coordinator {
namespace {

// Sooner than the poll that stands in for a lost word.
constexpr absl::Duration kSoon = absl::Milliseconds(100 * testing::kPatience);

using Server = ServerTest;

TEST_F(Server, ARunTravelsFromSubmitToResult) {
  const v1::Sweep sweep = Create(1);
  const auto worker = Register("w");
  grpc::ClientContext watch_context;
  v1::WatchSweepRequest watch;
  watch.set_sweep_id(sweep.sweep_id());
  const auto stream = sweeps_->WatchSweep(&watch_context, watch);
  v1::WatchSweepResponse seen;
  ASSERT_TRUE(stream->Read(&seen));
  EXPECT_EQ(seen.counts().pending(), 1);

  const auto leases = Lease(worker, 4);
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].config().ng(), kNg);
  EXPECT_EQ(leases[0].config_hash().size(), 32u);
  EXPECT_EQ(Beat(worker, leases, 42).verdicts(0).kind(), v1::Verdict::KIND_CONTINUE);
  while (seen.running().empty() || seen.running(0).step() != 42) ASSERT_TRUE(stream->Read(&seen));
  EXPECT_EQ(seen.running(0).worker(), "w");

  const std::string bytes(3'000'000, 'x'), sha = Sha256::Of(bytes);
  bool already = true;
  const auto uploaded = Upload(leases[0], bytes, sha, &already);
  ASSERT_TRUE(uploaded.ok()) << uploaded.error_message();
  EXPECT_FALSE(already);
  EXPECT_TRUE(Upload(leases[0], bytes, sha, &already).ok());
  EXPECT_TRUE(already);
  const auto completed = Complete(leases[0], sha, &already);
  ASSERT_TRUE(completed.ok()) << completed.error_message();
  EXPECT_FALSE(already);
  EXPECT_TRUE(Complete(leases[0], sha, &already).ok());
  EXPECT_TRUE(already);

  std::vector<int64_t> ended;
  do {
    for (const auto& run : seen.ended()) ended.push_back(run.run_id());
  } while (stream->Read(&seen));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(seen.done());
  for (const auto& run : seen.ended()) ended.push_back(run.run_id());
  std::ranges::sort(ended);
  ended.erase(std::unique(ended.begin(), ended.end()), ended.end());
  EXPECT_EQ(ended, std::vector<int64_t>{sweep.first_run_id()});

  v1::GetRunRequest get;
  get.set_run_id(sweep.first_run_id());
  v1::GetRunResponse run;
  grpc::ClientContext context;
  ASSERT_TRUE(sweeps_->GetRun(&context, get, &run).ok());
  EXPECT_EQ(run.run().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(run.run().artifact_sha256(), ToHex(sha));
  EXPECT_EQ(run.attempts(0).outcome(), "succeeded");
}

TEST_F(Server, ALongPollWakesAtOnce) {
  const auto worker = Register("w");
  absl::Time woken;
  std::vector<v1::Lease> leases;
  std::thread waiter([&] {
    leases = Lease(worker, 1, 20);
    woken = absl::Now();
  });
  absl::SleepFor(absl::Milliseconds(300));  // it waits; the sweep comes later
  const v1::Sweep sweep = Create(1);
  const absl::Time created = absl::Now();
  waiter.join();
  EXPECT_EQ(leases.size(), 1u);
  EXPECT_LT(woken - created, kSoon);
}

TEST_F(Server, ALongPollEndsEmptyAndOk) {
  const auto worker = Register("w");
  const absl::Time start = absl::Now();
  EXPECT_TRUE(Lease(worker, 1, 1).empty());
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(900));
  EXPECT_LT(absl::Now() - start, absl::Seconds(3));
}

TEST_F(Server, AHundredWaitingWorkersHoldNoThread) {
  struct Call {
    grpc::ClientContext context;
    v1::LeaseRunsRequest request;
    v1::LeaseRunsResponse response;
    std::atomic<bool> done = false;
  };
  const auto worker = Register("w");
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 100; ++i) {
    auto& call = *calls.emplace_back(std::make_unique<Call>());
    call.request = Asking(worker, 1, 25);
    dispatch_->async()->LeaseRuns(&call.context, &call.request, &call.response,
                                  [&call](const grpc::Status&) { call.done = true; });
  }
  for (int i = 0; i < 20; ++i) {
    const absl::Time start = absl::Now();
    Beat(worker, {});
    EXPECT_LT(absl::Now() - start, absl::Seconds(1));
  }
  EXPECT_EQ(std::ranges::count_if(calls, [](const auto& c) { return c->done.load(); }), 0);
  Create(100);
  EXPECT_TRUE(Eventually(
      [&] { return std::ranges::all_of(calls, [](const auto& c) { return c->done.load(); }); }));
  for (const auto& call : calls) EXPECT_EQ(call->response.leases_size(), 1);
  EXPECT_EQ(Count("select count(*) from leases"), 100);
}

TEST_F(Server, ACallerThatHasGoneHoldsNoLease) {
  const auto worker = Register("w");
  grpc::ClientContext context;
  v1::LeaseRunsResponse response;
  const auto request = Asking(worker, 1, 25);
  std::thread waiter([&] {
    EXPECT_EQ(dispatch_->LeaseRuns(&context, request, &response).error_code(),
              grpc::StatusCode::CANCELLED);
  });
  absl::SleepFor(absl::Milliseconds(200));
  context.TryCancel();
  waiter.join();
  Create(1);
  EXPECT_EQ(Lease(worker, 1, 5).size(), 1u);
  EXPECT_EQ(Count("select count(*) from leases"), 1);
}

TEST_F(Server, HeartbeatsStayQuickWhileResultsAreStuck) {
  Create(4);
  const auto stuck = Register("stuck"), quick = Register("quick");
  const auto held = Lease(stuck, 3), mine = Lease(quick, 1);
  ASSERT_EQ(held.size(), 3u);
  ASSERT_EQ(mine.size(), 1u);
  const std::string sha = Sha256::Of("bytes");
  ASSERT_TRUE(Upload(held[0], "bytes", sha).ok());
  // A lock on the leases holds up every thread of the completion lane.
  std::atomic<bool> locked = false, release = false;
  std::thread locker([&] {
    Database database({conninfo_});
    EXPECT_TRUE(database
                    .Transact([&](Transaction& t) -> absl::Status {
                      t.ExecText(StrCat("select 1 from leases where worker_id = ", stuck.id,
                                        " for update"));
                      locked = true;
                      Eventually([&] { return release.load(); }, absl::Seconds(20));
                      return absl::OkStatus();
                    })
                    .ok());
  });
  ASSERT_TRUE(Eventually([&] { return locked.load(); }));
  std::vector<std::thread> completions;
  std::atomic<int> completed = 0;
  for (const v1::Lease& lease : held) {
    completions.emplace_back([&] {
      EXPECT_TRUE(Complete(lease, sha).ok());
      ++completed;
    });
  }
  std::vector<absl::Duration> took;
  const absl::Time end = absl::Now() + absl::Seconds(2);
  while (absl::Now() < end) {
    const absl::Time start = absl::Now();
    Beat(quick, mine);
    took.push_back(absl::Now() - start);
  }
  EXPECT_EQ(completed, 0);
  release = true;
  locker.join();
  for (auto& thread : completions) thread.join();
  EXPECT_EQ(completed, 3);
  std::ranges::sort(took);
  EXPECT_LT(took[took.size() * 99 / 100], absl::Milliseconds(100));
}

TEST_F(Server, ALeaseLeftOutOfTwoHeartbeatsIsReleased) {
  // As often as these are sent.
  options_.dispatch.heartbeat_interval = absl::Nanoseconds(1);
  coordinator_.reset();
  Start();
  Create(1);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 1);
  Beat(worker, {});
  EXPECT_EQ(Beat(worker, leases).verdicts(0).kind(), v1::Verdict::KIND_CONTINUE);
  Beat(worker, {});
  EXPECT_EQ(Count("select count(*) from leases"), 1);
  Beat(worker, {});
  EXPECT_EQ(Count("select count(*) from leases"), 0);
  EXPECT_EQ(Beat(worker, leases).verdicts(0).kind(), v1::Verdict::KIND_LOST);
  EXPECT_EQ(Count("select failures from run_state"), 0);
}

TEST_F(Server, HeartbeatsOfOneIntervalLeaveALeaseOutOnce) {
  Create(1);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 1);
  for (int i = 0; i < 4; ++i) Beat(worker, {});
  EXPECT_EQ(Count("select count(*) from leases"), 1);
  EXPECT_EQ(Beat(worker, leases).verdicts(0).kind(), v1::Verdict::KIND_CONTINUE);
}

class History : public ServerTest {
 protected:
  v1::GetRunResponse Run(int64_t run_id) {
    v1::GetRunRequest request;
    request.set_run_id(run_id);
    v1::GetRunResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(sweeps_->GetRun(&context, request, &response).ok());
    return response;
  }
};

TEST_F(History, AnAttemptThatWasLostKeepsWhatItsHeartbeatsLogged) {
  options_.dispatch.lease_ttl = absl::Milliseconds(300);
  options_.tick = absl::Milliseconds(20);
  coordinator_.reset();
  Start();
  const v1::Sweep sweep = Create(1);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 1);
  ASSERT_EQ(leases.size(), 1u);
  std::vector<std::string> lines;
  for (int i = 0; i < 60; ++i) lines.push_back(StrCat("line ", i));
  lines.back() += std::string("\0!", 2);
  Beat(worker, leases, 1, lines);
  EXPECT_TRUE(Eventually([&] { return Count("select count(*) from attempts") == 1; }));
  const auto run = Run(sweep.first_run_id());
  ASSERT_EQ(run.attempts_size(), 1);
  EXPECT_EQ(run.attempts(0).outcome(), "lost");
  EXPECT_FALSE(run.attempts(0).counted());
  const std::string& log = run.attempts(0).log_tail();
  EXPECT_EQ(std::ranges::count(log, '\n'), 50);
  EXPECT_EQ(log.substr(0, 8), "line 10\n");
  EXPECT_EQ(log.substr(log.size() - 10), "line 59 !\n");
}

TEST_F(History, EachAttemptTellsWhoHadItAndHowItEnded) {
  const v1::Sweep sweep = Create(1);
  auto worker = Register("w");
  Beat(worker, Lease(worker, 1), 1, {"of the first"});
  worker = Register("w");  // its process ended by itself
  Query("update run_state set state = 0, not_before = null");
  const auto leases = Lease(worker, 1);
  ASSERT_EQ(leases.size(), 1u);
  Beat(worker, leases, 1, {"of the second"});
  v1::FailRunRequest fail;
  *fail.mutable_ref() = leases[0].ref();
  fail.set_error("out of memory");
  fail.set_log_tail("what the worker sent");
  v1::FailRunResponse failed;
  grpc::ClientContext context;
  ASSERT_TRUE(dispatch_->FailRun(&context, fail, &failed).ok());
  const auto run = Run(sweep.first_run_id());
  ASSERT_EQ(run.attempts_size(), 2);
  for (const v1::Attempt& attempt : run.attempts()) {
    EXPECT_EQ(attempt.worker(), "w");
    EXPECT_EQ(attempt.host(), "here");
    EXPECT_TRUE(attempt.counted());
    EXPECT_GT(attempt.granted_at().seconds(), 0);
    EXPECT_GE(attempt.ended_at().seconds(), attempt.granted_at().seconds());
  }
  EXPECT_EQ(run.attempts(0).outcome(), "lost");
  EXPECT_EQ(run.attempts(0).log_tail(), "of the first\n");
  EXPECT_EQ(run.attempts(1).outcome(), "failed");
  EXPECT_EQ(run.attempts(1).error(), "out of memory");
  EXPECT_EQ(run.attempts(1).log_tail(), "what the worker sent");
}

TEST_F(Server, AQuarantinedWorkerHearsOfItAndWaitsForUncordon) {
  Create(4);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 3);
  ASSERT_EQ(leases.size(), 3u);
  for (const v1::Lease& lease : leases) {
    v1::FailRunRequest fail;
    *fail.mutable_ref() = lease.ref();
    v1::FailRunResponse failed;
    grpc::ClientContext context;
    ASSERT_TRUE(dispatch_->FailRun(&context, fail, &failed).ok());
    EXPECT_EQ(failed.state(),
              &lease == &leases.back() ? v1::RUN_STATE_PENDING : v1::RUN_STATE_BACKOFF);
  }
  EXPECT_EQ(Beat(worker, {}).directive(), v1::WORKER_DIRECTIVE_QUARANTINED);
  // Told at once, though it would wait: a run is there.
  v1::LeaseRunsResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  const auto status = dispatch_->LeaseRuns(&context, Asking(worker, 1, 25), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.leases_size(), 0);
  EXPECT_EQ(response.directive(), v1::WORKER_DIRECTIVE_QUARANTINED);
  EXPECT_GT(response.retry_after().seconds(), 0);
  EXPECT_EQ(Lease(Register("other"), 1).size(), 1u);
  // A restart of the coordinator changes nothing.
  coordinator_.reset();
  Start();
  EXPECT_EQ(Beat(worker, {}).directive(), v1::WORKER_DIRECTIVE_QUARANTINED);
  v1::UncordonWorkerRequest uncordon;
  uncordon.set_name("w");
  v1::UncordonWorkerResponse uncordoned;
  grpc::ClientContext admin_context;
  ASSERT_TRUE(admin_->UncordonWorker(&admin_context, uncordon, &uncordoned).ok());
  EXPECT_EQ(uncordoned.worker().directive(), v1::WORKER_DIRECTIVE_RUN);
  EXPECT_EQ(Beat(worker, {}).directive(), v1::WORKER_DIRECTIVE_RUN);
  EXPECT_EQ(Lease(worker, 1).size(), 1u);
}

TEST_F(Server, ADrainedWorkerIsAskedToGiveItsRunsBack) {
  const v1::Sweep sweep = Create(1);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 1);
  v1::DrainWorkerRequest drain;
  drain.set_name("w");
  v1::DrainWorkerResponse drained;
  grpc::ClientContext context;
  ASSERT_TRUE(admin_->DrainWorker(&context, drain, &drained).ok());
  const auto beat = Beat(worker, leases);
  EXPECT_EQ(beat.directive(), v1::WORKER_DIRECTIVE_DRAIN);
  EXPECT_EQ(beat.verdicts(0).kind(), v1::Verdict::KIND_CHECKPOINT_AND_RELEASE);
  v1::CordonWorkerRequest nobody;
  nobody.set_name(std::string("w\0x", 3));
  v1::CordonWorkerResponse cordoned;
  grpc::ClientContext refused;
  EXPECT_EQ(admin_->CordonWorker(&refused, nobody, &cordoned).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(History, AStuckRunIsCancelledAsAFailureAndItsLateResultRefused) {
  options_.dispatch.heartbeat_interval = absl::Milliseconds(100);
  options_.dispatch.stuck = {absl::Milliseconds(300), 2};
  options_.dispatch.failures.backoff_base = absl::Hours(1);
  coordinator_.reset();
  Start();
  const v1::Sweep sweep = Create(2);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 2);
  ASSERT_EQ(leases.size(), 2u);
  // One of the two trains on; the other's step stays where it is.
  uint64_t step = 0;
  v1::Verdict::Kind verdict = v1::Verdict::KIND_CONTINUE;
  EXPECT_TRUE(Eventually([&] {
    v1::HeartbeatRequest request;
    request.set_worker_id(worker.id);
    request.set_incarnation(worker.incarnation);
    for (const v1::Lease& lease : leases) {
      auto& progress = *request.add_held();
      *progress.mutable_ref() = lease.ref();
      progress.set_phase(v1::PHASE_TRAINING);
      progress.set_step(&lease == &leases[0] ? 7 : step);
    }
    if (step == 0) request.mutable_held(0)->add_log_lines("its last words");
    ++step;
    v1::HeartbeatResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(dispatch_->Heartbeat(&context, request, &response).ok());
    EXPECT_EQ(response.verdicts(1).kind(), v1::Verdict::KIND_CONTINUE);
    verdict = response.verdicts(0).kind();
    return verdict != v1::Verdict::KIND_CONTINUE;
  }));
  EXPECT_EQ(verdict, v1::Verdict::KIND_LOST);
  const auto run = Run(leases[0].ref().run_id());
  EXPECT_EQ(run.run().state(), v1::RUN_STATE_BACKOFF);
  EXPECT_EQ(run.run().failures(), 1);
  ASSERT_EQ(run.attempts_size(), 1);
  EXPECT_EQ(run.attempts(0).outcome(), "failed");
  EXPECT_EQ(run.attempts(0).log_tail(), "its last words\n");
  EXPECT_EQ(run.attempts(0).error().find("stuck: no progress in PHASE_TRAINING at step 7"), 0u)
      << run.attempts(0).error();
  EXPECT_TRUE(IsLeaseLost(FromGrpc(Upload(leases[0], "bytes", Sha256::Of("bytes")))));
}

TEST_F(Server, ANameThatIsAnothersUpToANulIsRefused) {
  Create(1);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 1);
  ASSERT_EQ(leases.size(), 1u);
  v1::RegisterRequest request;
  request.set_name(std::string("w\0x", 3));
  request.set_incarnation(RandomBytes(16));
  request.set_slots(1);
  v1::RegisterResponse response;
  grpc::ClientContext context;
  const auto status = dispatch_->Register(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_EQ(Beat(worker, leases).verdicts(0).kind(), v1::Verdict::KIND_CONTINUE);
}

TEST_F(Server, NamesThatForgeLinesOrDriveTerminalsAreRefused) {
  for (const std::string hostile :
       {"x\naudit: forged by root: OK", "x\x1b[2J", "x\r", "x\xC2\x9B" "2J", "x\xE2\x80\xAEy"}) {
    const auto refused = [&](const grpc::Status& status) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
      EXPECT_EQ(status.error_message().find(hostile), std::string::npos);
    };
    const auto introduce = [&](const std::function<void(v1::RegisterRequest&)>& spoil) {
      v1::RegisterRequest request;
      request.set_name("w");
      request.set_host("here");
      request.set_incarnation(RandomBytes(16));
      request.set_slots(1);
      spoil(request);
      v1::RegisterResponse response;
      grpc::ClientContext context;
      refused(dispatch_->Register(&context, request, &response));
    };
    introduce([&](auto& r) { r.set_name(hostile); });
    introduce([&](auto& r) { r.set_host(hostile); });
    introduce([&](auto& r) { (*r.mutable_labels())["a"] = hostile; });
    const auto submit = [&](const std::function<void(v1::CreateSweepRequest&)>& spoil) {
      auto request = SpecOf(1);
      spoil(request);
      v1::CreateSweepResponse response;
      grpc::ClientContext context;
      refused(sweeps_->CreateSweep(&context, request, &response));
    };
    submit([&](auto& r) { r.set_name(hostile); });
    submit([&](auto& r) { r.mutable_spec()->set_name(hostile); });
    submit([&](auto& r) {
      (*r.mutable_spec()->mutable_settings()->mutable_labels())["a"] = hostile;
    });
  }
  EXPECT_EQ(Count("select count(*) from sweeps") + Count("select count(*) from workers"), 0);
}

TEST_F(Server, ACancelReachesTheWorkerWithItsNextHeartbeat) {
  const v1::Sweep sweep = Create(1);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 1);
  v1::CancelSweepRequest cancel;
  cancel.set_sweep_id(sweep.sweep_id());
  v1::CancelSweepResponse cancelled;
  grpc::ClientContext context;
  ASSERT_TRUE(sweeps_->CancelSweep(&context, cancel, &cancelled).ok());
  EXPECT_EQ(cancelled.cancelling(), 1);
  EXPECT_EQ(Beat(worker, leases).verdicts(0).kind(), v1::Verdict::KIND_CANCEL);
}

TEST_F(Server, AnArtifactWithTheWrongHashIsRefusedAndNothingStored) {
  Create(1);
  const auto leases = Lease(Register("w"), 1);
  EXPECT_EQ(Upload(leases[0], "bytes", Sha256::Of("others")).error_code(),
            grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(Count("select count(*) from artifacts"), 0);
  v1::Lease forged = leases[0];
  forged.mutable_ref()->set_token(RandomBytes(16));
  EXPECT_TRUE(IsLeaseLost(FromGrpc(Upload(forged, "bytes", Sha256::Of("bytes")))));
  EXPECT_EQ(Count("select count(*) from artifacts"), 0);
}

TEST_F(Server, AFileWithAFaultIsRefusedWithItsPlaceAndNothingStored) {
  v1::CreateSweepRequest request;
  request.set_yaml("method: grid\nparameters:\n  rnn_type:\n    values: [RNN, LSTN]\n");
  v1::CreateSweepResponse response;
  grpc::ClientContext context;
  const absl::Status status = FromGrpc(sweeps_->CreateSweep(&context, request, &response));
  ASSERT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_FALSE(FieldViolations(status).empty());
  EXPECT_NE(status.message().find("LSTN"), absl::string_view::npos) << status;
  EXPECT_EQ(Count("select count(*) from sweeps"), 0);
}

TEST_F(Server, PagesOfRunsJoinWithoutGapOrRepeat) {
  const v1::Sweep sweep = Create(25);
  v1::ListRunsRequest request;
  request.set_sweep_id(sweep.sweep_id());
  request.set_page_size(10);
  int64_t next = sweep.first_run_id();
  do {
    v1::ListRunsResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(sweeps_->ListRuns(&context, request, &response).ok());
    for (const auto& run : response.runs()) EXPECT_EQ(run.run_id(), next++);
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(next, sweep.first_run_id() + 25);
}

TEST_F(Server, DrainingAnswersWaitingWorkersEmpty) {
  const auto worker = Register("w");
  const v1::Sweep sweep = Create(1);
  const auto leases = Lease(worker, 1);
  grpc::ClientContext watch_context;
  v1::WatchSweepRequest watch;
  watch.set_sweep_id(sweep.sweep_id());
  const auto stream = sweeps_->WatchSweep(&watch_context, watch);
  v1::WatchSweepResponse seen;
  ASSERT_TRUE(stream->Read(&seen));
  std::vector<v1::Lease> more;
  const absl::Time start = absl::Now();
  std::thread waiter([&] { more = Lease(worker, 1, 25); });
  absl::SleepFor(absl::Milliseconds(200));
  coordinator_->Drain(absl::Seconds(5));
  waiter.join();
  EXPECT_TRUE(more.empty());
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  while (stream->Read(&seen)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Server, ACrashOfTheDatabaseLosesNoLease) {
  const v1::Sweep sweep = Create(2);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 1);
  testing::CrashAndRestartPostgres();
  EXPECT_EQ(Beat(worker, leases).verdicts(0).kind(), v1::Verdict::KIND_CONTINUE);
  const std::string sha = Sha256::Of("bytes");
  EXPECT_TRUE(Upload(leases[0], "bytes", sha).ok());
  EXPECT_TRUE(Complete(leases[0], sha).ok());
  EXPECT_EQ(Lease(worker, 1, 10).size(), 1u);
}

TEST_F(Server, AnotherDatabasesArtifactDirectoryIsRefused) {
  Options other = options_;
  other.database = testing::CreateDatabase();
  other.listen = "unix:" + directory_ + "/other";
  EXPECT_TRUE(absl::IsFailedPrecondition(Coordinator::Start(other).status()));
}

TEST_F(Server, TheFleetIsListed) {
  Create(2);
  const auto worker = Register("w");
  Lease(worker, 2);
  v1::ListWorkersResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(admin_->ListWorkers(&context, {}, &response).ok());
  ASSERT_EQ(response.workers_size(), 1);
  EXPECT_EQ(response.workers(0).name(), "w");
  EXPECT_EQ(response.workers(0).leased(), 2u);
  EXPECT_TRUE(response.workers(0).live());
}

}  // namespace
}  // namespace gridsweep::coordinator
