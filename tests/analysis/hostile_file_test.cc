// A result file that names another file of analysis' machine: no answer holds that file's bytes.
#include <absl/time/clock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/analysis/result_world.h"
#include "tests/support/hostile_hdf5.h"

namespace gridsweep::analysis {
namespace {

namespace fs = std::filesystem;

class HostileFile : public ::testing::Test {
 protected:
  HostileFile() : world_(/*files=*/true) {
    const Values scores = {0.5, 0.6};
    sweep_ = world_.AddSweep({{.seed = 0, .scores = scores}, {.seed = 1, .scores = scores}});
    secret_ = world_.artifacts() / "secret";
    std::ofstream(secret_) << std::string(64 << 10, 's');
    chmod(secret_.c_str(), 0600);
  }

  // Puts `bytes` in place of the first run's file.
  void Replace(const std::string& bytes) {
    std::ofstream(world_.FileOf(1), std::ios::binary | std::ios::trunc) << bytes;
  }

  grpc::Status AskMaps(int64_t run, std::string& answer) {
    v1::GetRatemapsRequest request;
    request.add_units()->set_run_id(run);
    grpc::ClientContext context;
    auto stream = world_.stub().GetRatemaps(&context, request);
    v1::GetRatemapsResponse part;
    while (stream->Read(&part)) answer += part.ratemap().values();
    return stream->Finish();
  }

  grpc::Status Predict(std::string& answer) {
    grpc::ClientContext context;
    const auto stream = world_.stub().PredictRecordings(&context);
    v1::PredictRecordingsRequest request;
    request.mutable_question()->mutable_where()->add_sweep_ids(sweep_);
    request.mutable_question()->set_nbins(44);
    stream->Write(request);
    std::vector<float> map(44 * 44);
    for (size_t i = 0; i < map.size(); ++i) map[i] = static_cast<float>(i % 13);
    request.set_maps(std::string(reinterpret_cast<const char*>(map.data()), map.size() * 4));
    stream->Write(request);
    stream->WritesDone();
    v1::PredictRecordingsResponse part;
    while (stream->Read(&part)) answer += part.ShortDebugString();
    return stream->Finish();
  }

  // The good run's maps, as ever.
  void ExpectWell() {
    std::string answer;
    const auto status = AskMaps(2, answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(answer.size(), 44u * 44 * sizeof(float));
  }

  ResultWorld world_;
  int64_t sweep_ = 0;
  fs::path secret_;
};

TEST_F(HostileFile, GivesNoByteOfAnother) {
  for (const auto& hostile : testing::HostileFiles(secret_)) {
    Replace(hostile.bytes);
    std::string answer;
    const auto status = AskMaps(1, answer);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS)
        << hostile.name << ": " << status.error_message();
    EXPECT_NE(status.error_message().find(hostile.why), std::string::npos)
        << hostile.name << ": " << status.error_message();
    EXPECT_EQ(answer, "") << hostile.name;
  }
  ExpectWell();
}

TEST_F(HostileFile, GivesNothingOfTheProcessItself) {
  for (const char* path : {"/proc/self/environ", "/proc/self/mem", "/etc/passwd"}) {
    Replace(testing::ExternalFile(path));
    std::string answer;
    EXPECT_EQ(AskMaps(1, answer).error_code(), grpc::StatusCode::DATA_LOSS) << path;
    EXPECT_EQ(answer, "");
  }
}

TEST_F(HostileFile, IsNamedByPredictionsAndVerification) {
  Replace(testing::ExternalFile(secret_));
  std::string answer;
  const auto status = Predict(answer);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS) << status.error_message();
  EXPECT_NE(status.error_message().find("external storage"), std::string::npos);
  bool named = false;
  for (const auto& line : world_.Verify(sweep_)) named |= line.check() == "artifact";
  EXPECT_TRUE(named);
}

TEST_F(HostileFile, ThatNamesAPipeHoldsUpNobody) {
  const fs::path pipe = world_.artifacts() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  Replace(testing::ExternalFile(pipe));
  const absl::Time start = absl::Now();
  for (int i = 0; i < 4; ++i) {
    std::string answer;
    EXPECT_EQ(AskMaps(1, answer).error_code(), grpc::StatusCode::DATA_LOSS);
    ExpectWell();
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

}  // namespace
}  // namespace gridsweep::analysis
