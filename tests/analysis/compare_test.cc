// Results beside the published ones: rows by family, verdicts by rule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "analysis/compare/claims.h"
#include "analysis/compare/published.h"
#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

v1::Interval Between(double low, double high) {
  v1::Interval interval;
  interval.set_low(low);
  interval.set_high(high);
  return interval;
}

TEST(Judge, NeedsTheWholeIntervalOnOneSide) {
  EXPECT_EQ(Judge(true, 0.5, Between(0.6, 0.9)), v1::CLAIM_VERDICT_HOLDS);
  EXPECT_EQ(Judge(true, 0.5, Between(0.1, 0.4)), v1::CLAIM_VERDICT_FAILS);
  EXPECT_EQ(Judge(true, 0.5, Between(0.4, 0.6)), v1::CLAIM_VERDICT_UNDECIDED);
  EXPECT_EQ(Judge(true, 0.5, Between(0.5, 0.6)), v1::CLAIM_VERDICT_UNDECIDED)
      << "the limit is not above";
  EXPECT_EQ(Judge(false, 0.5, Between(0.1, 0.4)), v1::CLAIM_VERDICT_HOLDS);
  EXPECT_EQ(Judge(false, 0.5, Between(0.6, 0.9)), v1::CLAIM_VERDICT_FAILS);
  EXPECT_EQ(Judge(false, 0.5, std::nullopt), v1::CLAIM_VERDICT_UNDECIDED);
}

// Newcombe 1998, table II (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339.
TEST(DifferenceInterval, AgreesWithNewcombesExample) {
  const auto interval = DifferenceInterval(56.0 / 70, Between(0.69183, 0.87695), 48.0 / 80,
                                           Between(0.49048, 0.70043));
  ASSERT_TRUE(interval.has_value());
  EXPECT_NEAR(interval->low(), 0.0524, 5e-4);
  EXPECT_NEAR(interval->high(), 0.3339, 5e-4);
  EXPECT_FALSE(DifferenceInterval(0.5, std::nullopt, 0.5, Between(0, 1)).has_value());
}

TEST(Claims, AreThoseOfTheirPage) {
  std::ifstream file(std::string(GRIDSWEEP_SOURCE_DIR) + "/docs/claims.md");
  std::stringstream page;
  page << file.rdbuf();
  for (const Claim& claim : Claims()) {
    const std::string row = "| " + std::string(claim.id) + " |";
    const size_t at = page.str().find(row);
    ASSERT_NE(at, std::string::npos) << row;
    std::stringstream limit;
    limit << "| " << (claim.above ? "> " : "< ") << claim.limit << " |";
    const std::string line = page.str().substr(at, page.str().find('\n', at) - at);
    EXPECT_THAT(line, ::testing::HasSubstr(limit.str()));
  }
}

class ComparePublished : public ::testing::Test {
 protected:
  // `runs` finished runs with this error, the first `with_grid` of which have a unit above 0.8.
  static void Add(std::vector<RunSpec>& runs, const std::string& readout, const std::string& family,
                  int count, double error, int with_grid) {
    for (int i = 0; i < count; ++i) {
      RunSpec spec;
      spec.readout = readout;
      spec.family = family;
      spec.seed = static_cast<int64_t>(runs.size());
      spec.pos_err = error;
      spec.scores = {0.1, i < with_grid ? 0.9 : 0.2, -0.3, std::nullopt};
      runs.push_back(spec);
    }
  }

  v1::ComparePublishedResponse Ask(const std::string& filter = "") {
    v1::ComparePublishedRequest request;
    request.mutable_where()->set_filter(filter);
    v1::ComparePublishedResponse response;
    grpc::ClientContext context;
    const grpc::Status status = world_.stub().ComparePublished(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static const v1::ComparePublishedResponse::Family& FamilyOf(
      const v1::ComparePublishedResponse& response, const std::string& name) {
    for (const auto& family : response.families()) {
      if (family.readout_family() == name) return family;
    }
    ADD_FAILURE() << "no family " << name;
    return response.families(0);
  }
  static const v1::ComparePublishedResponse::Claim& ClaimOf(
      const v1::ComparePublishedResponse& response, const std::string& id) {
    for (const auto& claim : response.claims()) {
      if (claim.id() == id) return claim;
    }
    ADD_FAILURE() << "no claim " << id;
    return response.claims(0);
  }

  ResultWorld world_;
};

TEST_F(ComparePublished, CountsByFamilyAndJudgesByTheRule) {
  std::vector<RunSpec> runs;
  Add(runs, "DoS", "DoS", 20, 5, 19);
  Add(runs, "DoS multi-scale", "DoS", 6, 5, 0);
  Add(runs, "Gaussian", "Gaussian", 30, 6, 1);
  Add(runs, "Gaussian", "Gaussian", 4, 50, 4);  // has units above 0.8, but does not solve the task
  Add(runs, "DoG", "DoG", 3, 60, 0);
  world_.AddSweep(runs);
  const auto response = Ask();

  const auto& dos = FamilyOf(response, "DoS");
  EXPECT_EQ(dos.solved().numerator(), 26);
  EXPECT_EQ(dos.has_grid().numerator(), 19);
  EXPECT_EQ(dos.has_grid().denominator(), 26);
  EXPECT_EQ(dos.has_grid().published(), 0.91);
  EXPECT_EQ(dos.published_runs(), 1689);
  EXPECT_EQ(dos.units_above().numerator(), 19);
  EXPECT_EQ(dos.units_above().denominator(), 26 * 4) << "units without a score are counted";
  const auto& gaussian = FamilyOf(response, "Gaussian");
  EXPECT_EQ(gaussian.solved().numerator(), 30);
  EXPECT_EQ(gaussian.solved().denominator(), 34);
  EXPECT_EQ(gaussian.has_grid().numerator(), 1);
  EXPECT_EQ(gaussian.has_grid().denominator(), 30);
  EXPECT_EQ(FamilyOf(response, "SoD").solved().denominator(), 0) << "published, not selected";

  ASSERT_EQ(response.notes_size(), 1);
  EXPECT_THAT(response.notes(0),
              ::testing::HasSubstr("trained for 200,000 steps, these for 10: "));

  EXPECT_EQ(ClaimOf(response, "task-is-solved").ours().denominator(), 60);
  EXPECT_EQ(ClaimOf(response, "task-is-solved").verdict(), v1::CLAIM_VERDICT_HOLDS);
  EXPECT_EQ(ClaimOf(response, "others-lack-grids").ours().denominator(), 30);
  EXPECT_EQ(ClaimOf(response, "others-lack-grids").verdict(), v1::CLAIM_VERDICT_HOLDS);
  EXPECT_EQ(ClaimOf(response, "dos-exceeds-others").verdict(), v1::CLAIM_VERDICT_HOLDS);
  EXPECT_EQ(ClaimOf(response, "realistic-readouts-lose-grids").ours().denominator(), 20);
  EXPECT_EQ(ClaimOf(response, "realistic-readouts-lose-grids").other().denominator(), 6);
  EXPECT_EQ(ClaimOf(response, "realistic-readouts-lose-grids").verdict(), v1::CLAIM_VERDICT_HOLDS);
  EXPECT_EQ(ClaimOf(response, "dos-units-are-few").verdict(), v1::CLAIM_VERDICT_FAILS)
      << "19 of 104";
}

TEST_F(ComparePublished, ThreeRunsWithoutAGridUnitDecideNothing) {
  std::vector<RunSpec> runs;
  Add(runs, "Gaussian", "Gaussian", 3, 5, 0);
  world_.AddSweep(runs);
  const auto compared = Ask();
  const auto& claim = ClaimOf(compared, "gaussian-lacks-grids");
  EXPECT_EQ(claim.verdict(), v1::CLAIM_VERDICT_UNDECIDED);
  EXPECT_NEAR(claim.ours().interval().high(), 0.5615, 1e-3);
}

TEST_F(ComparePublished, SetsUnitsBesideChanceAndUntrainedNetworks) {
  std::vector<RunSpec> runs;
  Add(runs, "DoS", "DoS", 3, 5, 3);
  Add(runs, "Gaussian", "Gaussian", 2, 5, 0);
  world_.AddSweep(runs);
  world_.Execute(
      "update run_results set chance_fraction_above_080 = 0.1 * run_id,"
      " untrained_fraction_above_080 = null where run_id <= 2;"
      "update run_results set chance_fraction_above_080 = null,"
      " untrained_fraction_above_080 = 0.25 where run_id = 3;"
      "update run_results set chance_fraction_above_080 = null,"
      " untrained_fraction_above_080 = null where run_id > 3");
  const auto response = Ask();
  const auto& dos = FamilyOf(response, "DoS");
  EXPECT_DOUBLE_EQ(dos.chance_above(), 0.15) << "the mean of the two runs that have it";
  EXPECT_EQ(dos.untrained_above(), 0.25);
  EXPECT_EQ(dos.units_above().published(), 0.02);
  const auto& gaussian = FamilyOf(response, "Gaussian");
  EXPECT_FALSE(gaussian.has_chance_above());
  EXPECT_FALSE(gaussian.has_untrained_above());
  EXPECT_FALSE(gaussian.units_above().has_published());
}

TEST_F(ComparePublished, NarrowsToTheFilterOfTheQuestion) {
  std::vector<RunSpec> runs;
  Add(runs, "DoS", "DoS", 5, 5, 5);
  world_.AddSweep(runs);
  EXPECT_EQ(FamilyOf(Ask("seed < 2"), "DoS").solved().denominator(), 2);
  EXPECT_EQ(ClaimOf(Ask("seed < 2"), "dos-has-grids").ours().denominator(), 2);
}

TEST_F(ComparePublished, RefusesGroups) {
  v1::ComparePublishedRequest request;
  request.mutable_where()->add_group_by("seed");
  v1::ComparePublishedResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(world_.stub().ComparePublished(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace gridsweep::analysis
