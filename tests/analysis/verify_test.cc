#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "analysis/verify/canonical_config.h"
#include "common/strings.h"
#include "tests/analysis/result_world.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;
using Lines = std::vector<v1::VerifySweepResponse>;

// Runs 1 to 5: two succeeded, one diverged, one failed, one cancelled.
std::unique_ptr<ResultWorld> SoundWorld() {
  auto world = std::make_unique<ResultWorld>(/*files=*/true);
  world->AddSweep(
      {{.seed = 0, .scores = {0.8, 0.1 + 0.2, std::nullopt, -2.5}},
       {.place_cell_rf = "Uniform( 0.06 , 0.18 )", .seed = 1, .scores = {2.5, 0.3, 0.31, 1.15}},
       {.seed = 2, .state = "diverged", .scores = Values(4)},
       {.seed = 3, .state = "failed", .scores = Values(4)},
       {.seed = 4, .state = "cancelled", .scores = Values(4)}});
  return world;
}

std::set<std::string> FaultyChecks(const Lines& lines) {
  std::set<std::string> checks;
  for (const auto& line : lines) {
    if (line.severity() == v1::VerifySweepResponse::SEVERITY_FAULT) checks.insert(line.check());
  }
  return checks;
}

std::string Show(const Lines& lines) {
  std::string text;
  for (const auto& line : lines) {
    if (line.severity() == v1::VerifySweepResponse::SEVERITY_FAULT) {
      text += StrCat(line.check(), " run ", line.run_id(), ": ", line.message(), "\n");
    }
  }
  return text;
}

TEST(VerifySweep, FindsNothingWrongWithASoundSweepAndSaysWhatItCounted) {
  auto world = SoundWorld();
  const Lines lines = world->Verify(1);
  EXPECT_EQ(Show(lines), "");
  std::map<std::string, int64_t> counted;
  for (const auto& line : lines) {
    if (line.severity() == v1::VerifySweepResponse::SEVERITY_COUNTED) {
      counted[line.check()] = line.count();
    }
  }
  EXPECT_EQ(counted["ordinals"], 5);
  EXPECT_EQ(counted["config_hash"], 5);
  EXPECT_EQ(counted["units_contiguous"], 2);
  EXPECT_EQ(counted["unit_values"], 2 * 4 * 19);
  EXPECT_EQ(counted["artifact"], 3);
  EXPECT_EQ(counted["file_scores"], 2 * 19);
  EXPECT_EQ(counted["file_metrics"], 3 * 30);
  EXPECT_EQ(counted["chance"], 3 * 14);
}

// Its file has no such dataset: the metric was not known when it was written.
TEST(VerifySweep, AllowsAMetricThatNeitherTableNorFileHas) {
  auto world = SoundWorld();
  world->Execute(
      "alter table units add column later double precision;"
      "insert into unit_rollups (run_id, metric, n, nulls, sum)"
      " values (1, 'later', 4, 4, 0), (2, 'later', 4, 4, 0)");
  EXPECT_EQ(Show(world->Verify(1)), "");
}

TEST(VerifySweep, OfASweepThatDoesNotExistIsNotFound) {
  ResultWorld world;
  grpc::ClientContext context;
  v1::VerifySweepRequest request;
  request.set_sweep_id(12);
  auto stream = world.stub().VerifySweep(&context, request);
  v1::VerifySweepResponse line;
  EXPECT_FALSE(stream->Read(&line));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST(VerifySweep, CallsARunningSweepUnfinished) {
  for (const char* state : {"pending", "backoff", "paused", "leased"}) {
    ResultWorld world(/*files=*/true);
    world.AddSweep({{.seed = 0, .scores = {0.5}}, {.seed = 1, .state = state, .scores = {0.5}}});
    const Lines lines = world.Verify(1);
    EXPECT_EQ(FaultyChecks(lines), (std::set<std::string>{"unfinished"})) << Show(lines);
    EXPECT_EQ(lines[0].run_id(), 2);
  }
}

TEST(VerifySweep, TellsTwentyFaultsOfACheckAndCountsTheRest) {
  ResultWorld world(/*files=*/true);
  std::vector<RunSpec> runs;
  for (int i = 0; i < 40; ++i) runs.push_back({.seed = i, .state = "pending", .scores = {0.5}});
  world.AddSweep(runs);
  int told = 0;
  int64_t counted = 0;
  for (const auto& line : world.Verify(1)) {
    if (line.severity() != v1::VerifySweepResponse::SEVERITY_FAULT) continue;
    ++told;
    counted += line.count();
  }
  EXPECT_EQ(told, 21);
  EXPECT_EQ(counted, 40);
}

struct Plant {
  std::string name;
  std::string sql;  // or:
  std::function<void(ResultWorld&)> by_hand = nullptr;
  std::string check;                // must be named
  int64_t run_id = 1;               // of the first such fault
  std::set<std::string> also = {};  // checks that must speak up as well
};

std::vector<Plant> Plants() {
  const std::string token = "'00000000-0000-0000-0000-000000000001'";
  return {
      {.name = "RunMissing",
       .sql = "delete from attempts where run_id = 4; delete from run_state where run_id = 4;"
              "delete from runs where run_id = 4",
       .check = "ordinals",
       .run_id = 5,
       .also = {"run_count"}},
      {.name = "OrdinalSkipped",
       .sql = "update runs set ordinal = 7 where run_id = 4",
       .check = "ordinals",
       .run_id = 5,
       .also = {"run_ids"}},
      {.name = "RunCountWrong",
       .sql = "update sweeps set run_count = 6",
       .check = "run_count",
       .run_id = 0,
       .also = {"ordinals"}},
      {.name = "FirstRunIdWrong", .sql = "update sweeps set first_run_id = 3", .check = "run_ids"},
      {.name = "ConfigChanged",
       .sql = "update runs set config = config || '{\"learning_rate\": 0.002}' where run_id = 1",
       .check = "config_hash"},
      {.name = "HashChanged",
       .sql = "update runs set config_hash = sha256('x') where run_id = 1",
       .check = "config_hash",
       .also = {"file_config"}},
      {.name = "PointTwice",
       .sql = "update runs set config = o.config, config_hash = o.config_hash, seed = o.seed"
              " from runs o where runs.run_id = 5 and o.run_id = 4",
       .check = "distinct_configs",
       .run_id = 5},
      {.name = "ColumnDiffers",
       .sql = "update runs set activation = 'tanh' where run_id = 1",
       .check = "config_columns"},
      {.name = "WidthRangeDiffers",
       .sql = "update runs set place_cell_rf_high = 0.5 where run_id = 2",
       .check = "config_columns",
       .run_id = 2},
      {.name = "StateMissing",
       .sql = "delete from run_state where run_id = 4",
       .check = "run_state",
       .run_id = 4,
       .also = {"unfinished", "attempts"}},
      {.name = "LeaseLeftOver",
       .sql = "insert into workers (worker_id, name, host, incarnation, slots, resource_class,"
              " memory_bytes, numerics_id, version, science_version) values (1, 'w', 'h', '', 1,"
              " '', 0, '', '', 1); insert into leases values (1, 1, 0, " +
              token + ", 2, 1, '', '', now(), now())",
       .check = "leases"},
      {.name = "ResultMissing",
       .sql = "delete from run_results where run_id = 1",
       .check = "result",
       .also = {"attempts", "unit_count"}},
      {.name = "ResultOfAFailedRun",
       .sql = "insert into run_results select 4, sweep_id, " + token +
              ", 2, null, 0, 4, 1, '', 1 from run_results where run_id = 3",
       .check = "result",
       .run_id = 4},
      {.name = "OutcomeDiffers",
       .sql = "update run_results set outcome = 2 where run_id = 1",
       .check = "result"},
      {.name = "StateLost",
       .sql = "update run_state set state = 6 where run_id = 1",
       .check = "result",
       .also = {"unit_count", "rollups", "attempts"}},
      {.name = "StepsShort",
       .sql = "update run_results set steps = 9 where run_id = 1",
       .check = "steps"},
      {.name = "AttemptMissing",
       .sql = "delete from attempts where run_id = 1 and attempt = 1",
       .check = "attempts"},
      {.name = "AttemptCountWrong",
       .sql = "update run_state set attempt = 3 where run_id = 4",
       .check = "attempts",
       .run_id = 4},
      {.name = "TwoAttemptsSucceeded",
       .sql = "update attempts set outcome = 'succeeded' where run_id = 1 and attempt = 1",
       .check = "attempts"},
      {.name = "ResultLostThatIsThere",
       .sql = "update attempts set withdrawn = '{}' where run_id = 1 and attempt = 2",
       .check = "attempts"},
      {.name = "ResultLostThatNeverWas",
       .sql = "update attempts set withdrawn = '{}' where run_id = 1 and attempt = 1",
       .check = "attempts"},
      {.name = "FailureThatNoAttemptHas",
       .sql = "update run_state set failures = 1 where run_id = 4",
       .check = "failures",
       .run_id = 4},
      {.name = "FailureOfAnAttemptThatDidNotFail",
       .sql = "update run_state set failures = 1 where run_id = 1;"
              "update attempts set counted = true where run_id = 1 and attempt = 1",
       .check = "failures"},
      {.name = "TokenOfAnother",
       .sql = "update run_results set token = " + token + " where run_id = 1",
       .check = "attempts"},
      {.name = "ReusedFromAnother",
       .sql = "update run_results set reused_from = 2 where run_id = 1;"
              "update attempts set outcome = 'lost' where run_id = 1 and attempt = 2",
       .check = "reuse"},
      {.name = "ReusedAndTrained",
       .sql = "update run_results set reused_from = 99 where run_id = 1",
       .check = "attempts"},
      {.name = "UnitMissing",
       .sql = "delete from units where run_id = 1 and unit = 1",
       .check = "units_contiguous",
       .also = {"unit_count", "rollups", "file_scores"}},
      {.name = "UnitRenumbered",
       .sql = "update units set unit = 9 where run_id = 1 and unit = 3",
       .check = "units_contiguous"},
      {.name = "UnitCountWrong",
       .sql = "update run_results set unit_count = 5 where run_id = 1",
       .check = "unit_count"},
      {.name = "UnitsOfADivergedRun",
       .sql = "insert into units (run_id, unit) values (3, 0)",
       .check = "unit_count",
       .run_id = 3},
      {.name = "UnitIsNaN",
       .sql = "update units set mean_rate = 'NaN' where run_id = 1 and unit = 0",
       .check = "unit_values"},
      {.name = "RollupMissing",
       .sql = "delete from unit_rollups where run_id = 1 and metric = 'mean_rate'",
       .check = "rollups"},
      {.name = "RollupOfNothing",
       .sql = "insert into unit_rollups values (1, 'colour', 0, 0, null, null, 0, null)",
       .check = "rollups"},
      {.name = "RollupBinShifted",
       // A score of exactly 0.8 counted one bin too high.
       .sql = "update unit_rollups set bins[281] = bins[281] - 1, bins[282] = bins[282] + 1"
              " where run_id = 1 and metric = 'grid_score_60'",
       .check = "rollups"},
      {.name = "RollupSumWrong",
       .sql = "update unit_rollups set sum = sum + 0.001 where run_id = 1 and metric = 'mean_rate'",
       .check = "rollups"},
      {.name = "RollupNullsWrong",
       .sql = "update unit_rollups set nulls = 0 where run_id = 1 and metric = 'grid_score_90'",
       .check = "rollups"},
      {.name = "RollupMaxWrong",
       .sql = "update unit_rollups set max = 1.5 where run_id = 2 and metric = 'peak_rate'",
       .check = "rollups",
       .run_id = 2},
      {.name = "RunMaximumWrong",
       .sql = "update run_results set max_grid_score_60 = 0.81 where run_id = 1",
       .check = "run_maxima"},
      {.name = "SampledMaximumWrong",
       .sql = "update run_results set max_score_60_1024 = null where run_id = 1",
       .check = "run_maxima"},
      {.name = "SquareMaximumWrong",
       .sql = "update run_results set max_grid_score_90 = 0 where run_id = 2",
       .check = "run_maxima",
       .run_id = 2},
      {.name = "FractionWrong",
       .sql = "update run_results set units_above[3] = 1 where run_id = 1",
       .check = "fractions"},
      {.name = "FractionOfADivergedRun",
       .sql = "update run_results set units_above = '{0,0,0,0,0,0}' where run_id = 3",
       .check = "fractions",
       .run_id = 3},
      {.name = "ReadoutOfAnother",
       .sql = "update run_results set readout_family = 'SoD' where run_id = 2",
       .check = "fractions",
       .run_id = 2},
      {.name = "CurveBeyondTheEnd",
       .sql = "insert into learning_curves (run_id, step) values (1, 11)",
       .check = "learning_curve"},
      {.name = "CurveTooLong",
       .sql = "update runs set total_steps = 5000 where run_id = 4; insert into learning_curves"
              " (run_id, step) select 4, generate_series(1, 257)",
       .check = "learning_curve",
       .run_id = 4,
       .also = {"config_columns"}},
      {.name = "ScoreDiffersFromTheFile",
       // Consistent with the rollup in every sum: two units swapped.
       .sql = "update units set grid_score_60 = case unit when 1 then 0.31 else 0.3 end"
              " where run_id = 2 and unit in (1, 2)",
       .check = "file_scores",
       .run_id = 2},
      {.name = "ScoreNotInTheFile",
       .sql = "alter table units add column mystery double precision;"
              "update units set mystery = 1 where run_id = 1",
       .check = "file_scores"},
      {.name = "MetricDiffersFromTheFile",
       .sql = "update run_results set loss = 6.25 where run_id = 2",
       .check = "file_metrics",
       .run_id = 2},
      {.name = "MetricNotInTheFile",
       .sql = "update run_results set participation_ratio = 3 where run_id = 1",
       .check = "file_metrics"},
      {.name = "MetricLost",
       .sql = "update run_results set pos_err_published = null where run_id = 3",
       .check = "file_metrics",
       .run_id = 3},
      {.name = "ChanceFractionWrong",
       .sql = "update run_results set chance_fraction_above_080 = 0.5 where run_id = 2",
       .check = "chance",
       .run_id = 2,
       .also = {"file_metrics"}},
      {.name = "ChancePercentileWrong",
       .sql = "update run_results set chance_score_60_p95 = 1 where run_id = 1",
       .check = "chance"},
      {.name = "UntrainedMaximumLost",
       .sql = "update run_results set untrained_max_score_60 = null where run_id = 1",
       .check = "chance"},
      {.name = "ChanceOfADivergedRun",
       .sql = "update run_results set untrained_fraction_above_115 = 0 where run_id = 3",
       .check = "chance",
       .run_id = 3},
      {.name = "FileMissing",
       .by_hand = [](ResultWorld& world) { std::filesystem::remove(world.FileOf(1)); },
       .check = "artifact"},
      {.name = "FileDamaged",
       .by_hand =
           [](ResultWorld& world) {
             std::fstream file(world.FileOf(1), std::ios::in | std::ios::out | std::ios::binary);
             file.seekp(2000);
             file.put('\x5a');
             file.put('\xa5');
           },
       .check = "artifact"},
      {.name = "FileCut",
       .by_hand = [](ResultWorld& world) { std::filesystem::resize_file(world.FileOf(1), 1000); },
       .check = "artifact"},
      {.name = "FileOfAnotherRun",
       .sql =
           "update run_results set artifact = (select artifact from run_results where run_id = 2)"
           " where run_id = 1",
       .check = "file_config",
       .also = {"file_scores"}},
      {.name = "FileNotNamed",
       .sql = "update run_results set artifact = null where run_id = 1",
       .check = "artifact"},
      {.name = "FileSizeWrong",
       .sql =
           "update artifacts set size = size + 1 where sha256 = (select artifact from run_results"
           " where run_id = 1)",
       .check = "artifact"},
  };
}

class PlantedFault : public ::testing::TestWithParam<Plant> {};

TEST_P(PlantedFault, IsNamed) {
  const Plant& plant = GetParam();
  auto world = SoundWorld();
  if (plant.by_hand) plant.by_hand(*world);
  if (!plant.sql.empty()) world->Execute(plant.sql);
  const Lines lines = world->Verify(1);
  const auto checks = FaultyChecks(lines);
  EXPECT_TRUE(checks.contains(plant.check)) << Show(lines);
  for (const auto& check : plant.also)
    EXPECT_TRUE(checks.contains(check)) << check << "\n" << Show(lines);
  for (const auto& line : lines) {
    if (line.severity() == v1::VerifySweepResponse::SEVERITY_FAULT && line.check() == plant.check) {
      EXPECT_EQ(line.run_id(), plant.run_id) << line.message();
      EXPECT_FALSE(line.message().empty());
      break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(VerifySweep, PlantedFault, ::testing::ValuesIn(Plants()),
                         [](const auto& info) { return info.param.name; });

// Examples of RFC 8785, appendix B, and what jsonb makes of small numbers.
TEST(CanonicalNumber, IsWrittenAsRfc8785Has) {
  EXPECT_EQ(CanonicalNumber(0), "0");
  EXPECT_EQ(CanonicalNumber(-0.0), "0");
  EXPECT_EQ(CanonicalNumber(5e-324), "5e-324");
  EXPECT_EQ(CanonicalNumber(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(CanonicalNumber(9007199254740992), "9007199254740992");
  EXPECT_EQ(CanonicalNumber(295147905179352830000.0), "295147905179352830000");
  EXPECT_EQ(CanonicalNumber(9.999999999999997e22), "9.999999999999997e+22");
  EXPECT_EQ(CanonicalNumber(1e21), "1e+21");
  EXPECT_EQ(CanonicalNumber(999999999999999700000.0), "999999999999999700000");
  EXPECT_EQ(CanonicalNumber(0.000001), "0.000001");
  EXPECT_EQ(CanonicalNumber(1e-7), "1e-7");
  EXPECT_EQ(CanonicalNumber(-333333333.3333333), "-333333333.3333333");
}

TEST(CanonicalConfig, SortsKeysAndForgetsHowNumbersWereWritten) {
  EXPECT_EQ(
      RebuildCanonicalConfig(R"({"b": 0.00000010, "a": 2.0, "Z": null, "c": "x y", "d": true})"),
      R"({"Z":null,"a":2,"b":1e-7,"c":"x y","d":true})");
  EXPECT_EQ(RebuildCanonicalConfig("[1]"), std::nullopt);
}

}  // namespace
}  // namespace gridsweep::analysis
