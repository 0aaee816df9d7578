// What waits on a worker's disk against a real gRPC server that has trouble with some of it.
#include "worker/delivery.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "common/rpc.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/verdict.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::worker {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool Eventually(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

// Takes results, but for those that it is told to have trouble with.
class TroubledServer : public v1::DispatchService::Service {
 public:
  void Trouble(int64_t run_id, absl::Status status) {
    MutexLock lock(mutex_);
    trouble_[run_id] = std::move(status);
  }
  void Mend() {
    MutexLock lock(mutex_);
    trouble_.clear();
    all_ = absl::OkStatus();
  }
  void TroubleWithAll(absl::Status status) {
    MutexLock lock(mutex_);
    all_ = std::move(status);
  }
  void Hang(int64_t run_id) { hung_ = run_id; }
  std::set<int64_t> completed() {
    MutexLock lock(mutex_);
    return completed_;
  }
  std::vector<int64_t> released() {
    MutexLock lock(mutex_);
    return released_;
  }
  std::vector<int64_t> failed() {
    MutexLock lock(mutex_);
    return failed_;
  }
  int attempts() const { return attempts_; }

  grpc::Status UploadArtifact(grpc::ServerContext* context,
                              grpc::ServerReader<v1::UploadArtifactRequest>* reader,
                              v1::UploadArtifactResponse*) override {
    v1::UploadArtifactRequest part;
    if (!reader->Read(&part)) return grpc::Status::CANCELLED;
    const int64_t run_id = part.header().ref().run_id();
    while (hung_ == run_id && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    while (reader->Read(&part)) {
    }
    MutexLock lock(mutex_);
    ++attempts_;
    return ToGrpc(all_);
  }
  grpc::Status CompleteRun(grpc::ServerContext*, grpc::ServerReader<v1::CompleteRunRequest>* reader,
                           v1::CompleteRunResponse*) override {
    v1::CompleteRunRequest part;
    if (!reader->Read(&part)) return grpc::Status::CANCELLED;
    const int64_t run_id = part.header().ref().run_id();
    while (reader->Read(&part)) {
    }
    MutexLock lock(mutex_);
    if (const auto found = trouble_.find(run_id); found != trouble_.end()) {
      return ToGrpc(found->second);
    }
    if (all_.ok()) completed_.insert(run_id);
    return ToGrpc(all_);
  }
  grpc::Status FailRun(grpc::ServerContext*, const v1::FailRunRequest* request,
                       v1::FailRunResponse*) override {
    MutexLock lock(mutex_);
    failed_.push_back(request->ref().run_id());
    return grpc::Status::OK;
  }
  grpc::Status ReleaseRuns(grpc::ServerContext*, const v1::ReleaseRunsRequest* request,
                           v1::ReleaseRunsResponse*) override {
    MutexLock lock(mutex_);
    for (const v1::LeaseRef& ref : request->refs()) released_.push_back(ref.run_id());
    return grpc::Status::OK;
  }

 private:
  Mutex mutex_;
  std::map<int64_t, absl::Status> trouble_ GUARDED_BY(mutex_);
  absl::Status all_ GUARDED_BY(mutex_);
  std::set<int64_t> completed_ GUARDED_BY(mutex_);
  std::vector<int64_t> released_ GUARDED_BY(mutex_), failed_ GUARDED_BY(mutex_);
  std::atomic<int64_t> hung_ = 0;
  std::atomic<int> attempts_ = 0;
};

class DeliveryTest : public ::testing::Test {
 protected:
  DeliveryTest() {
    rpc_ = RpcServer::Start("unix:" + (directory_ / "socket").string(), {&server_}).value();
    client_ = std::make_unique<DispatchClient>(Dial(rpc_->address()), nullptr,
                                               DispatchClient::Settings{absl::Minutes(10)});
    spool_ = Spool::Open(directory_ / "spool", 1 << 30).value();
  }
  ~DeliveryTest() override {
    client_->Abort();
    delivery_.reset();
    rpc_.reset();
  }

  static std::string TokenOf(int64_t run_id) {
    return Sha256::Of(std::to_string(run_id)).substr(0, 16);
  }
  void Write(int64_t run_id) {
    FinishedRun run;
    run.header.mutable_ref()->set_run_id(run_id);
    run.header.mutable_ref()->set_attempt(1);
    run.header.mutable_ref()->set_token(TokenOf(run_id));
    run.artifact = "artifact of " + std::to_string(run_id);
    run.header.add_artifacts()->set_sha256(Sha256::Of(run.artifact));
    ASSERT_TRUE(spool_->Write(run).ok());
  }
  void Deliver() {
    DeliveryHooks hooks;
    hooks.waiting = [this](size_t files) { waiting_ = files; };
    hooks.failed = [this](const absl::Status&) { ++failures_; };
    delivery_ = std::make_unique<Delivery>(*client_, held_, spool_, hooks);
  }
  std::vector<std::string> SetAside() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(directory_ / "spool")) {
      if (entry.path().extension() == ".set-aside") files.push_back(entry.path().filename());
    }
    return files;
  }

  const gridsweep::testing::TemporaryDirectory directory_;
  TroubledServer server_;
  std::unique_ptr<RpcServer> rpc_;
  std::unique_ptr<DispatchClient> client_;
  HeldLeases held_;
  std::optional<Spool> spool_;
  std::atomic<size_t> waiting_ = 0;
  std::atomic<int> failures_ = 0;
  std::unique_ptr<Delivery> delivery_;
};

TEST_F(DeliveryTest, OneThatIsNeverTakenAndOneThatHangsHoldUpNoneOfTwoHundred) {
  constexpr int kRuns = 200, kPoisoned = 1, kHung = 2;
  for (int run = 1; run <= kRuns; ++run) Write(run);
  server_.Trouble(kPoisoned, absl::InternalError("out of its mind"));
  server_.Hang(kHung);
  Deliver();
  EXPECT_EQ(delivery_->Left().size(), size_t{kRuns});
  EXPECT_TRUE(Eventually([&] { return server_.completed().size() == kRuns - 2; }))
      << server_.completed().size();
  // Nor have they been judged.
  EXPECT_TRUE(Eventually([&] { return held_.size() == 2 && waiting_ == 2; }));
  EXPECT_EQ(spool_->List().size(), 2u);
  EXPECT_GT(failures_, 0);
  EXPECT_THAT(server_.failed(), IsEmpty());
  server_.Mend();
  server_.Hang(0);
  EXPECT_TRUE(Eventually([&] { return server_.completed().size() == kRuns; }));
  EXPECT_TRUE(Eventually([&] { return held_.size() == 0 && waiting_ == 0; }));
  EXPECT_THAT(SetAside(), IsEmpty());
}

TEST_F(DeliveryTest, WhatIsNoVerdictLeavesEverythingWhereItIs) {
  for (int run = 1; run <= 3; ++run) Write(run);
  for (const absl::Status& trouble :
       {absl::PermissionDeniedError("the token has the role read"),
        absl::UnauthenticatedError("revoked"), absl::UnimplementedError("a wrong port"),
        absl::NotFoundError("404"), absl::InternalError("Read-only file system")}) {
    server_.TroubleWithAll(trouble);
    delivery_.reset();
    Deliver();
    const int before = failures_;
    EXPECT_TRUE(Eventually([&] { return failures_ >= before + 3; })) << trouble;
    EXPECT_EQ(spool_->List().size(), 3u) << trouble;
  }
  EXPECT_THAT(SetAside(), IsEmpty());
  EXPECT_THAT(server_.failed(), IsEmpty());
  server_.Mend();
  EXPECT_TRUE(Eventually([&] { return server_.completed().size() == 3; }));
}

TEST_F(DeliveryTest, AVerdictEndsOneAndIsTold) {
  Write(1);
  Write(2);
  Write(3);
  server_.Trouble(1, LeaseLost(1));
  server_.Trouble(2, WithVerdict(InvalidField("header.steps", "must be 5")));
  Deliver();
  EXPECT_TRUE(Eventually([&] { return held_.size() == 0; }));
  EXPECT_THAT(server_.completed(), ElementsAre(3));
  EXPECT_THAT(server_.failed(), ElementsAre(2));
  EXPECT_EQ(SetAside().size(), 1u);
  EXPECT_THAT(spool_->List(), IsEmpty());
}

TEST_F(DeliveryTest, ACancelReachesWhatWaits) {
  Write(1);
  Write(2);
  server_.Hang(1);
  server_.Trouble(2, absl::UnavailableError("no database"));
  Deliver();
  EXPECT_TRUE(Eventually([&] { return failures_ > 0; }));
  for (const HeldLease& held : held_.All()) {
    EXPECT_TRUE(held.spooled);
    held.monitor->RequestStop(StopReason::kCancelled);
  }
  EXPECT_TRUE(Eventually([&] { return held_.size() == 0; }));
  EXPECT_THAT(server_.released(), ::testing::UnorderedElementsAre(1, 2));
  EXPECT_THAT(spool_->List(), IsEmpty());
  EXPECT_THAT(server_.completed(), IsEmpty());
}

TEST_F(DeliveryTest, ADamagedFileNamesNoLeaseAndHoldsUpNone) {
  Write(1);
  Write(2);
  fs::resize_file(spool_->List()[0], 30);
  Deliver();
  EXPECT_EQ(delivery_->Left().size(), 1u);
  EXPECT_TRUE(Eventually([&] { return server_.completed().size() == 1; }));
  EXPECT_TRUE(Eventually([&] { return SetAside().size() == 1; }));
}

}  // namespace
}  // namespace gridsweep::worker
