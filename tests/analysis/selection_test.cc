#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

class SelectionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new ResultWorld;
    const Values few = {0.9, 0.1, std::nullopt};
    world_->AddSweep({
        {.seed = 0, .scores = few},
        {.readout = "Gaussian",
         .family = "Gaussian",
         .activation = "tanh",
         .place_cell_rf = "0.2",
         .learning_rate = 1e-3,
         .seed = 1,
         .scores = few},
        {.place_cell_rf = "Uniform( 0.06 , 0.18 )", .seed = 2, .scores = few},
        {.place_cell_rf = "0.06", .is_periodic = true, .seed = 3, .scores = few},
        {.place_cell_rf = "0.06", .seed = 4, .state = "diverged", .scores = few},
        {.seed = 5, .state = "failed", .scores = few},
        {.seed = 6, .state = "cancelled", .scores = few},
        {.seed = 7, .state = "leased", .scores = few},
        {.seed = 8, .state = "backoff", .scores = few},
        {.readout = "Polar", .family = "Polar", .seed = 9, .state = "pending", .scores = few},
    });
    world_->AddSweep({{.seed = 9007199254740993, .scores = few}});
  }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  static v1::FractionResponse Ask(const std::string& filter,
                                  const std::vector<std::string>& group_by = {},
                                  const std::vector<int64_t>& sweeps = {1}) {
    v1::FractionRequest request;
    for (const int64_t sweep : sweeps) request.mutable_where()->add_sweep_ids(sweep);
    request.mutable_where()->set_filter(filter);
    for (const auto& field : group_by) request.mutable_where()->add_group_by(field);
    v1::FractionResponse response;
    const auto status = world_->Fraction(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static int64_t Runs(const std::string& filter, const std::vector<int64_t>& sweeps = {1}) {
    return Ask(filter, {}, sweeps).rows(0).group().coverage().runs_total();
  }

  static ResultWorld* world_;
};
ResultWorld* SelectionTest::world_ = nullptr;

TEST_F(SelectionTest, CoverageCountsEveryState) {
  const auto response = Ask("");
  const auto& coverage = response.rows(0).group().coverage();
  EXPECT_EQ(coverage.runs_total(), 10);
  EXPECT_EQ(coverage.finished(), 4);
  EXPECT_EQ(coverage.diverged(), 1);
  EXPECT_EQ(coverage.failed(), 1);
  EXPECT_EQ(coverage.cancelled(), 1);
  EXPECT_EQ(coverage.running(), 1);
  EXPECT_EQ(coverage.pending(), 2);
  EXPECT_EQ(coverage.selected_runs(), 4);
  EXPECT_EQ(coverage.units(), 12);
  EXPECT_EQ(coverage.nulls(), 4);
}

TEST_F(SelectionTest, FiltersByTypedColumnsAndByTheConfiguration) {
  EXPECT_EQ(Runs("activation = tanh"), 1);
  EXPECT_EQ(Runs("activation != tanh"), 9);
  EXPECT_EQ(Runs("learning_rate = 1e-3"), 1);
  EXPECT_EQ(Runs("learning_rate < 0.001"), 9);
  EXPECT_EQ(Runs("is_periodic = true"), 1);
  EXPECT_EQ(Runs("seed >= 3 AND seed < 5"), 2);
  EXPECT_EQ(Runs("readout = Gaussian"), 1);
  EXPECT_EQ(Runs("readout_family = \"DoS\""), 8);
  EXPECT_EQ(Runs("state = diverged"), 1);
  EXPECT_EQ(Runs("Ng = 3.0"), 10);
}

TEST_F(SelectionTest, FiltersWidthsByTextAndByRange) {
  EXPECT_EQ(Runs("place_cell_rf = 0.06"), 2);
  EXPECT_EQ(Runs("place_cell_rf = 'Uniform( 0.06 , 0.18 )'"), 1);
  EXPECT_EQ(Runs("place_cell_rf < 0.12"), 2);   // all of the range must be below
  EXPECT_EQ(Runs("place_cell_rf <= 0.18"), 9);  // 0.2 alone is not
  EXPECT_EQ(Runs("place_cell_rf > 0.05"), 10);
}

TEST_F(SelectionTest, AValueThatARunDoesNotHaveMeetsNoCondition) {
  EXPECT_EQ(Runs("place_cell_alpha_e = 1"), 0);
  EXPECT_EQ(Runs("place_cell_alpha_e != 1"), 0);
}

TEST_F(SelectionTest, ComparesLargeSeedsExactly) {
  EXPECT_EQ(Runs("seed = 9007199254740993", {}), 1);
  EXPECT_EQ(Runs("seed = 9007199254740992", {}), 0);
}

TEST_F(SelectionTest, TakesTextAsDataAlone) {
  EXPECT_EQ(Runs("readout = \"DoS' or 'a' = 'a\""), 0);
  EXPECT_EQ(Runs("sweep = 2", {}), 1);
}

TEST_F(SelectionTest, GroupsAreTypedAndInOrder) {
  const auto response = Ask("", {"place_cell_rf", "is_periodic"});
  std::vector<std::string> keys;
  for (const auto& row : response.rows()) {
    ASSERT_EQ(row.group().key_size(), 2);
    keys.push_back(row.group().key(0).text() + (row.group().key(1).boolean() ? " yes" : " no"));
    EXPECT_EQ(row.group().key(0).field(), "place_cell_rf");
  }
  // By range: the uniform one begins at 0.06 and ends beyond it.
  EXPECT_THAT(keys, ::testing::ElementsAre("0.06 no", "0.06 yes", "Uniform( 0.06 , 0.18 ) no",
                                           "0.12 no", "0.2 no"));
}

TEST_F(SelectionTest, GroupsByNumbersSweepsAndReadouts) {
  auto response = Ask("", {"learning_rate"});
  ASSERT_EQ(response.rows_size(), 2);
  EXPECT_EQ(response.rows(0).group().key(0).number(), 1e-4);
  EXPECT_EQ(response.rows(1).group().key(0).number(), 1e-3);
  response = Ask("", {"sweep", "readout"}, {});
  ASSERT_EQ(response.rows_size(), 4);
  EXPECT_EQ(response.rows(0).group().key(0).number(), 1);
  EXPECT_EQ(response.rows(0).group().key(1).text(), "DoS");
  EXPECT_EQ(response.rows(3).group().key(0).number(), 2);
}

TEST_F(SelectionTest, AGroupWithoutFinishedRunsIsShownWithoutAFraction) {
  const auto response = Ask("", {"readout"});
  const auto& polar = response.rows(2);
  EXPECT_EQ(polar.group().key(0).text(), "Polar");
  EXPECT_EQ(polar.denominator(), 0);
  EXPECT_EQ(polar.group().coverage().pending(), 1);
}

TEST_F(SelectionTest, AGroupOfNullIsItsOwn) {
  const auto response = Ask("", {"place_cell_alpha_e"});
  ASSERT_EQ(response.rows_size(), 1);
  EXPECT_EQ(response.rows(0).group().key(0).value_case(), v1::GroupValue::VALUE_NOT_SET);
  EXPECT_EQ(response.rows(0).denominator(), 12);
}

TEST_F(SelectionTest, TellsReusedResultsApart) {
  ResultWorld world;
  world.AddSweep({{.seed = 0, .scores = {0.9}}, {.seed = 1, .scores = {0.5, 0.5}}});
  world.Execute("update run_results set reused_from = 99 where run_id = 2");
  const auto ask = [&](const std::string& filter) {
    v1::FractionRequest request;
    request.mutable_where()->set_filter(filter);
    v1::FractionResponse response;
    const auto status = world.Fraction(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.rows(0);
  };
  EXPECT_EQ(ask("").group().coverage().reused(), 1);
  EXPECT_EQ(ask("").denominator(), 3);
  EXPECT_EQ(ask("reused = false").denominator(), 1);
  EXPECT_EQ(ask("reused = false").group().coverage().reused(), 0);
  EXPECT_EQ(ask("reused = true").denominator(), 2);
}

TEST_F(SelectionTest, RefusesGroupsThatCannotBe) {
  const auto error_of = [](const std::vector<std::string>& group_by) {
    v1::FractionRequest request;
    for (const auto& field : group_by) request.mutable_where()->add_group_by(field);
    v1::FractionResponse response;
    return world_->Fraction(request, response).error_message();
  };
  EXPECT_THAT(error_of({"readot"}),
              AllOf(HasSubstr("where.group_by[0]"), HasSubstr("\"readout\"")));
  EXPECT_THAT(error_of({"seed", "state"}), HasSubstr("where.group_by[1]: cannot group by"));
  EXPECT_THAT(error_of({"seed", "seed"}), HasSubstr("twice"));
  EXPECT_THAT(error_of({"loss"}), HasSubstr("cannot group by"));
}

}  // namespace
}  // namespace gridsweep::analysis
