// Sweeps that cost much to validate: others do not wait for them, and nobody waits for what nobody
// wants any more.
#include <grpcpp/grpcpp.h>
#include <httplib.h>

#include <chrono>
#include <memory>
#include <vector>

#include "tests/coordinator/server_fixture.h"

namespace gridsweep::coordinator {
namespace {

// 2 MB that keep an expansion busy until its budget is spent, many seconds.
std::string CostlyYaml() {
  std::string yaml =
      "method: grid\nparameters:\n  place_field_values: {value: gaussian}\n"
      "  seed: {min: 0, max: 999999}\n  Ng: {values: [4, 8]}\n"
      "  activation: {values: [relu, tanh, linear]}\ngridsweep: {exclude: [";
  for (int i = 0; i < 50'000; ++i) yaml += "{Ng: [4, 16], activation: [sigmoid, relu]},";
  return yaml + "]}\n";
}

class ExpansionCost : public ServerTest {
 protected:
  ExpansionCost() { options_.http.address = "127.0.0.1:0"; }

  struct Call {
    grpc::ClientContext context;
    v1::ValidateSweepResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<v1::ValidateSweepResponse>> reader;
  };
  void Validate(int calls) {
    v1::ValidateSweepRequest request;
    request.set_yaml(CostlyYaml());
    for (int i = 0; i < calls; ++i) {
      auto& call = *calls_.emplace_back(std::make_unique<Call>());
      call.reader = sweeps_->AsyncValidateSweep(&call.context, request, &queue_);
      call.reader->Finish(&call.response, &call.status, &call);
    }
  }
  Call* NextDone(std::chrono::seconds within) {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + within;
    const auto got = queue_.AsyncNext(&tag, &ok, deadline);
    return got == grpc::CompletionQueue::GOT_EVENT ? static_cast<Call*>(tag) : nullptr;
  }
  double Steps() {
    const std::string name = "\ngridsweep_expansion_steps_total ";
    const auto answer = httplib::Client("http://" + coordinator_->http_address()).Get("/metrics");
    const size_t at = answer ? answer->body.find(name) : std::string::npos;
    EXPECT_NE(at, std::string::npos);
    return at == std::string::npos ? 0 : std::stod(answer->body.substr(at + name.size()));
  }
  void CancelAll() {
    for (const auto& call : calls_) call->context.TryCancel();
    for (size_t i = done_; i < calls_.size(); ++i)
      ASSERT_NE(NextDone(std::chrono::seconds(60)), nullptr);
    done_ = calls_.size();
  }

  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Call>> calls_;
  size_t done_ = 0;
};

TEST_F(ExpansionCost, CostlySweepsDelayNobodyAndEndWithTheirCallers) {
  const v1::Sweep sweep = Create(1);
  Validate(kMostExpansionsAClient + 1);
  // One more than a client may have in flight: it hears so at once, and when to come back.
  Call* refused = NextDone(std::chrono::seconds(30));
  ASSERT_NE(refused, nullptr);
  ++done_;
  EXPECT_EQ(refused->status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(RetryAfter(FromGrpc(refused->status)).has_value());
  ASSERT_TRUE(Eventually([&] { return Steps() > 10'000'000; }, absl::Seconds(60)));

  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    v1::GetSweepRequest request;
    request.set_sweep_id(sweep.sweep_id());
    v1::GetSweepResponse response;
    const grpc::Status status = sweeps_->GetSweep(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  EXPECT_EQ(NextDone(std::chrono::seconds(0)), nullptr) << "they were in progress meanwhile";

  CancelAll();
  // Within a look or two of each, the work has stopped.
  double before = -1;
  EXPECT_TRUE(Eventually([&] {
    const double steps = Steps();
    absl::SleepFor(absl::Milliseconds(300));
    before = Steps();
    return before == steps;
  }));
  // And nothing is left that would go on.
  grpc::ClientContext context;
  v1::ValidateSweepRequest small;
  *small.mutable_spec() = SpecOf(3).spec();
  v1::ValidateSweepResponse response;
  ASSERT_TRUE(sweeps_->ValidateSweep(&context, small, &response).ok());
  EXPECT_EQ(response.run_count(), 3u);
  EXPECT_EQ(Steps(), before + 3 * sweepspec::kStepsAPoint);
}

TEST_F(ExpansionCost, ShutdownWaitsForNoExpansion) {
  Validate(kMostExpansionsAClient);
  ASSERT_TRUE(Eventually([&] { return Steps() > 10'000'000; }, absl::Seconds(60)));
  const absl::Time start = absl::Now();
  coordinator_->Drain(absl::Minutes(2));
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
  for (size_t i = 0; i < calls_.size(); ++i) {
    const Call* call = NextDone(std::chrono::seconds(10));
    ASSERT_NE(call, nullptr);
    EXPECT_EQ(call->status.error_code(), grpc::StatusCode::UNAVAILABLE)
        << call->status.error_message();
  }
  coordinator_.reset();
}

TEST(CallMemory, WhoFindsNoneIsAnsweredSo) {
  const auto status = WithinMemory([]() -> absl::Status {
    std::string all(size_t{1} << 46, 'x');  // 64 TiB
    return absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(RetryAfter(status).has_value());
}

// What a lane answers when its work runs out of memory; the lane goes on.
TEST_F(ExpansionCost, ALaneOutlivesACallThatFindsNoMemory) {
  Database::Settings settings{.conninfo = conninfo_};
  class Greedy final : public v1::SweepService::CallbackService {
   public:
    explicit Greedy(Lane& lane) : lane_(lane) {}
    grpc::ServerUnaryReactor* GetSweep(grpc::CallbackServerContext* context,
                                       const v1::GetSweepRequest* request,
                                       v1::GetSweepResponse* response) override {
      return AnswerIn(lane_, context, [request, response](Database&) -> absl::Status {
        response->mutable_sweep()->set_name(std::string(request->sweep_id(), 'x'));
        return absl::OkStatus();
      });
    }

   private:
    Lane& lane_;
  };
  Lane lane("greedy", 1, 10, settings);
  Greedy service(lane);
  auto server = RpcServer::Start("unix:" + directory_ + "/greedy", {&service});
  ASSERT_TRUE(server.ok()) << server.status();
  const auto stub = v1::SweepService::NewStub(Dial((*server)->address()));
  for (const int64_t bytes : {int64_t{1} << 46, int64_t{3}}) {
    grpc::ClientContext context;
    v1::GetSweepRequest request;
    request.set_sweep_id(bytes);
    v1::GetSweepResponse response;
    const grpc::Status status = stub->GetSweep(&context, request, &response);
    EXPECT_EQ(status.error_code(),
              bytes > 3 ? grpc::StatusCode::RESOURCE_EXHAUSTED : grpc::StatusCode::OK);
  }
}

}  // namespace
}  // namespace gridsweep::coordinator
