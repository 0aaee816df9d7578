// Files on their way: broken and gone on with, refused with a verdict or without one, a few at a
// time, and an artifact directory that is away.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "common/verdict.h"
#include "tests/coordinator/server_fixture.h"
#include "tests/support/health.h"

namespace gridsweep::coordinator {
namespace {

namespace fs = std::filesystem;

class Uploads : public ServerTest {
 protected:
  void SetUp() override {
    Start();
    Create(2);
    worker_ = Register("w");
    lease_ = Lease(worker_, 1).at(0);
  }

  // A stream that has sent its header, and what it goes on with.
  struct Stream {
    grpc::ClientContext context;
    v1::UploadArtifactResponse response;
    std::unique_ptr<grpc::ClientWriter<v1::UploadArtifactRequest>> writer;
  };
  std::unique_ptr<Stream> Begin(const std::string& bytes, uint64_t offset) {
    auto stream = std::make_unique<Stream>();
    stream->writer = dispatch_->UploadArtifact(&stream->context, &stream->response);
    v1::UploadArtifactRequest request;
    *request.mutable_header()->mutable_ref() = lease_.ref();
    request.mutable_header()->set_sha256(Sha256::Of(bytes));
    request.mutable_header()->set_size(bytes.size());
    request.mutable_header()->set_kind("result");
    request.mutable_header()->set_offset(offset);
    stream->writer->Write(request);
    return stream;
  }
  static void Send(Stream& stream, const std::string& bytes) {
    v1::UploadArtifactRequest request;
    request.set_chunk(bytes);
    stream.writer->Write(request);
  }
  static absl::Status End(Stream& stream) {
    stream.writer->WritesDone();
    return FromGrpc(stream.writer->Finish());
  }
  absl::StatusOr<uint64_t> Received(const v1::LeaseRef& ref, const std::string& bytes) {
    v1::FindUploadRequest request;
    *request.mutable_ref() = ref;
    request.set_sha256(Sha256::Of(bytes));
    v1::FindUploadResponse response;
    grpc::ClientContext context;
    RETURN_IF_ERROR(FromGrpc(dispatch_->FindUpload(&context, request, &response)));
    return response.received();
  }
  fs::path artifacts() const { return directory_ + "/artifacts"; }

  TestWorker worker_;
  v1::Lease lease_;
};

TEST_F(Uploads, OneThatBreaksGoesOnWhereItStopped) {
  std::string bytes(300'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 24);
  {
    const auto broken = Begin(bytes, 0);
    Send(*broken, bytes.substr(0, 100'000));
    EXPECT_TRUE(Eventually([&] { return Received(lease_.ref(), bytes).value_or(0) == 100'000; }));
    broken->context.TryCancel();
    EXPECT_FALSE(End(*broken).ok());
  }
  // Another coordinator of the same database and directory knows of it, too.
  coordinator_.reset();
  Start();
  EXPECT_EQ(Received(lease_.ref(), bytes).value(), 100'000u);
  const auto early = Begin(bytes, 100'001);
  EXPECT_TRUE(absl::IsAborted(End(*early)));
  const auto rest = Begin(bytes, 100'000);
  Send(*rest, bytes.substr(100'000));
  const absl::Status status = End(*rest);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Received(lease_.ref(), bytes).value(), 0u);
  EXPECT_TRUE(Complete(lease_, Sha256::Of(bytes)).ok());
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(artifacts())) {
    if (entry.path().extension() != ".h5") continue;
    ++files;
    std::ifstream in(entry.path(), std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), bytes);
  }
  EXPECT_EQ(files, 1);
}

TEST_F(Uploads, WhatAnotherLeaseHasSentIsNotTold) {
  const std::string bytes = "half and half";
  {
    const auto broken = Begin(bytes, 0);
    Send(*broken, "half");
    EXPECT_TRUE(Eventually([&] { return Received(lease_.ref(), bytes).value_or(0) == 4; }));
  }
  const auto other = Lease(worker_, 1);
  ASSERT_EQ(other.size(), 1u);
  EXPECT_EQ(Received(other[0].ref(), bytes).value(), 0u);
  v1::LeaseRef forged = lease_.ref();
  forged.set_token(RandomBytes(16));
  EXPECT_TRUE(IsLeaseLost(Received(forged, bytes).status()));
}

TEST_F(Uploads, OnlyWhatNoRepeatChangesIsAVerdict) {
  const std::string bytes = "bytes";
  // Malformed, and too large.
  EXPECT_TRUE(IsVerdict(FromGrpc(Upload(lease_, bytes, "short"))));
  EXPECT_TRUE(IsVerdict(End(*Begin(bytes, bytes.size() + 1))));
  options_.dispatch.max_artifact_bytes = 3;
  coordinator_.reset();
  Start();
  const absl::Status large = FromGrpc(Upload(lease_, bytes, Sha256::Of(bytes)));
  EXPECT_TRUE(absl::IsResourceExhausted(large) && IsVerdict(large)) << large;
  options_.dispatch.max_artifact_bytes = 1000;
  coordinator_.reset();
  Start();
  // Damaged on its way, and not there.
  const absl::Status damaged = FromGrpc(Upload(lease_, bytes, Sha256::Of("others")));
  EXPECT_TRUE(absl::IsDataLoss(damaged) && !IsVerdict(damaged)) << damaged;
  const absl::Status unknown = FromGrpc(Complete(lease_, Sha256::Of("others")));
  EXPECT_TRUE(!unknown.ok() && !IsVerdict(unknown)) << unknown;
  // A result with a fault, a failure and a release with one.
  ASSERT_TRUE(Upload(lease_, bytes, Sha256::Of(bytes)).ok());
  const absl::Status faulty = FromGrpc(Complete(lease_, "short"));
  EXPECT_TRUE(absl::IsInvalidArgument(faulty) && IsVerdict(faulty)) << faulty;
  v1::FailRunRequest fail;
  v1::FailRunResponse failed;
  grpc::ClientContext context;
  EXPECT_TRUE(IsVerdict(FromGrpc(dispatch_->FailRun(&context, fail, &failed))));
  EXPECT_TRUE(Complete(lease_, Sha256::Of(bytes)).ok());
}

TEST_F(Uploads, TheResultOfADeletedSweepHasLostItsLease) {
  const std::string bytes = "bytes";
  ASSERT_TRUE(Upload(lease_, bytes, Sha256::Of(bytes)).ok());
  v1::CancelSweepRequest cancel;
  cancel.set_sweep_id(lease_.sweep_id());
  v1::CancelSweepResponse cancelled;
  grpc::ClientContext first, second;
  ASSERT_TRUE(sweeps_->CancelSweep(&first, cancel, &cancelled).ok());
  v1::ReleaseRunsRequest release;
  *release.add_refs() = lease_.ref();
  v1::ReleaseRunsResponse released;
  ASSERT_TRUE(dispatch_->ReleaseRuns(&second, release, &released).ok());
  v1::DeleteSweepRequest remove;
  remove.set_sweep_id(lease_.sweep_id());
  v1::DeleteSweepResponse removed;
  grpc::ClientContext third;
  const grpc::Status status = sweeps_->DeleteSweep(&third, remove, &removed);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_TRUE(Eventually([&] { return Count("select count(*) from runs") == 0; }));
  EXPECT_TRUE(IsLeaseLost(FromGrpc(Upload(lease_, bytes, Sha256::Of(bytes)))));
  EXPECT_TRUE(IsLeaseLost(FromGrpc(Complete(lease_, Sha256::Of(bytes)))));
  v1::FailRunRequest fail;
  *fail.mutable_ref() = lease_.ref();
  v1::FailRunResponse failed;
  grpc::ClientContext fourth;
  EXPECT_TRUE(IsLeaseLost(FromGrpc(dispatch_->FailRun(&fourth, fail, &failed))));
}

TEST_F(Uploads, ComeAFewAtATimeAndTheOthersAreAskedToWait) {
  options_.dispatch.max_uploads = 2;
  coordinator_.reset();
  Start();
  const auto first = Begin("first", 0), second = Begin("second", 0);
  Send(*first, "f");
  Send(*second, "s");
  EXPECT_TRUE(Eventually([&] {
    return Received(lease_.ref(), "first").value_or(0) == 1 &&
           Received(lease_.ref(), "second").value_or(0) == 1;
  }));
  const absl::Status third = End(*Begin("third", 0));
  EXPECT_TRUE(absl::IsResourceExhausted(third)) << third;
  EXPECT_TRUE(RetryAfter(third).has_value() && !IsVerdict(third)) << third;
  Send(*first, "irst");
  EXPECT_TRUE(End(*first).ok());
  EXPECT_TRUE(Eventually([&] { return Upload(lease_, "third", Sha256::Of("third")).ok(); }));
}

TEST_F(Uploads, AnArtifactDirectoryThatIsAwayIsUnavailableAndNobodysFault) {
  options_.disk = {absl::Milliseconds(20), absl::Seconds(5)};
  options_.readiness = {absl::Milliseconds(20), absl::Milliseconds(200)};
  coordinator_.reset();
  Start();
  const auto ready = [&] {
    return testing::HealthOf(coordinator_->address(), "") == testing::kServing;
  };
  ASSERT_TRUE(Eventually(ready));
  const std::string bytes = "bytes";
  fs::rename(artifacts(), directory_ + "/away");
  fs::create_directory(artifacts());  // the mount point
  const absl::Status status = FromGrpc(Upload(lease_, bytes, Sha256::Of(bytes)));
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(Eventually([&] { return !ready(); }));
  fs::remove(artifacts());
  fs::rename(directory_ + "/away", artifacts());
  EXPECT_TRUE(Eventually(ready));
  EXPECT_TRUE(Upload(lease_, bytes, Sha256::Of(bytes)).ok());
  EXPECT_TRUE(Complete(lease_, Sha256::Of(bytes)).ok());
}

TEST_F(Uploads, NoCoordinatorBeginsOnAMountPointWithoutItsFileSystem) {
  ASSERT_TRUE(Upload(lease_, "bytes", Sha256::Of("bytes")).ok());
  coordinator_.reset();
  fs::rename(artifacts(), directory_ + "/away");
  fs::create_directory(artifacts());
  const absl::Status status = Coordinator::Start(options_).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(fs::is_empty(artifacts()));
  fs::remove(artifacts());
  fs::rename(directory_ + "/away", artifacts());
  Start();
}

}  // namespace
}  // namespace gridsweep::coordinator
