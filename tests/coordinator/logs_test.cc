// StreamLogs: what attempts have logged, through whichever coordinator.
#include <thread>

#include "common/line_overlap.h"
#include "common/mutex.h"
#include "tests/coordinator/server_fixture.h"

namespace gridsweep::coordinator {
namespace {

using Lines = std::vector<std::string>;

class Logs : public ServerTest {
 protected:
  // Follows a run in the background.
  class Follower {
   public:
    Follower(const std::string& address, int64_t run_id)
        : stub_(v1::SweepService::NewStub(Dial(address))), thread_([this, run_id] {
            v1::StreamLogsRequest request;
            request.set_run_id(run_id);
            request.set_follow(true);
            const auto stream = stub_->StreamLogs(&context_, request);
            v1::StreamLogsResponse message;
            while (stream->Read(&message)) {
              MutexLock lock(mutex_);
              for (const std::string& line : message.lines()) {
                lines_.push_back(StrCat(message.attempt(), " ", message.worker(), ": ", line));
              }
            }
            status_ = stream->Finish();
            ended_ = true;
          }) {}
    ~Follower() {
      context_.TryCancel();
      thread_.join();
    }
    Lines lines() {
      MutexLock lock(mutex_);
      return lines_;
    }
    bool ended() const { return ended_; }
    // Once it has ended.
    const grpc::Status& status() const { return status_; }

   private:
    std::unique_ptr<v1::SweepService::Stub> stub_;
    grpc::ClientContext context_;
    Mutex mutex_;
    Lines lines_;
    grpc::Status status_;
    std::atomic<bool> ended_ = false;
    std::thread thread_;
  };

  // Without following: attempt by attempt.
  std::map<int, Lines> Read(int64_t run_id) {
    v1::StreamLogsRequest request;
    request.set_run_id(run_id);
    grpc::ClientContext context;
    const auto stream = sweeps_->StreamLogs(&context, request);
    std::map<int, Lines> attempts;
    v1::StreamLogsResponse message;
    while (stream->Read(&message)) {
      Lines& lines = attempts[message.attempt()];
      lines.insert(lines.end(), message.lines().begin(), message.lines().end());
    }
    const grpc::Status status = stream->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    return attempts;
  }
  void Fail(const v1::Lease& lease, const std::string& tail) {
    v1::FailRunRequest request;
    *request.mutable_ref() = lease.ref();
    request.set_log_tail(tail);
    v1::FailRunResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(dispatch_->FailRun(&context, request, &response).ok());
  }
};

TEST_F(Logs, ARunIsFollowedThroughACoordinatorThatDoesNotHearItsWorker) {
  options_.dispatch.failures.backoff_base = absl::ZeroDuration();
  coordinator_.reset();
  options_.tick = absl::Milliseconds(20);
  Start();
  Options other = options_;
  other.listen = "unix:" + directory_ + "/other";
  auto second = Coordinator::Start(other);
  ASSERT_TRUE(second.ok()) << second.status();
  Create(1);
  const TestWorker worker = Register("ada");
  auto leases = Lease(worker, 1);
  ASSERT_EQ(leases.size(), 1u);
  Follower follower((*second)->address(), leases[0].ref().run_id());

  Beat(worker, leases, 1, {"step 1", "step 2"});
  EXPECT_TRUE(Eventually([&] {
    return follower.lines() == Lines{"1 ada: step 1", "1 ada: step 2"};
  }));
  Beat(worker, leases, 3, {"step 3"});
  EXPECT_TRUE(Eventually([&] { return follower.lines().size() == 3; }));
  // The attempt ends with one line that no heartbeat brought.
  Fail(leases[0], "step 1\nstep 2\nstep 3\nout of luck\n");
  EXPECT_TRUE(Eventually([&] { return follower.lines().size() == 4; }));
  EXPECT_EQ(follower.lines().back(), "1 ada: out of luck");

  leases = Lease(worker, 1, 5);
  ASSERT_EQ(leases.size(), 1u);
  Beat(worker, leases, 1, {"again"});
  EXPECT_TRUE(Eventually([&] { return follower.lines().size() == 5; }));
  EXPECT_FALSE(follower.ended());
  ASSERT_TRUE(Upload(leases[0], "result", Sha256::Of("result")).ok());
  ASSERT_TRUE(Complete(leases[0], Sha256::Of("result")).ok());
  ASSERT_TRUE(Eventually([&] { return follower.ended(); }));
  EXPECT_TRUE(follower.status().ok()) << follower.status().error_message();
  EXPECT_EQ(follower.lines(), (Lines{"1 ada: step 1", "1 ada: step 2", "1 ada: step 3",
                                     "1 ada: out of luck", "2 ada: again"}));
}

TEST_F(Logs, HeartbeatsThroughTwoCoordinatorsMakeOneLog) {
  Options other = options_;
  other.listen = "unix:" + directory_ + "/other";
  auto second = Coordinator::Start(other);
  ASSERT_TRUE(second.ok()) << second.status();
  Create(1);
  const TestWorker worker = Register("ada");
  const auto leases = Lease(worker, 1);
  const int64_t run_id = leases.at(0).ref().run_id();
  const auto known = [&](const Lines& lines) {
    return Eventually([&] { return Read(run_id)[1] == lines; });
  };
  Beat(worker, leases, 1, {"one"});
  EXPECT_TRUE(known({"one"}));
  const auto first_stub =
      std::exchange(dispatch_, v1::DispatchService::NewStub(Dial((*second)->address())));
  Beat(worker, leases, 2, {"two"});
  EXPECT_TRUE(known({"one", "two"}));
  // A release brings no log: the attempt keeps what all of them had heard.
  v1::ReleaseRunsRequest release;
  *release.add_refs() = leases[0].ref();
  v1::ReleaseRunsResponse released;
  grpc::ClientContext context;
  ASSERT_TRUE(dispatch_->ReleaseRuns(&context, release, &released).ok());
  EXPECT_EQ(Read(run_id)[1], (Lines{"one", "two"}));
}

TEST_F(Logs, OnlyTheLastFiftyLinesOfARunAreKept) {
  Create(1);
  const TestWorker worker = Register("ada");
  const auto leases = Lease(worker, 1);
  Lines lines;
  for (int i = 0; i < 120; ++i) lines.push_back(StrCat("line ", i));
  Beat(worker, leases, 1, {lines.begin(), lines.begin() + 60});
  const int64_t run_id = leases.at(0).ref().run_id();
  EXPECT_TRUE(
      Eventually([&] { return Read(run_id)[1] == Lines(lines.begin() + 10, lines.begin() + 60); }));
  Beat(worker, leases, 2, {lines.begin() + 60, lines.end()});
  EXPECT_TRUE(Eventually([&] { return Read(run_id)[1] == Lines(lines.end() - 50, lines.end()); }));
}

TEST_F(Logs, AnUnknownRunIsNotFound) {
  v1::StreamLogsRequest request;
  request.set_run_id(77);
  request.set_follow(true);
  grpc::ClientContext context;
  const auto stream = sweeps_->StreamLogs(&context, request);
  v1::StreamLogsResponse message;
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(Logs, ADrainEndsFollowersWithUnavailable) {
  Create(1);
  const auto leases = Lease(Register("ada"), 1);
  Follower follower(coordinator_->address(), leases.at(0).ref().run_id());
  coordinator_->Drain(absl::Seconds(1));
  ASSERT_TRUE(Eventually([&] { return follower.ended(); }));
  EXPECT_EQ(follower.status().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(LineOverlap, FindsWhatWasToldAlready) {
  const auto overlap = [](const Lines& told, const Lines& lines) {
    return LineOverlap(told, lines);
  };
  EXPECT_EQ(overlap({}, {"a"}), 0u);
  EXPECT_EQ(overlap({"a", "b"}, {"a", "b"}), 2u);
  EXPECT_EQ(overlap({"a", "b"}, {"a", "b", "c"}), 2u);
  EXPECT_EQ(overlap({"a", "b"}, {"b", "c"}), 1u);
  EXPECT_EQ(overlap({"a", "b"}, {"c"}), 0u);
  EXPECT_EQ(overlap({"x", "x"}, {"x", "x", "x"}), 2u);
}

}  // namespace
}  // namespace gridsweep::coordinator
