#include <atomic>
#include <thread>

#include "tests/coordinator/server_fixture.h"

namespace gridsweep::coordinator {
namespace {

class SweepLifecycle : public ServerTest {
 protected:
  template <typename Request, typename Response>
  grpc::Status Ask(grpc::Status (v1::SweepService::Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, Response*),
                   const Request& request, Response* response) {
    grpc::ClientContext context;
    return (sweeps_.get()->*method)(&context, request, response);
  }
  grpc::Status Pause(int64_t sweep_id) {
    v1::PauseSweepRequest request;
    request.set_sweep_id(sweep_id);
    v1::PauseSweepResponse response;
    return Ask(&v1::SweepService::Stub::PauseSweep, request, &response);
  }
  int64_t Resume(int64_t sweep_id) {
    v1::ResumeSweepRequest request;
    request.set_sweep_id(sweep_id);
    v1::ResumeSweepResponse response;
    EXPECT_TRUE(Ask(&v1::SweepService::Stub::ResumeSweep, request, &response).ok());
    return response.resumed();
  }
  grpc::Status Delete(int64_t sweep_id) {
    v1::DeleteSweepRequest request;
    request.set_sweep_id(sweep_id);
    v1::DeleteSweepResponse response;
    return Ask(&v1::SweepService::Stub::DeleteSweep, request, &response);
  }
  bool HasFile(const std::string& sha256) const {
    const std::string hex = ToHex(sha256);
    return std::filesystem::exists(directory_ + "/artifacts/" + hex.substr(0, 2) + "/" +
                                   hex.substr(2, 2) + "/" + hex + ".h5");
  }
};

TEST_F(SweepLifecycle, ResumingWakesAWorkerThatWaits) {
  const v1::Sweep sweep = Create(1);
  const auto worker = Register("w");
  ASSERT_TRUE(Pause(sweep.sweep_id()).ok());
  EXPECT_TRUE(Lease(worker, 1).empty());
  std::vector<v1::Lease> leases;
  std::thread waiter([&] { leases = Lease(worker, 1, 25); });
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_EQ(Resume(sweep.sweep_id()), 1);
  waiter.join();
  EXPECT_EQ(leases.size(), 1u);
}

TEST_F(SweepLifecycle, RetryTakesEndedRunsOnly) {
  const v1::Sweep sweep = Create(1);
  v1::RetrySweepRequest request;
  request.set_sweep_id(sweep.sweep_id());
  v1::RetrySweepResponse response;
  for (const v1::RunState state :
       {v1::RUN_STATE_UNSPECIFIED, v1::RUN_STATE_PENDING, v1::RUN_STATE_LEASED,
        v1::RUN_STATE_SUCCEEDED, static_cast<v1::RunState>(77)}) {
    request.clear_states();
    request.add_states(state);
    EXPECT_EQ(Ask(&v1::SweepService::Stub::RetrySweep, request, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT)
        << state;
  }
  request.clear_states();
  ASSERT_TRUE(Ask(&v1::SweepService::Stub::RetrySweep, request, &response).ok());
  EXPECT_EQ(response.retried(), 0) << "no state means failed";
  for (int i = 0; i <= 10'000; ++i) request.add_run_ids(i);
  EXPECT_EQ(Ask(&v1::SweepService::Stub::RetrySweep, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(SweepLifecycle, ADeletedSweepLeavesNeitherRowsNorFiles) {
  options_.tick = absl::Milliseconds(50);
  coordinator_.reset();
  Start();
  const v1::Sweep sweep = Create(3);
  const auto worker = Register("w");
  const auto leases = Lease(worker, 3);
  const std::string sha256 = Sha256::Of("bytes");
  ASSERT_TRUE(Upload(leases[0], "bytes", sha256).ok());
  ASSERT_TRUE(Complete(leases[0], sha256).ok());
  ASSERT_TRUE(HasFile(sha256));
  const absl::Status refused = FromGrpc(Delete(sweep.sweep_id()));
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(Reason(refused), "SWEEP_HAS_LEASES");
  v1::CancelSweepRequest cancel;
  cancel.set_sweep_id(sweep.sweep_id());
  v1::CancelSweepResponse cancelled;
  ASSERT_TRUE(Ask(&v1::SweepService::Stub::CancelSweep, cancel, &cancelled).ok());
  v1::ReleaseRunsRequest release;
  for (const v1::Lease& lease : leases) *release.add_refs() = lease.ref();
  v1::ReleaseRunsResponse released;
  grpc::ClientContext context;
  ASSERT_TRUE(dispatch_->ReleaseRuns(&context, release, &released).ok());
  EXPECT_EQ(released.released(), 2u);
  ASSERT_TRUE(Delete(sweep.sweep_id()).ok());
  EXPECT_EQ(Delete(sweep.sweep_id()).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_TRUE(Eventually([&] { return !HasFile(sha256); }));
  EXPECT_TRUE(Eventually([&] {
    return Count(
               "select (select count(*) from runs) + (select count(*) from attempts) + "
               "(select count(*) from units) + (select count(*) from sweeps) + "
               "(select count(*) from artifact_garbage)") == 0;
  }));
}

// The same bytes are uploaded for another run while the first one's file goes.
TEST_F(SweepLifecycle, ADeleteNeverTakesTheFileOfAResultThatIsUploadedMeanwhile) {
  options_.tick = absl::Milliseconds(1);
  coordinator_.reset();
  Start();
  const auto worker = Register("w");
  const std::string bytes(100'000, 'x'), sha256 = Sha256::Of(bytes);
  for (int round = 0; round < 25; ++round) {
    const v1::Sweep first = Create(1);
    const auto one = Lease(worker, 1);
    ASSERT_EQ(one.size(), 1u);
    ASSERT_TRUE(Upload(one[0], bytes, sha256).ok());
    ASSERT_TRUE(Complete(one[0], sha256).ok());
    const v1::Sweep second = Create(1);
    const auto two = Lease(worker, 1);
    ASSERT_EQ(two.size(), 1u);
    std::thread deleter([&] { EXPECT_TRUE(Delete(first.sweep_id()).ok()); });
    // As a worker delivers: again from the upload when the file is not there.
    absl::Status status;
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    do {
      status = FromGrpc(Upload(two[0], bytes, sha256));
      if (status.ok()) status = FromGrpc(Complete(two[0], sha256));
    } while ((absl::IsUnavailable(status) || Reason(status) == "ARTIFACT_UNKNOWN") &&
             absl::Now() < deadline);
    deleter.join();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(Eventually([&] { return Count("select count(*) from sweeps") == 1; }));
    ASSERT_TRUE(Eventually([&] { return Count("select count(*) from artifact_garbage") == 0; }));
    ASSERT_TRUE(HasFile(sha256)) << round;
    ASSERT_EQ(Count("select count(*) from artifacts"), 1);
    ASSERT_TRUE(Delete(second.sweep_id()).ok());
    ASSERT_TRUE(Eventually([&] { return Count("select count(*) from sweeps") == 0; }));
    ASSERT_TRUE(Eventually([&] { return !HasFile(sha256); })) << round;
  }
}

TEST_F(SweepLifecycle, AReusingSweepFinishesWithoutAWorkerAndSaysSo) {
  Create(1);
  const auto leases = Lease(Register("w"), 1);
  ASSERT_EQ(leases.size(), 1u);
  const std::string bytes(100, 'a');
  ASSERT_TRUE(Upload(leases[0], bytes, Sha256::Of(bytes)).ok());
  ASSERT_TRUE(Complete(leases[0], Sha256::Of(bytes)).ok());
  v1::CreateSweepRequest request = SpecOf(1);
  request.mutable_spec()->mutable_settings()->set_reuse(true);
  v1::CreateSweepResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(sweeps_->CreateSweep(&context, request, &response).ok());
  ASSERT_EQ(response.notices_size(), 1);
  EXPECT_EQ(response.notices(0).message(),
            "1 of 1 runs have a result in another sweep, and take that");
  EXPECT_TRUE(Eventually([&] {
    return Count(StrCat("select count(*) from run_state where state = 4 and sweep_id = ",
                        response.sweep().sweep_id())) == 1;
  }));
}

}  // namespace
}  // namespace gridsweep::coordinator
