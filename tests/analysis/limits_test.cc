// What one client may have in flight, leave unsaid and leave unread.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "common/status.h"
#include "tests/analysis/result_world.h"
#include "tests/support/process_memory.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::analysis {
namespace {

using Recordings =
    grpc::ClientReaderWriter<v1::PredictRecordingsRequest, v1::PredictRecordingsResponse>;

v1::PredictRecordingsRequest RecordingsQuestion() {
  v1::PredictRecordingsRequest message;
  message.mutable_question()->set_nbins(20);
  return message;
}

class AnalysisLimits : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new ResultWorld(/*files=*/true);
    world_->AddSweep({{.scores = Values(12, 0.5)}, {.seed = 1, .scores = Values(12, 0.5)}});
  }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  // Another server of the world's results.
  void Serve(const LaneSettings& stream) {
    AnalysisServiceImpl::Options options;
    options.database.connection = world_->database();
    options.artifacts = world_->artifacts();
    options.stream = stream;
    auto store = OpenArtifactDirectory(
        world_->artifacts(), world_->Ask("select instance_id from instance"), /*create=*/false);
    ASSERT_TRUE(store.ok()) << store.status();
    service_ = std::make_unique<AnalysisServiceImpl>(std::move(options), *std::move(store),
                                                     *hdf5::Reader::Start());
    auto server = RpcServer::Start("127.0.0.1:0", {service_.get()});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::AnalysisService::NewStub(Dial(server_->address()));
  }
  ~AnalysisLimits() override {
    stub_.reset();
    server_.reset();
  }

  static ResultWorld* world_;
  std::unique_ptr<AnalysisServiceImpl> service_;
  std::unique_ptr<RpcServer> server_;
  std::unique_ptr<v1::AnalysisService::Stub> stub_;
};
ResultWorld* AnalysisLimits::world_ = nullptr;

TEST_F(AnalysisLimits, AQuestionThatIsNeverFinishedIsCutOff) {
  Serve({.threads = 2, .longest_silence = absl::Milliseconds(200)});
  grpc::ClientContext context;
  const auto stream = stub_->PredictRecordings(&context);
  ASSERT_TRUE(stream->Write(RecordingsQuestion()));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(AnalysisLimits, AnAnswerThatIsNotReadIsCutOff) {
  Serve({.threads = 2, .longest_silence = absl::Milliseconds(500)});
  v1::GetRatemapsRequest request;
  request.set_nbins(44);
  for (int i = 0; i < 4096; ++i) {
    auto& unit = *request.add_units();
    unit.set_run_id(1);
    unit.set_unit(i % 12);
  }
  const auto ask = [&](absl::Duration before_reading) {
    grpc::ClientContext context;
    const auto stream = stub_->GetRatemaps(&context, request);
    absl::SleepFor(before_reading);
    v1::GetRatemapsResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code();
  };
  EXPECT_EQ(ask(absl::ZeroDuration()), grpc::StatusCode::OK);
  EXPECT_EQ(ask(absl::Seconds(3)), grpc::StatusCode::CANCELLED);
}

TEST_F(AnalysisLimits, OneClientHasSoManyStreamsAndHearsWhenToComeBack) {
  Serve({.threads = 2, .most_a_client = 2});
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<Recordings> stream;
  };
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 2; ++i) {
    auto& call = *calls.emplace_back(std::make_unique<Call>());
    call.stream = stub_->PredictRecordings(&call.context);
    ASSERT_TRUE(call.stream->Write(RecordingsQuestion()));
  }
  const auto ask = [&] {
    grpc::ClientContext context;
    v1::VerifySweepRequest request;
    request.set_sweep_id(1);
    const auto stream = stub_->VerifySweep(&context, request);
    v1::VerifySweepResponse response;
    while (stream->Read(&response)) {
    }
    return FromGrpc(stream->Finish());
  };
  absl::Status refused = absl::OkStatus();
  ASSERT_TRUE(testing::Within([&] {  // the two have arrived
    refused = ask();
    return !refused.ok();
  }));
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_TRUE(RetryAfter(refused).has_value());
  for (const auto& call : calls) call->context.TryCancel();
  EXPECT_TRUE(testing::Within([&] { return ask().ok(); }));
}

TEST_F(AnalysisLimits, AStatementEndsWithItsCaller) {
  Serve({.threads = 2});
  pqxx::connection connection(world_->database());
  pqxx::work lock(connection);
  lock.exec("lock table runs in access exclusive mode");
  const auto waiting = [] {
    return world_->Ask(
        "select count(*) from pg_stat_activity where datname = current_database() and "
        "application_name "
        "= 'gridsweep-analysis' and state = 'active' and wait_event_type = 'Lock'");
  };
  grpc::ClientContext context;
  std::thread asking([&] {
    v1::SummarizeResponse response;
    v1::SummarizeRequest request;
    request.set_metric("grid_score_60");
    EXPECT_EQ(stub_->Summarize(&context, request, &response).error_code(),
              grpc::StatusCode::CANCELLED);
  });
  EXPECT_TRUE(testing::Within([&] { return waiting() == "1"; }));
  context.TryCancel();
  asking.join();
  // Long before the ten seconds that it would wait for the lock.
  EXPECT_TRUE(testing::Within([&] { return waiting() == "0"; }, std::chrono::seconds(4)));
}

// Ten of 63 MiB held 829 MB, for ever.
TEST_F(AnalysisLimits, QuestionsThatAreNeverFinishedShareABudget) {
  const testing::TemporaryDirectory temporary;
  const std::filesystem::path directory = temporary.path();
  const std::string address = "unix:" + (directory / "socket").string();
  testing::Program program(
      {testing::Binary("gridsweep-analysis"), "--listen", address, "--database", world_->database(),
       "--artifacts", world_->artifacts(), "--connection-memory", "64"},
      directory / "log");
  const auto stub = v1::AnalysisService::NewStub(Dial(address));
  {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
    v1::ListMetricsResponse metrics;
    ASSERT_TRUE(stub->ListMetrics(&context, v1::ListMetricsRequest(), &metrics).ok());
  }
  const int64_t before = testing::ProcessMiB(program.pid(), "VmRSS");
  v1::PredictRecordingsRequest maps;
  maps.set_maps(std::string(2'500 * 20 * 20 * sizeof(float), '\0'));
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<Recordings> stream;
  };
  std::vector<std::unique_ptr<Call>> calls;
  int refused = 0;
  for (int i = 0; i < 10; ++i) {
    auto& call = *calls.emplace_back(std::make_unique<Call>());
    call.stream = stub->PredictRecordings(&call.context);
    bool open = call.stream->Write(RecordingsQuestion());
    for (int sent = 0; open && sent < 16; ++sent) open = call.stream->Write(maps);
    if (open) continue;
    ++refused;
    const absl::Status status = FromGrpc(call.stream->Finish());
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_TRUE(RetryAfter(status).has_value()) << status;
  }
  EXPECT_GE(refused, 7);
  EXPECT_LT(testing::ProcessMiB(program.pid(), "VmHWM") - before, 400);
  for (const auto& call : calls) call->context.TryCancel();
  EXPECT_EQ(program.Terminate(), 0);
}

}  // namespace
}  // namespace gridsweep::analysis
