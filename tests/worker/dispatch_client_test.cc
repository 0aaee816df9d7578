// The client against a real gRPC server that fails in the ways that networks
// and coordinators fail.
#include "worker/dispatch_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <thread>
#include <utility>

#include "common/rpc.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/verdict.h"
#include "tests/support/link.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::worker {
namespace {

// Answers each call with the next of `failures`, then with OK; keeps what it was sent.
class FailingServer : public v1::DispatchService::Service {
 public:
  std::deque<absl::Status> failures;
  std::vector<std::string> request_ids;
  std::string artifact;
  int uploads = 0;
  std::vector<v1::CompleteRunRequest> parts;
  std::atomic<bool> waiting = false;
  // Called once by the next CompleteRun, after its first part.
  std::function<void()> cut;
  // Streams that said they were whole and were not.
  std::atomic<int> cut_short = 0;
  // Of uploads: so many bytes a stream are taken before it breaks; a pause after each chunk; no
  // chunk is read once this is set.
  size_t most_a_stream = SIZE_MAX;
  std::chrono::milliseconds slowness{0};
  std::atomic<bool> deaf = false;
  bool keeps_parts = false;  // as FindUpload tells
  std::vector<uint64_t> offsets;
  std::vector<int64_t> failed_runs;

  grpc::Status Next() {
    if (failures.empty()) return grpc::Status::OK;
    const absl::Status failure = failures.front();
    failures.pop_front();
    return ToGrpc(failure);
  }
  grpc::Status Register(grpc::ServerContext*, const v1::RegisterRequest*,
                        v1::RegisterResponse*) override {
    return Next();
  }
  grpc::Status LeaseRuns(grpc::ServerContext* context, const v1::LeaseRunsRequest* request,
                         v1::LeaseRunsResponse*) override {
    request_ids.push_back(request->request_id());
    if (request->max_runs() == 64) {  // a poll without an end
      waiting = true;
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::CANCELLED;
    }
    return Next();
  }
  grpc::Status UploadArtifact(grpc::ServerContext* context,
                              grpc::ServerReader<v1::UploadArtifactRequest>* reader,
                              v1::UploadArtifactResponse*) override {
    ++uploads;
    v1::UploadArtifactRequest part;
    if (!reader->Read(&part)) return grpc::Status::CANCELLED;
    offsets.push_back(part.header().offset());
    artifact.resize(part.header().offset());
    size_t taken = 0;
    while (taken < most_a_stream && reader->Read(&part)) {
      EXPECT_LE(part.chunk().size(), 1U << 20);
      artifact += part.chunk();
      taken += part.chunk().size();
      std::this_thread::sleep_for(slowness);
      while (deaf && !context->IsCancelled()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
    if (taken >= most_a_stream) return {grpc::StatusCode::UNAVAILABLE, "broken"};
    return Next();
  }
  grpc::Status FindUpload(grpc::ServerContext*, const v1::FindUploadRequest*,
                          v1::FindUploadResponse* response) override {
    if (!keeps_parts) return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "of an older version");
    response->set_received(artifact.size());
    return grpc::Status::OK;
  }
  grpc::Status FailRun(grpc::ServerContext*, const v1::FailRunRequest* request,
                       v1::FailRunResponse*) override {
    const grpc::Status status = Next();
    if (status.ok()) failed_runs.push_back(request->ref().run_id());
    return status;
  }
  grpc::Status CompleteRun(grpc::ServerContext* context,
                           grpc::ServerReader<v1::CompleteRunRequest>* reader,
                           v1::CompleteRunResponse*) override {
    v1::CompleteRunRequest part;
    if (cut && reader->Read(&part)) std::exchange(cut, nullptr)();
    parts.clear();
    while (reader->Read(&part)) parts.push_back(part);
    uint32_t units = 0;
    for (const auto& sent : parts) {
      if (sent.has_units()) units += static_cast<uint32_t>(sent.units().columns(0).value_size());
    }
    cut_short +=
        !context->IsCancelled() && !parts.empty() && units < parts[0].header().unit_count();
    return Next();
  }
};

class DispatchClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = RpcServer::Start("127.0.0.1:0", {&server_});
    ASSERT_TRUE(started.ok()) << started.status();
    rpc_ = *std::move(started);
    client_ = std::make_unique<DispatchClient>(Dial(rpc_->address()));
  }

  FailingServer server_;
  std::unique_ptr<RpcServer> rpc_;
  std::unique_ptr<DispatchClient> client_;
};

bool Always() { return true; }

TEST_F(DispatchClientTest, RepeatsTheSameRequestUntilItIsAnswered) {
  server_.failures.assign(6, absl::UnavailableError("no database"));
  v1::LeaseRunsRequest request;
  request.set_request_id("sixteen bytes...");
  EXPECT_TRUE(client_->LeaseRuns(request).ok());
  EXPECT_EQ(server_.request_ids.size(), 7U);
  EXPECT_THAT(server_.request_ids, ::testing::Each("sixteen bytes..."));
}

TEST_F(DispatchClientTest, WaitsAsAFullServerAsks) {
  server_.failures = {
      WithRetryAfter(absl::ResourceExhaustedError("lane full"), absl::Milliseconds(10))};
  EXPECT_TRUE(client_->LeaseRuns({}).ok());
}

TEST_F(DispatchClientTest, TakesARefusalAsFinal) {
  server_.failures = {LeaseLost(7)};
  const absl::Status status =
      client_->UploadArtifact({}, "abc", Sha256::Of("abc"), [](uint64_t) {}, {Always});
  EXPECT_TRUE(IsLeaseLost(status)) << status;
  EXPECT_EQ(server_.uploads, 1);
  server_.failures = {Refused(absl::ResourceExhaustedError("larger than max_artifact_bytes"))};
  EXPECT_TRUE(absl::IsResourceExhausted(
      client_->UploadArtifact({}, "abc", Sha256::Of("abc"), [](uint64_t) {}, {Always})));
}

TEST_F(DispatchClientTest, WaitsForANewTokenOnceItWasAccepted) {
  const absl::Status unknown = absl::UnauthenticatedError("unknown, expired or revoked");
  server_.failures = {unknown};
  EXPECT_TRUE(absl::IsUnauthenticated(client_->Register({}, Always).status()));
  ASSERT_TRUE(client_->Register({}, Always).ok());
  server_.failures.assign(3, unknown);
  EXPECT_TRUE(
      client_->UploadArtifact({}, "abc", Sha256::Of("abc"), [](uint64_t) {}, {Always}).ok());
  EXPECT_EQ(server_.uploads, 4);
}

TEST_F(DispatchClientTest, SendsAnArtifactWholeAgainWhenItArrivedDamaged) {
  server_.failures = {absl::DataLossError("hash differs")};
  std::string bytes(3'000'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 24);
  uint64_t sent = 0;
  EXPECT_TRUE(client_
                  ->UploadArtifact({}, bytes, Sha256::Of(bytes),
                                   [&](uint64_t chunks) { sent = chunks; }, {Always})
                  .ok());
  EXPECT_EQ(server_.uploads, 2);
  EXPECT_EQ(server_.artifact, bytes);
  EXPECT_EQ(sent, (bytes.size() + 65535) / 65536);
}

TEST_F(DispatchClientTest, SendsUnitsInBlocksThatFitAMessage) {
  v1::CompleteRunRequest::Header header;
  header.set_unit_count(5000);
  std::vector<double> values(5000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  values[4999] = std::numeric_limits<double>::quiet_NaN();
  ASSERT_TRUE(client_->CompleteRun(header, {{"grid_score_60", values}}, {Always}).ok());
  ASSERT_EQ(server_.parts.size(), 11U);
  EXPECT_EQ(server_.parts[0].header().unit_count(), 5000U);
  EXPECT_EQ(server_.parts[1].units().first_unit(), 0U);
  EXPECT_EQ(server_.parts[1].units().columns(0).value_size(), 512);
  EXPECT_EQ(server_.parts[10].units().first_unit(), 4608U);
  EXPECT_EQ(server_.parts[10].units().columns(0).value(0), 4608);
  EXPECT_TRUE(std::isnan(server_.parts[10].units().columns(0).value(391)));
}

TEST_F(DispatchClientTest, NeverSaysThatAResultIsWholeWhichIsNot) {
  const gridsweep::testing::TemporaryDirectory directory;
  const std::string server = directory / "server", proxy = directory / "link";
  auto rpc = RpcServer::Start("unix:" + server, {&server_}).value();
  gridsweep::testing::Link link(proxy, {server});
  DispatchClient client(Dial("unix:" + proxy));
  v1::CompleteRunRequest::Header header;
  header.set_unit_count(40960);
  const std::vector<double> values(40960, 0.5);
  for (int i = 0; i < 100; ++i) {
    server_.cut = [&] {
      link.Set(gridsweep::testing::Link::State::kCut);
      link.Set(gridsweep::testing::Link::State::kOpen);
    };
    const auto completed = client.CompleteRun(header, {{"grid_score_60", values}}, {Always});
    ASSERT_TRUE(completed.ok()) << completed.status();
    ASSERT_EQ(server_.cut_short, 0) << "call " << i;
  }
}

TEST_F(DispatchClientTest, GivesUpWhatIsNoLongerWanted) {
  server_.failures.assign(1000, absl::UnavailableError("no database"));
  int asked = 0;
  const absl::Status status = client_->UploadArtifact({}, "abc", Sha256::Of("abc"), [](uint64_t) {},
                                                      {[&] { return ++asked < 6; }});
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

TEST_F(DispatchClientTest, ComesBackAfterOneAttemptWhereThatIsAsked) {
  server_.failures.assign(1000, absl::UnavailableError("no database"));
  const absl::Status status =
      client_->CompleteRun({}, {}, {.wanted = Always, .once = absl::Seconds(10)}).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(DispatchClient::MaySucceedLater(status));
  EXPECT_FALSE(DispatchClient::MaySucceedLater(LeaseLost(7)));
}

// What networks, proxies, disks and other servers answer at this address.
std::vector<absl::Status> NoVerdicts() {
  return {absl::InternalError("cannot create the file: Read-only file system"),
          absl::PermissionDeniedError("the token has the role read"),
          absl::UnauthenticatedError("unknown, expired or revoked"),
          absl::UnimplementedError("no such service here"),
          absl::NotFoundError("404"),
          absl::InvalidArgumentError("of somebody else"),
          absl::FailedPreconditionError("of somebody else"),
          absl::ResourceExhaustedError("message larger than max"),
          absl::DataLossError("hash differs"),
          absl::UnknownError("?"),
          absl::CancelledError("a server that goes")};
}

TEST_F(DispatchClientTest, OnlyAVerdictEndsAResult) {
  for (const absl::Status& failure : NoVerdicts()) {
    server_.failures = {failure};
    const absl::Status once =
        client_->CompleteRun({}, {}, {.wanted = Always, .once = absl::Seconds(10)}).status();
    EXPECT_EQ(once.code(), failure.code());
    EXPECT_TRUE(DispatchClient::MaySucceedLater(once)) << once;
  }
  for (const absl::Status& verdict :
       {LeaseLost(7), WithVerdict(InvalidField("header.steps", "must be 5")),
        Refused(absl::ResourceExhaustedError("too large"))}) {
    server_.failures = {verdict};
    const absl::Status status = client_->CompleteRun({}, {}, {Always}).status();
    EXPECT_EQ(status.code(), verdict.code());
    EXPECT_FALSE(DispatchClient::MaySucceedLater(status)) << status;
  }
}

TEST_F(DispatchClientTest, TriesAFailureAgainAndAgainUntilItIsMended) {
  for (const absl::Status& failure : NoVerdicts()) server_.failures.push_back(failure);
  v1::FailRunRequest request;
  request.mutable_ref()->set_run_id(7);
  EXPECT_TRUE(client_->FailRun(request, {Always}).ok());
  EXPECT_THAT(server_.failed_runs, ::testing::ElementsAre(7));
}

TEST_F(DispatchClientTest, GoesOnWithAnUploadWhereItBroke) {
  server_.keeps_parts = true;
  server_.most_a_stream = 400'000;  // rounded up to chunks: 7 of them
  const std::string bytes(1'000'000, 'x');
  const absl::Status status =
      client_->UploadArtifact({}, bytes, Sha256::Of(bytes), [](uint64_t) {}, {Always});
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(server_.offsets, ::testing::ElementsAre(0, 7 << 16, 14 << 16));
  EXPECT_EQ(server_.artifact, bytes);
}

TEST_F(DispatchClientTest, TakesAsLongAsItTakesWhileSomethingMoves) {
  DispatchClient client(Dial(rpc_->address()), nullptr, {.stall = absl::Seconds(1)});
  const std::string bytes(3'000'000, 'x');
  server_.slowness = std::chrono::milliseconds(100);
  server_.keeps_parts = true;
  const absl::Time start = absl::Now();
  const absl::Status status =
      client.UploadArtifact({}, bytes, Sha256::Of(bytes), [](uint64_t) {}, {Always});
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_GT(absl::Now() - start, absl::Seconds(4));
  EXPECT_EQ(server_.artifact, bytes);
  // What connections hold is not seen to move: a stream may be begun again for its last seconds,
  // and goes on where it was.
  EXPECT_LE(server_.uploads, 6);
  // Where nothing does, it is begun again.
  server_.slowness = {};
  server_.deaf = true;
  const absl::Status stalled = client.UploadArtifact(
      {}, bytes, Sha256::Of(bytes), [](uint64_t) {}, {.wanted = Always, .once = absl::Hours(1)});
  EXPECT_TRUE(absl::IsDeadlineExceeded(stalled)) << stalled;
  EXPECT_TRUE(DispatchClient::MaySucceedLater(stalled));
}

TEST_F(DispatchClientTest, WaitsForAServerThatIsBusyAndForNoOther) {
  const absl::Status busy =
      WithRetryAfter(absl::ResourceExhaustedError("others first"), absl::Milliseconds(10));
  server_.failures.assign(3, busy);
  const DispatchClient::Patience once{.wanted = Always, .once = absl::Seconds(10)};
  EXPECT_TRUE(client_->CompleteRun({}, {}, once).ok());
  server_.failures.assign(3, absl::UnavailableError("no database"));
  EXPECT_TRUE(absl::IsUnavailable(client_->CompleteRun({}, {}, once).status()));
}

TEST_F(DispatchClientTest, StopLeasingEndsALongPollAtOnce) {
  v1::LeaseRunsRequest request;
  request.set_max_runs(64);
  request.mutable_max_wait()->set_seconds(30);
  absl::Status status;
  std::thread poll([&] { status = client_->LeaseRuns(request).status(); });
  while (!server_.waiting) std::this_thread::yield();
  client_->StopLeasing();
  poll.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  // The other calls go on.
  EXPECT_TRUE(client_->CompleteRun({}, {}, {Always}).ok());
}

TEST_F(DispatchClientTest, AbortEndsTheWaitForADeadServer) {
  rpc_.reset();
  absl::Status status;
  std::thread call([&] { status = client_->CompleteRun({}, {}, {Always}).status(); });
  client_->Abort();
  call.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

}  // namespace
}  // namespace gridsweep::worker
