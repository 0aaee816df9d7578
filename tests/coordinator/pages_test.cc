// Answers that could outgrow a message come in several.
#include <set>

#include "tests/coordinator/server_fixture.h"

namespace gridsweep::coordinator {
namespace {

class Pages : public ServerTest {
 protected:
  // Ended attempts of a run, each with as much as one may have.
  void AddAttempts(int64_t run_id, int n) {
    Query(
        StrCat("insert into attempts (run_id, attempt, token, worker_id, worker, host, granted_at,"
               " outcome, error, log_tail) select ",
               run_id,
               ", i, gen_random_uuid(), 1, 'w', 'h', now(), 'lost', repeat('e', 1000000),"
               " repeat(repeat('l', 99) || E'\\n', 600) from generate_series(1, ",
               n, ") i"));
  }
};

TEST_F(Pages, AttemptsOfARunComeInSeveralAnswers) {
  const int64_t run_id = Create(1).first_run_id();
  AddAttempts(run_id, 150);
  v1::GetRunRequest request;
  request.set_run_id(run_id);
  int expected = 1, answers = 0;
  do {
    v1::GetRunResponse response;
    grpc::ClientContext context;
    const auto status = sweeps_->GetRun(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const v1::Attempt& attempt : response.attempts()) {
      EXPECT_EQ(attempt.attempt(), expected++);
      EXPECT_LE(attempt.error().size(), 20'000u);
    }
    request.set_attempts_page_token(response.next_attempts_page_token());
    ++answers;
  } while (!request.attempts_page_token().empty());
  EXPECT_EQ(expected, 151);
  EXPECT_GT(answers, 1);
}

TEST_F(Pages, LogsOfManyAttemptsAreToldInFull) {
  const int64_t run_id = Create(1).first_run_id();
  AddAttempts(run_id, 150);
  Query(StrCat("update run_state set state = 6 where run_id = ", run_id));
  v1::StreamLogsRequest request;
  request.set_run_id(run_id);
  grpc::ClientContext context;
  const auto stream = sweeps_->StreamLogs(&context, request);
  v1::StreamLogsResponse message;
  int expected = 1;
  while (stream->Read(&message)) {
    EXPECT_EQ(message.attempt(), expected++);
    EXPECT_EQ(message.lines_size(), 600);
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(expected, 151);
}

TEST_F(Pages, AnErrorIsKeptAsFarAsItIsRead) {
  Create(1);
  const auto leases = Lease(Register("w"), 1);
  ASSERT_EQ(leases.size(), 1u);
  v1::FailRunRequest fail;
  *fail.mutable_ref() = leases[0].ref();
  fail.set_error("began so " + std::string(3'000'000, 'x'));
  v1::FailRunResponse failed;
  grpc::ClientContext context;
  ASSERT_TRUE(dispatch_->FailRun(&context, fail, &failed).ok());
  EXPECT_LT(Count("select length(error) from attempts"), 17'000);
  EXPECT_EQ(Count("select count(*) from attempts where error like 'began so %' and "
                  "error like '%bytes more)'"),
            1);
}

TEST_F(Pages, WorkersComeByName) {
  Query(
      "with w as (insert into workers (name, host, incarnation, slots, resource_class,"
      " memory_bytes, numerics_id, version, science_version) select 'w' || i,"
      " repeat('h', 2500), '\\x00', 1, 'cpu', 0, '', '', 1 from generate_series(1, 2500) i"
      " returning worker_id) insert into worker_sightings select worker_id from w");
  std::set<std::string> names;
  v1::ListWorkersRequest request;
  do {
    v1::ListWorkersResponse response;
    grpc::ClientContext context;
    const auto status = admin_->ListWorkers(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_LE(response.workers_size(), 1000);
    for (const v1::Worker& worker : response.workers()) {
      EXPECT_TRUE(names.insert(worker.name()).second) << worker.name();
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(names.size(), 2500u);
  request.set_page_size(1001);
  v1::ListWorkersResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(admin_->ListWorkers(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(Pages, AWatcherHearsOfEveryEndHoweverManyEndAtOnce) {
  constexpr int kRuns = 20'000;
  const v1::Sweep sweep = Create(kRuns);
  v1::WatchSweepRequest request;
  request.set_sweep_id(sweep.sweep_id());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
  const auto stream = sweeps_->WatchSweep(&context, request);
  v1::WatchSweepResponse message;
  ASSERT_TRUE(stream->Read(&message));
  ASSERT_EQ(message.counts().pending(), kRuns);
  v1::CancelSweepRequest cancel;
  cancel.set_sweep_id(sweep.sweep_id());
  v1::CancelSweepResponse cancelled;
  grpc::ClientContext cancelling;
  ASSERT_TRUE(sweeps_->CancelSweep(&cancelling, cancel, &cancelled).ok());
  std::set<int64_t> ended;
  bool done = false;
  while (stream->Read(&message)) {
    EXPECT_FALSE(done) << "nothing comes after the last message";
    for (const v1::RunProgress& run : message.ended()) {
      EXPECT_TRUE(ended.insert(run.run_id()).second) << run.run_id();
    }
    done = message.done();
  }
  const grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(done);
  EXPECT_EQ(ended.size(), static_cast<size_t>(kRuns));
}

}  // namespace
}  // namespace gridsweep::coordinator
