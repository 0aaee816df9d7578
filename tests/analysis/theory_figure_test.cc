// Panels of theory, beside what ReadoutTheory answers, and drawn by the real renderer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "analysis/figures/renderer.h"
#include "common/strings.h"
#include "science/config/run_config.h"
#include "science/theory/readout_theory.h"
#include "tests/analysis/drawn_figure.h"
#include "tests/support/renderer.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

// Sweeps of readouts that nothing was trained with.
class TheoryFigureTest : public ::testing::Test {
 protected:
  static int64_t AddReadouts(ResultWorld& world, const std::vector<std::string>& configs) {
    std::vector<RunSpec> runs;
    for (size_t i = 0; i < configs.size(); ++i) {
      runs.push_back({.seed = static_cast<int64_t>(i), .state = "pending", .scores = {}});
    }
    const int64_t sweep_id = world.AddSweep(runs);
    for (size_t i = 0; i < configs.size(); ++i) {
      world.Execute(StrCat("update runs set config = config || '", configs[i],
                           "' where sweep_id = ", sweep_id, " and ordinal = ", i));
    }
    return sweep_id;
  }
  static void ExpectBothPictures(const Answer& answer) {
    if (testing::WithoutRenderer()) return;
    const Renderer renderer({.directory = std::string(GRIDSWEEP_SOURCE_DIR) + "/build/renderer"});
    for (const Picture format : {Picture::kSvg, Picture::kPng}) {
      const auto picture = renderer.Render(answer.bytes, format);
      EXPECT_TRUE(picture.ok()) << picture.status();
    }
  }
};

TEST_F(TheoryFigureTest, P03DrawsWhatTheTheoryPredictsOfEachReadout) {
  ResultWorld world;
  v1::Selection where;
  where.add_sweep_ids(AddReadouts(
      world, {R"({"place_field_values":"difference_of_gaussians","place_cell_rf":0.2,"Np":64})",
              R"({"place_field_values":"gaussian","place_cell_rf":0.2,"Np":64})",
              R"({"place_field_values":"cartesian","place_field_loss":"mse","Np":2})"}));
  const Answer answer = Draw(world, "p03", where);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_FALSE(answer.header.has_coverage());
  EXPECT_EQ(answer.header.notes(0),
            "Theory, no training. 3 readouts in the selection, 2 are drawn; 1 not covered by the "
            "theory.");
  const Json document = answer.document();
  ASSERT_EQ(document["vconcat"].size(), 2u);
  EXPECT_EQ(document["vconcat"][0]["title"], "DoS, σ 0.2 m, surround 2");
  science::RunConfig config;
  config.place_cell_rf = science::Draw::Constant(0.2);
  config.Np = 64;
  config.seed = 0;
  const auto expected = *theory::PredictLattice(config, {.eigenmaps = 0});
  const Json& curve = document["datasets"]["readout_1"];
  for (size_t m = 0; m < curve.size(); ++m) {
    ExpectDrawn(curve[m]["k"], static_cast<double>(m + 1) * expected.radial.step);
    ExpectDrawn(curve[m]["power"], expected.radial.power[m] / expected.rings.maximum.power);
  }
  EXPECT_GT(curve.size(), 15u);
  const Json& marks = document["datasets"]["readout_1_marks"];
  ASSERT_EQ(marks.size(), 3u);
  ExpectDrawn(marks[0]["k"], expected.rings.local->wavenumber);
  ExpectDrawn(marks[1]["k"], *expected.closed_forms.wavenumber);
  EXPECT_TRUE(document["datasets"]["readout_2_marks"].empty()) << "a Gaussian has no ring";
  ExpectBothPictures(answer);
}

TEST_F(TheoryFigureTest, P09CountsTheLatticesThatGrowWithTanhAndRelu) {
  ResultWorld world;
  v1::Selection where;
  where.add_sweep_ids(AddReadouts(
      world, {R"({"place_field_values":"difference_of_gaussians","place_cell_rf":0.08})"}));
  const Answer answer = Draw(world, "p09", where);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  // Counted by the other call that grows patterns, with the published sizes.
  v1::ReadoutTheoryRequest request;
  request.set_sweep_id(where.sweep_ids(0));
  request.set_eigenmaps(0);
  request.add_patterns()->set_activation("tanh");
  request.add_patterns()->set_activation("relu");
  grpc::ClientContext context;
  auto stream = world.stub().ReadoutTheory(&context, request);
  std::vector<v1::PatternOutcome> outcomes;
  v1::ReadoutTheoryResponse part;
  while (stream->Read(&part)) {
    if (part.has_patterns()) outcomes.push_back(part.patterns());
  }
  ASSERT_TRUE(stream->Finish().ok());
  ASSERT_EQ(outcomes.size(), 2u);
  const Json rows = answer.document()["datasets"]["classes"];
  ASSERT_EQ(rows.size(), 8u);
  for (size_t p = 0; p < 2; ++p) {
    EXPECT_EQ(rows[4 * p]["pattern"],
              StrCat(p == 0 ? "tanh" : "relu", ": DoS, σ 0.08 m, surround 2"));
    EXPECT_EQ(rows[4 * p]["units"], outcomes[p].hexagonal());
    EXPECT_EQ(rows[4 * p + 1]["units"], outcomes[p].square());
    EXPECT_EQ(rows[4 * p + 2]["units"], outcomes[p].stripes());
    EXPECT_EQ(rows[4 * p + 3]["units"], outcomes[p].none());
  }
  EXPECT_GE(outcomes[1].hexagonal(), 16u) << "relu: half of the units or more";
  ExpectBothPictures(answer);
}

TEST_F(TheoryFigureTest, AsksForSweepsAndNothingElse) {
  ResultWorld world;
  const Answer without = Draw(world, "p03");
  EXPECT_EQ(without.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(without.status.error_message(), HasSubstr("where.sweep_ids: p03 is theory"));
  v1::Selection where;
  where.add_sweep_ids(AddReadouts(
      world, {R"({"place_field_values":"cartesian","place_field_loss":"mse","Np":2})"}));
  const Answer uncovered = Draw(world, "p09", where);
  EXPECT_EQ(uncovered.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(uncovered.status.error_message(), HasSubstr("it needs runs with place cells"));
  where.set_filter("seed = 0");
  EXPECT_THAT(Draw(world, "p09", where).status.error_message(), HasSubstr("where.filter"));
}

}  // namespace
}  // namespace gridsweep::analysis
