#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

class RatemapsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new ResultWorld(/*files=*/true);
    Values scores;
    for (int i = 0; i < 40; ++i) scores.push_back(i == 7 ? std::nullopt : std::optional(0.02 * i));
    world_->AddSweep({{.seed = 0, .scores = scores},
                      {.readout = "Gaussian", .family = "Gaussian", .seed = 1, .scores = scores},
                      {.seed = 2, .state = "diverged", .scores = scores},
                      {.seed = 3, .state = "pending", .scores = scores}});
  }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  static grpc::Status Ask(const v1::GetRatemapsRequest& request,
                          std::vector<v1::GetRatemapsResponse>& parts) {
    grpc::ClientContext context;
    auto stream = world_->stub().GetRatemaps(&context, request);
    v1::GetRatemapsResponse part;
    while (stream->Read(&part)) parts.push_back(part);
    return stream->Finish();
  }
  static void AddUnit(v1::GetRatemapsRequest& request, int64_t run_id, uint32_t unit) {
    auto& ref = *request.add_units();
    ref.set_run_id(run_id);
    ref.set_unit(unit);
  }

  static ResultWorld* world_;
};
ResultWorld* RatemapsTest::world_ = nullptr;

TEST_F(RatemapsTest, ValuesComeInTheOrderAskedForBitForBit) {
  v1::GetRatemapsRequest request;
  AddUnit(request, 2, 39);
  AddUnit(request, 1, 7);
  AddUnit(request, 2, 0);
  for (const int nbins : {44, 32, 20}) {
    request.set_nbins(static_cast<uint32_t>(nbins));
    std::vector<v1::GetRatemapsResponse> parts;
    const auto status = Ask(request, parts);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_EQ(parts.size(), 3u);
    for (int k = 0; k < 3; ++k) {
      const auto& ratemap = parts[k].ratemap();
      EXPECT_EQ(ratemap.ref().run_id(), request.units(k).run_id());
      EXPECT_EQ(ratemap.ref().unit(), request.units(k).unit());
      const auto values = Floats(ratemap.values());
      ASSERT_EQ(values.size(), static_cast<size_t>(nbins * nbins));
      for (int i = 0; i < nbins; ++i) {
        for (int j = 0; j < nbins; ++j) {
          const float expected =
              StoredRate(ratemap.ref().run_id(), static_cast<int>(ratemap.ref().unit()), i, j);
          const float got = values[i * nbins + j];
          ASSERT_TRUE(got == expected || (std::isnan(got) && std::isnan(expected)));
        }
      }
      EXPECT_TRUE(ratemap.autocorrelogram().empty());
    }
    EXPECT_EQ(parts[0].ratemap().readout(), "Gaussian");
    EXPECT_EQ(parts[0].ratemap().grid_score_60(), 0.02 * 39);
    EXPECT_FALSE(parts[1].ratemap().has_grid_score_60());
  }
}

TEST_F(RatemapsTest, AnAutocorrelogramIsOneAtItsCentreAndSymmetric) {
  v1::GetRatemapsRequest request;
  AddUnit(request, 1, 3);
  request.set_with_autocorrelogram(true);
  std::vector<v1::GetRatemapsResponse> parts;
  ASSERT_TRUE(Ask(request, parts).ok());
  const auto sac = Floats(parts[0].ratemap().autocorrelogram());
  ASSERT_EQ(sac.size(), 87u * 87u);
  EXPECT_NEAR(sac[43 * 87 + 43], 1, 1e-6);
  for (size_t i = 0; i < sac.size(); ++i) EXPECT_NEAR(sac[i], sac[sac.size() - 1 - i], 1e-6);
}

TEST_F(RatemapsTest, AQueryFindsItsUnits) {
  v1::GetRatemapsRequest request;
  request.mutable_query()->set_page_size(3);
  request.mutable_query()->mutable_where()->set_filter("readout = Gaussian");
  std::vector<v1::GetRatemapsResponse> parts;
  const auto status = Ask(request, parts);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].ratemap().ref().unit(), 39u);
  EXPECT_EQ(parts[2].ratemap().ref().unit(), 37u);
}

TEST_F(RatemapsTest, ManyUnitsComeInSeveralPieces) {
  v1::GetRatemapsRequest request;
  request.mutable_query()->set_page_size(1000);
  std::vector<v1::GetRatemapsResponse> parts;
  ASSERT_TRUE(Ask(request, parts).ok());
  EXPECT_EQ(parts.size(), 78u);  // two runs of 40 units, one without a score each
}

TEST_F(RatemapsTest, ASheetIsOnePngInChunks) {
  v1::GetRatemapsRequest request;
  request.mutable_query()->set_page_size(1000);
  request.set_format(v1::GetRatemapsRequest::FORMAT_PNG_SHEET);
  request.set_with_autocorrelogram(true);
  std::vector<v1::GetRatemapsResponse> parts;
  const auto status = Ask(request, parts);
  ASSERT_TRUE(status.ok()) << status.error_message();
  std::string png;
  for (const auto& part : parts) {
    EXPECT_LE(part.png_chunk().size(), size_t{1} << 20);
    png += part.png_chunk();
  }
  EXPECT_EQ(png.substr(1, 3), "PNG");
  EXPECT_EQ(png.substr(png.size() - 8, 4), "IEND");
}

TEST_F(RatemapsTest, ASheetNamesItsSweep) {
  const auto sheet = [] {
    v1::GetRatemapsRequest request;
    request.mutable_query()->set_page_size(2);
    request.set_format(v1::GetRatemapsRequest::FORMAT_PNG_SHEET);
    std::vector<v1::GetRatemapsResponse> parts;
    EXPECT_TRUE(Ask(request, parts).ok());
    std::string png;
    for (const auto& part : parts) png += part.png_chunk();
    return png;
  };
  const std::string before = sheet();
  EXPECT_EQ(sheet(), before);
  world_->Execute("update sweeps set name = 'another'");
  EXPECT_NE(sheet(), before);
  world_->Execute("update sweeps set name = 'test'");
  EXPECT_EQ(sheet(), before);
}

TEST_F(RatemapsTest, AQueryWithFewScoresDrawsThoseAlone) {
  v1::GetRatemapsRequest request;
  request.mutable_query()->set_page_size(1000);
  request.mutable_query()->mutable_where()->set_filter("readout = Gaussian");
  std::vector<v1::GetRatemapsResponse> parts;
  ASSERT_TRUE(Ask(request, parts).ok());
  EXPECT_EQ(parts.size(), 39u);
  for (const auto& part : parts) EXPECT_NE(part.ratemap().ref().unit(), 7u) << "it has no score";
}

TEST_F(RatemapsTest, SaysWhyAUnitHasNoRatemap) {
  const auto error_of = [](int64_t run_id, uint32_t unit) {
    v1::GetRatemapsRequest request;
    AddUnit(request, run_id, unit);
    std::vector<v1::GetRatemapsResponse> parts;
    const auto status = Ask(request, parts);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    return status.error_message();
  };
  EXPECT_THAT(error_of(1, 40), HasSubstr("run 1 has no unit 40"));
  EXPECT_THAT(error_of(3, 0), HasSubstr("diverged"));
  EXPECT_THAT(error_of(4, 0), HasSubstr("no result yet"));
  EXPECT_THAT(error_of(99, 0), HasSubstr("no run 99"));
}

TEST_F(RatemapsTest, RefusesWhatCannotBeAsked) {
  const auto error_of = [](const v1::GetRatemapsRequest& request) {
    std::vector<v1::GetRatemapsResponse> parts;
    const auto status = Ask(request, parts);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::GetRatemapsRequest request;
  EXPECT_THAT(error_of(request), HasSubstr("give units, or a query"));
  AddUnit(request, 1, 0);
  request.set_nbins(45);
  EXPECT_THAT(error_of(request), HasSubstr("nbins: 45 is not one of 44, 32, 20"));
  request.set_nbins(0);
  request.mutable_query();
  EXPECT_THAT(error_of(request), HasSubstr("not both"));
  request.clear_units();
  request.mutable_query()->mutable_where()->set_filter("Ng ~ 3");
  EXPECT_THAT(error_of(request), HasSubstr("query.where.filter: column 4"));
}

TEST(RatemapsFault, AMissingFileIsNamed) {
  ResultWorld world(/*files=*/true);
  world.AddSweep({{.scores = {0.5}}});
  std::filesystem::remove(world.FileOf(1));
  grpc::ClientContext context;
  v1::GetRatemapsRequest request;
  request.add_units()->set_run_id(1);
  auto stream = world.stub().GetRatemaps(&context, request);
  v1::GetRatemapsResponse part;
  EXPECT_FALSE(stream->Read(&part));
  const auto status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("no artifact"));
}

}  // namespace
}  // namespace gridsweep::analysis
