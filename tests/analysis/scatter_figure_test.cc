// Panels that set two numbers against each other, each with a sweep of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "common/strings.h"
#include "tests/analysis/drawn_figure.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

TEST(FigureOfHeights, P08CountsUnitsByBothScores) {
  ResultWorld world;
  std::vector<RunSpec> runs;
  for (int i = 0; i < 4; ++i) {
    RunSpec spec;
    spec.readout = spec.family = "General DoG";
    spec.seed = i;
    spec.pos_err = i == 3 ? 16 : 14;
    for (int unit = 0; unit < 40; ++unit) spec.scores.push_back(0.04 * ((unit * 7 + i) % 37) - 0.4);
    spec.scores[i] = 3.2;  // then its other score is above 1.5
    runs.push_back(spec);
  }
  world.AddSweep(runs);
  world.Execute(
      "update runs set config = config || '{\"place_field_values\":"
      "\"general_difference_of_gaussians\",\"place_cell_alpha_e\":1,\"place_cell_alpha_i\":0.25}';"
      "update runs set config = config || '{\"place_cell_alpha_i\":0.5}' where run_id = 2");
  const Answer answer = Draw(world, "p08");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  const Json data = answer.document()["datasets"];
  std::map<std::pair<int, std::pair<long, long>>, int> cells;
  std::map<int, int> hexagonal, square, units;
  for (const StoredRun& run : world.runs()) {
    if (run.spec.pos_err > 15) continue;
    const int pair = run.run_id == 2 ? 50 : 25;  // 100 alpha_i
    for (int unit = 0; unit < 40; ++unit) {
      const double x = *run.spec.scores[unit];
      const double y = *run.units.at("grid_score_90")[unit];
      ++cells[{pair, {std::lround(std::floor(x / 0.05)), std::lround(std::floor(y / 0.05))}}];
      hexagonal[pair] += x > 0.8;
      square[pair] += y > 1.5;
      ++units[pair];
    }
  }
  size_t drawn = 0;
  for (const auto& row : data["scores"]) {
    const auto pair = static_cast<int>(std::lround(100 * row["alpha_i"].get<double>()));
    const auto cell = std::pair(std::lround(row["score_60"].get<double>() / 0.05),
                                std::lround(row["score_90"].get<double>() / 0.05));
    EXPECT_EQ(row["units"], (cells[{pair, cell}])) << row;
    EXPECT_EQ(row["alpha_e"], 1);
    ++drawn;
  }
  EXPECT_EQ(drawn, cells.size());
  for (const auto& row : data["hexagonal"]) {
    const auto pair = static_cast<int>(std::lround(100 * row["alpha_i"].get<double>()));
    EXPECT_EQ(row["units_above"], hexagonal[pair]);
    EXPECT_EQ(row["units"], units[pair]);
  }
  for (const auto& row : data["square"]) {
    const auto pair = static_cast<int>(std::lround(100 * row["alpha_i"].get<double>()));
    EXPECT_EQ(row["units_above"], square[pair]);
    EXPECT_GT(square[pair], 0);
  }
}

TEST(FigureOfNetworks, P11SetsParticipationRatiosBesideThePublished) {
  ResultWorld world;
  std::vector<RunSpec> runs;
  for (int i = 0; i < 5; ++i) runs.push_back({.seed = i, .scores = {0.1, 0.2}});
  runs[4].activation = "tanh";
  world.AddSweep(runs);
  world.Execute(
      "update run_results set participation_ratio_ratemaps = 2 + run_id;"
      "update runs set config = config || '{\"n_epochs\":0}' where run_id = 3");
  const Answer answer = Draw(world, "p11");
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  const Json document = answer.document();
  const Json& trained = document["datasets"]["trained"];
  const auto point = [](const Json& rows, const std::string& source,
                        const std::string& activation) {
    for (const auto& row : rows) {
      if (row["network"] == "RNN" && row["source"] == source && row["activation"] == activation) {
        return row;
      }
    }
    return Json();
  };
  // Runs 1, 2 and 4: 3, 4 and 6, of variance 7/3.
  const Json relu = point(trained, "this selection", "relu");
  ExpectDrawn(relu["ratio"], 13 / 3.0);
  ExpectDrawn(relu["low"], 13 / 3.0 - std::sqrt(7 / 3.0 / 3));
  ExpectDrawn(relu["high"], 13 / 3.0 + std::sqrt(7 / 3.0 / 3));
  EXPECT_EQ(relu["predictivity"], 0.68);
  EXPECT_EQ(relu["runs"], 3);
  const Json tanh = point(trained, "this selection", "tanh");
  EXPECT_EQ(tanh["ratio"], 7);
  EXPECT_FALSE(tanh.contains("low")) << "one run has no standard error";
  EXPECT_EQ(point(trained, "published (relu)", "relu")["ratio"], 3.5);
  const Json& untrained = document["datasets"]["untrained"];
  ASSERT_EQ(untrained.size(), 1u);
  EXPECT_EQ(untrained[0]["ratio"], 5);
  EXPECT_EQ(untrained[0]["predictivity"], 0.52);
  EXPECT_THAT(answer.header.notes(2), HasSubstr("trained: too few (2 networks)"));
  EXPECT_THAT(answer.bytes, HasSubstr("B, C  not reproduced: data not public here"));
}

}  // namespace
}  // namespace gridsweep::analysis
