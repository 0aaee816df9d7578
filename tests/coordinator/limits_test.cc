// What a client may ask at a time, and what it may leave unfinished.
#include <grpcpp/grpcpp.h>

#include <thread>

#include "common/byte_budget.h"
#include "tests/coordinator/server_fixture.h"

namespace gridsweep::coordinator {
namespace {

class Limits : public ServerTest {
 protected:
  void Restart() {
    coordinator_.reset();
    Start();
  }
  // A result's stream up to and with its units.
  struct Completing {
    grpc::ClientContext context;
    v1::CompleteRunResponse response;
    std::unique_ptr<grpc::ClientWriter<v1::CompleteRunRequest>> stream;
  };
  std::unique_ptr<Completing> BeginToComplete(const v1::Lease& lease) {
    auto completing = std::make_unique<Completing>();
    completing->stream = dispatch_->CompleteRun(&completing->context, &completing->response);
    v1::CompleteRunRequest request;
    *request.mutable_header()->mutable_ref() = lease.ref();
    request.mutable_header()->set_numerics_id(std::string(1000, 'x'));
    EXPECT_TRUE(completing->stream->Write(request));
    return completing;
  }
};

TEST(ByteBudget, IsSharedAndGivenBack) {
  ByteBudget budget(10);
  auto first = std::make_unique<ByteBudget::Share>(budget);
  EXPECT_TRUE(first->Take(6));
  ByteBudget::Share second(budget);
  EXPECT_FALSE(second.Take(5));
  EXPECT_TRUE(second.Take(4));
  EXPECT_FALSE(first->Take(1));
  first.reset();
  EXPECT_TRUE(second.Take(6));
  EXPECT_EQ(second.taken(), 10u);
}

TEST_F(Limits, ResultsBeyondTheBudgetAreToldToComeBack) {
  options_.dispatch.max_buffered_bytes = 3000;
  Restart();
  Create(2);
  const auto leases = Lease(Register("w"), 2);
  ASSERT_EQ(leases.size(), 2u);
  auto first = BeginToComplete(leases[0]), second = BeginToComplete(leases[1]);
  // One of them holds the budget; the other is refused before its stream ends.
  v1::CompleteRunRequest more;
  more.mutable_units()->add_columns()->set_metric(std::string(1000, 'y'));
  int refused = 0;
  for (Completing* completing : {first.get(), second.get()}) {
    completing->stream->Write(more);
    completing->stream->WritesDone();
    const absl::Status status = FromGrpc(completing->stream->Finish());
    if (!absl::IsResourceExhausted(status)) continue;
    ++refused;
    EXPECT_TRUE(RetryAfter(status).has_value()) << status;
  }
  EXPECT_GE(refused, 1);
  // What they held is free again.
  const std::string bytes(100, 'a');
  ASSERT_TRUE(Upload(leases[0], bytes, Sha256::Of(bytes)).ok());
  EXPECT_TRUE(Complete(leases[0], Sha256::Of(bytes)).ok());
}

TEST_F(Limits, AClientThatFallsSilentInAStreamIsCutOff) {
  options_.dispatch.longest_silence = absl::Milliseconds(200);
  Restart();
  Create(1);
  const auto leases = Lease(Register("w"), 1);
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(BeginToComplete(leases[0])->stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  v1::UploadArtifactResponse response;
  grpc::ClientContext context;
  const auto upload = dispatch_->UploadArtifact(&context, &response);
  EXPECT_EQ(upload->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // Its lease goes on, and so does a stream that does not stop.
  const std::string bytes(100, 'a');
  ASSERT_TRUE(Upload(leases[0], bytes, Sha256::Of(bytes)).ok());
  EXPECT_TRUE(Complete(leases[0], Sha256::Of(bytes)).ok());
}

// Unlike Dial's, its connection is its own, and holds 64 kB of a stream that nobody reads.
std::shared_ptr<grpc::Channel> ConnectionTo(
    const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel(address, credentials, args);
}

// Ends of runs, lines of logs and a checkpoint, each more than a connection holds unread.
TEST_F(Limits, AClientThatReadsNoMoreOfAStreamIsCutOff) {
  options_.dispatch.longest_silence = absl::Milliseconds(200);
  Restart();
  const v1::Sweep sweep = Create(20'000);
  const auto leases = Lease(Register("w"), 1);
  ASSERT_EQ(leases.size(), 1u);
  const std::string bytes(4 << 20, 'a');
  ASSERT_TRUE(Save(leases[0], bytes).ok());
  const int64_t run_id = leases[0].ref().run_id();
  Query(StrCat("insert into attempts (run_id, attempt, token, worker_id, worker, host, granted_at,"
               " outcome, error, log_tail) select ",
               run_id,
               ", i, gen_random_uuid(), 1, 'w', 'h', now(), 'lost', '',"
               " repeat(repeat('l', 99) || E'\\n', 600) from generate_series(10, 99) i"));

  const auto channel =
      ConnectionTo(coordinator_->address(), grpc::InsecureChannelCredentials());
  const auto sweeps = v1::SweepService::NewStub(channel);
  const auto dispatch = v1::DispatchService::NewStub(channel);
  grpc::ClientContext watching, following, loading;
  v1::WatchSweepRequest watch;
  watch.set_sweep_id(sweep.sweep_id());
  const auto watcher = sweeps->WatchSweep(&watching, watch);
  v1::WatchSweepResponse state;
  ASSERT_TRUE(watcher->Read(&state));
  // Nothing to tell is no silence of the client's.
  absl::SleepFor(absl::Milliseconds(1500));
  v1::CancelSweepRequest cancel;
  cancel.set_sweep_id(sweep.sweep_id());
  v1::CancelSweepResponse cancelled;
  grpc::ClientContext cancelling;
  ASSERT_TRUE(sweeps_->CancelSweep(&cancelling, cancel, &cancelled).ok());
  v1::StreamLogsRequest follow;
  follow.set_run_id(run_id);
  follow.set_follow(true);
  const auto follower = sweeps->StreamLogs(&following, follow);
  v1::LoadCheckpointRequest load;
  *load.mutable_ref() = leases[0].ref();
  load.set_sha256(Sha256::Of(bytes));
  const auto loader = dispatch->LoadCheckpoint(&loading, load);

  absl::SleepFor(absl::Seconds(4));
  const auto end_of = [](auto& stream, auto message) {
    while (stream->Read(&message)) {
    }
    return stream->Finish().error_code();
  };
  EXPECT_EQ(end_of(watcher, state), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(end_of(follower, v1::StreamLogsResponse()), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(end_of(loader, v1::LoadCheckpointResponse()), grpc::StatusCode::CANCELLED);
}

std::unique_ptr<v1::SweepService::Stub> ClientOf(const std::string& address) {
  return v1::SweepService::NewStub(
      ConnectionTo(address, grpc::experimental::LocalCredentials(LOCAL_TCP)));
}

TEST_F(Limits, OneClientCannotFillTheLaneForOthers) {
  listen_ = "127.0.0.1:0";
  Restart();
  const v1::Sweep sweep = Create(1);
  pqxx::connection connection(conninfo_);
  auto lock = std::make_unique<pqxx::work>(connection);
  lock->exec("lock table sweeps in access exclusive mode");

  struct Call {
    grpc::ClientContext context;
    v1::GetSweepResponse response;
    grpc::Status status;
  };
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<std::unique_ptr<grpc::ClientAsyncResponseReader<v1::GetSweepResponse>>> readers;
  v1::GetSweepRequest request;
  request.set_sweep_id(sweep.sweep_id());
  const auto ask = [&](v1::SweepService::Stub& client) {
    calls.push_back(std::make_unique<Call>());
    readers.push_back(client.AsyncGetSweep(&calls.back()->context, request, &queue));
    readers.back()->Finish(&calls.back()->response, &calls.back()->status, calls.back().get());
  };
  const auto busy = ClientOf(coordinator_->address()), other = ClientOf(coordinator_->address());
  constexpr int kBeyond = 5;
  for (int i = 0; i < kMostGeneralCallsAClient + kBeyond; ++i) ask(*busy);
  // Those beyond the limit are answered while the others wait for the table.
  void* tag = nullptr;
  bool ok = false;
  for (int i = 0; i < kBeyond; ++i) {
    ASSERT_TRUE(queue.Next(&tag, &ok));
    const absl::Status status = FromGrpc(static_cast<Call*>(tag)->status);
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_TRUE(RetryAfter(status).has_value());
  }
  ask(*other);
  lock.reset();
  for (int i = 0; i < kMostGeneralCallsAClient + 1; ++i) {
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_TRUE(static_cast<Call*>(tag)->status.ok());
  }
  ask(*busy);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_TRUE(static_cast<Call*>(tag)->status.ok());
}

}  // namespace
}  // namespace gridsweep::coordinator
