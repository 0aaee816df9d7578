#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "science/scoring/map_regression.h"
#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;
using Request = v1::PredictRecordingsRequest;
using Response = v1::PredictRecordingsResponse;
using Maps = std::vector<float>;

constexpr int kUnits = 12;

Maps StoredMaps(int64_t run_id, int first, int count, int nbins) {
  Maps maps;
  for (int unit = first; unit < first + count; ++unit) {
    for (int i = 0; i < nbins; ++i) {
      for (int j = 0; j < nbins; ++j) maps.push_back(StoredRate(run_id, unit, i, j));
    }
  }
  return maps;
}

Request Question(uint32_t nbins, const std::string& filter = "") {
  Request message;
  message.mutable_question()->set_nbins(nbins);
  message.mutable_question()->mutable_where()->set_filter(filter);
  return message;
}

Request MapsOf(const Maps& maps) {
  Request message;
  message.set_maps(std::string(reinterpret_cast<const char*>(maps.data()), maps.size() * 4));
  return message;
}

class PredictRecordings : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new ResultWorld(/*files=*/true);
    const Values scores(kUnits, 0.5);
    world_->AddSweep({{.seed = 0, .scores = scores},
                      {.seed = 1, .scores = scores},
                      {.readout = "Gaussian", .family = "Gaussian", .seed = 2, .scores = scores},
                      {.seed = 3, .state = "pending", .scores = scores},
                      {.seed = 4, .scores = scores}});
    world_->Execute("update run_results set artifact = null where run_id = 5");
  }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  static grpc::Status Ask(const std::vector<Request>& messages, std::vector<Response>& parts) {
    grpc::ClientContext context;
    const auto stream = world_->stub().PredictRecordings(&context);
    for (const Request& message : messages) {
      if (!stream->Write(message)) break;
    }
    stream->WritesDone();
    Response part;
    while (stream->Read(&part)) parts.push_back(part);
    return stream->Finish();
  }
  static std::vector<Response> Ask(const std::vector<Request>& messages) {
    std::vector<Response> parts;
    const grpc::Status status = Ask(messages, parts);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return parts;
  }

  static ResultWorld* world_;
};
ResultWorld* PredictRecordings::world_ = nullptr;

TEST_F(PredictRecordings, ARunPredictsItsOwnUnitsAndNoNoise) {
  const int n = 20;
  Maps noise(5 * n * n), constant(n * n, 0.5f);
  std::mt19937 random(1);
  for (float& rate : noise) rate = static_cast<float>(random() % 1000);
  // Maps of one recording may come in several messages.
  const auto parts = Ask({Question(n, "run = 1"), MapsOf(StoredMaps(1, 0, 5, n)),
                          MapsOf(StoredMaps(1, 5, 2, n)), MapsOf(noise), MapsOf(constant)});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].basis().metric(), "r_squared");
  EXPECT_THAT(parts[0].basis().definition(), HasSubstr("ridge"));
  const auto& run = parts[1].run();
  EXPECT_EQ(run.run_id(), 1);
  EXPECT_EQ(run.units(), static_cast<uint32_t>(kUnits));
  EXPECT_EQ(run.neurons(), 12);
  EXPECT_EQ(run.nulls(), 1) << "the constant neuron";
  ASSERT_EQ(run.r_squared_size(), 13);
  for (int i = 0; i < 7; ++i) EXPECT_GT(run.r_squared(i), 0.999) << i;
  for (int i = 7; i < 12; ++i) EXPECT_LT(run.r_squared(i), 0.05) << i;
  EXPECT_TRUE(std::isnan(run.r_squared(12)));
  std::vector<double> sorted(run.r_squared().begin(), run.r_squared().begin() + 12);
  std::ranges::sort(sorted);
  EXPECT_DOUBLE_EQ(run.median(), (sorted[5] + sorted[6]) / 2);
  EXPECT_EQ(run.median_interval().low(), sorted[2]);  // 12 values: the third from either end
  EXPECT_EQ(run.median_interval().high(), sorted[9]);
  EXPECT_EQ(run.predicted(), std::ranges::count_if(sorted, [](double v) { return v > 0; }));
  EXPECT_GT(run.predicted_interval().high(), 7.0 / 12);
  const auto& group = parts[2].group();
  EXPECT_EQ(group.median().n(), 1);
  EXPECT_DOUBLE_EQ(group.median().mean(), run.median());
  EXPECT_FALSE(group.median().has_sem());
}

TEST_F(PredictRecordings, AnswersByRunAsTheRegressionItself) {
  for (const int n : {20, 32, 44}) {
    const Maps neurons = StoredMaps(7, 3, 3, n);  // of a run that is not there
    Request question = Question(static_cast<uint32_t>(n), "run <= 2");
    question.mutable_question()->set_seed(5);
    const auto parts = Ask({question, MapsOf(neurons)});
    const scoring::MapPredictor predictor(neurons, n, 5);
    int runs = 0;
    for (const auto& part : parts) {
      if (!part.has_run()) continue;
      ++runs;
      std::vector<double> expected(3);
      const Maps units = StoredMaps(part.run().run_id(), 0, kUnits, n);
      for (size_t group = 0; group < predictor.groups(); ++group) {
        predictor.Predict(units, group, expected);
      }
      EXPECT_THAT(part.run().r_squared(), ::testing::ElementsAreArray(expected));
      EXPECT_FALSE(part.run().has_median_interval()) << "three neurons";
    }
    EXPECT_EQ(runs, 2);
  }
}

TEST_F(PredictRecordings, AveragesRunsByGroupAndNamesThoseWithoutMaps) {
  Request question = Question(20);
  question.mutable_question()->mutable_where()->add_group_by("readout");
  const auto parts = Ask({question, MapsOf(StoredMaps(1, 0, 8, 20))});
  std::vector<v1::RunPrediction> runs;
  std::vector<v1::GroupPrediction> groups;
  for (const auto& part : parts) {
    if (part.has_run()) runs.push_back(part.run());
    if (part.has_group()) groups.push_back(part.group());
    if (part.has_skipped()) {
      EXPECT_EQ(part.skipped().run_id(), 5);
      EXPECT_THAT(part.skipped().reason(), HasSubstr("no result file"));
    }
  }
  ASSERT_EQ(runs.size(), 3u);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(runs[2].key(0).text(), "Gaussian");
  EXPECT_EQ(groups[0].group().key(0).text(), "DoS");
  EXPECT_EQ(groups[0].group().coverage().runs_total(), 4);
  EXPECT_EQ(groups[0].group().coverage().pending(), 1);
  EXPECT_EQ(groups[0].group().coverage().nulls(), 1) << "the run without maps";
  EXPECT_EQ(groups[0].median().n(), 2);
  EXPECT_DOUBLE_EQ(groups[0].median().mean(), (runs[0].median() + runs[1].median()) / 2);
  EXPECT_NEAR(groups[0].median().sem(), std::abs(runs[0].median() - runs[1].median()) / 2, 1e-12);
  EXPECT_DOUBLE_EQ(groups[0].predicted().mean(),
                   (runs[0].predicted() + runs[1].predicted()) / 16.0);
  EXPECT_EQ(groups[1].median().n(), 1);
}

TEST_F(PredictRecordings, SaysWhatIsWrongWithAQuestion) {
  const Maps map = StoredMaps(1, 0, 1, 20);
  Maps infinite = map, unvisited(400, NAN);
  infinite[7] = INFINITY;
  Request pieces = MapsOf(map), twice = Question(20), seed = Question(20);
  pieces.mutable_maps()->pop_back();
  seed.mutable_question()->set_seed(-1);
  const Request many = MapsOf(Maps(400 * 2500, 1.0f));
  const struct {
    std::vector<Request> messages;
    std::string why;
  } kFaults[] = {
      {{}, "question: is missing"},
      {{MapsOf(map)}, "question: is missing"},
      {{Request()}, "part: is missing"},
      {{Question(20), twice}, "question: is there twice"},
      {{Question(0), MapsOf(map)}, "question.nbins: 0 is not one of 44, 32, 20"},
      {{seed, MapsOf(map)}, "question.seed: -1 is not >= 0"},
      {{Question(20, "Ng ~ 3"), MapsOf(map)}, "question.where.filter: column 4"},
      {{Question(20)}, "maps: there are none"},
      {{Question(20), pieces}, "maps: 1599 bytes are no whole maps of 20 x 20"},
      {{Question(44), MapsOf(map)}, "maps: 1600 bytes are no whole maps of 44 x 44"},
      {{Question(20), MapsOf(map), MapsOf(infinite)}, "neuron 1 has an infinite rate"},
      {{Question(20), MapsOf(unvisited)}, "no neuron has a visited bin"},
  };
  for (const auto& fault : kFaults) {
    std::vector<Response> parts;
    const grpc::Status status = Ask(fault.messages, parts);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << fault.why;
    EXPECT_THAT(status.error_message(), HasSubstr(fault.why));
    EXPECT_TRUE(parts.empty());
  }
  std::vector<Request> too_many = {Question(20)};
  too_many.insert(too_many.end(), 17, many);  // 17 x 4 MB
  std::vector<Response> parts;
  grpc::Status status = Ask(too_many, parts);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("more than 41943 maps"));
  for (const char* filter : {"run = 99", "run = 4", "readout = SoD"}) {
    status = Ask({Question(20, filter), MapsOf(map)}, parts);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND) << filter;
    EXPECT_THAT(status.error_message(), HasSubstr("no finished run is selected"));
  }
}

}  // namespace
}  // namespace gridsweep::analysis
