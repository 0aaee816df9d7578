// sweepctl against a server with results.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sweepctl/exit_code.h"
#include "tests/analysis/result_world.h"
#include "tests/sweepctl/map_file.h"
#include "tests/sweepctl/run_sweepctl.h"

namespace gridsweep::analysis {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class SweepctlCompare : public sweepctl::MapFile {
 protected:
  SweepctlCompare() : world_(/*files=*/true) {
    std::vector<RunSpec> runs;
    const char* kNetworks[] = {"RNN", "SRNN", "LSTM", "GRU", "UGRNN"};
    for (const char* network : kNetworks) {
      for (const int64_t seed : {0, 1}) {
        RunSpec spec;
        spec.rnn_type = network;
        spec.n_epochs = seed == 0 ? 2 : 0;
        spec.seed = seed;
        spec.scores = Values(12, 0.5);
        spec.participation_ratio_ratemaps = static_cast<double>(runs.size() + 1);
        runs.push_back(spec);
      }
    }
    world_.AddSweep(runs);
  }
  sweepctl::Ran Run(std::vector<std::string> args, bool terminal = false) {
    args.insert(args.begin(), "compare");
    args.push_back("--analysis-address");
    args.push_back("unix:" + (world_.artifacts() / "socket").string());
    return sweepctl::RunCaptured(args, "", terminal);
  }

  ResultWorld world_;
};

TEST_F(SweepctlCompare, PredictivityIsATableForPeopleAndJsonForPrograms) {
  const auto table = Run({"predictivity"}, /*terminal=*/true);
  ASSERT_EQ(table.code, sweepctl::kDone) << table.err;
  EXPECT_THAT(table.out, HasSubstr("PUBLISHED UNTRAINED"));
  EXPECT_THAT(table.out, HasSubstr("UGRNN"));
  EXPECT_THAT(table.out, HasSubstr("9.00 (1)"));
  EXPECT_THAT(table.out, HasSubstr("CORRELATION"));
  EXPECT_THAT(table.err, HasSubstr("Nayebi et al. 2021"));
  const json answer = json::parse(Run({"predictivity", "-o", "json"}).out);
  ASSERT_EQ(answer["rows"].size(), 20u);
  EXPECT_EQ(answer["rows"][3]["trained"]["ours"]["mean"], 1.0) << "RNN, relu";
  EXPECT_EQ(answer["rows"][3]["untrained"]["published"], 0.52);
  EXPECT_EQ(answer["correlations"][0]["n"], "5");
  EXPECT_TRUE(answer["correlations"][0].contains("pearson_interval"));
  EXPECT_THAT(Run({"predictivity", "--correlations", "-o", "csv"}).out,
              ::testing::StartsWith("correlation,networks,pearson,spearman\ntrained,5,"));
}

TEST_F(SweepctlCompare, RecordingsAreSentWholeAndAnsweredByRunAndGroup) {
  // More than a message holds: units of run 1 again and again.
  const int n = 44, neurons = 600;
  std::vector<float> maps;
  for (int neuron = 0; neuron < neurons; ++neuron) {
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) maps.push_back(StoredRate(1, neuron % 12, i, j));
    }
  }
  std::fill(maps.end() - n * n, maps.end(), 0.0f);
  Write("units", H5T_NATIVE_FLOAT, {static_cast<hsize_t>(neurons), 44, 44}, maps.data());
  Close();
  const auto ran =
      Run({"recordings", path_, "--filter", "run <= 2", "--by", "n_epochs", "-o", "json"});
  ASSERT_EQ(ran.code, sweepctl::kDone) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("1 of 600 neurons of units have no R2 (599)"));
  const json answer = json::parse(ran.out);
  ASSERT_EQ(answer["runs"].size(), 2u);
  EXPECT_EQ(answer["runs"][0]["run_id"], "1");
  EXPECT_EQ(answer["runs"][0]["neurons"], "599");
  EXPECT_GT(answer["runs"][0]["median"], 0.999);
  EXPECT_LT(answer["runs"][1]["median"], 0.999);
  EXPECT_EQ(answer["runs"][0]["r_squared"].size(), 600u);
  ASSERT_EQ(answer["groups"].size(), 2u);
  EXPECT_EQ(answer["groups"][0]["group"]["key"][0]["number"], 0.0);

  const auto table = Run({"recordings", path_, "--run", "1"}, /*terminal=*/true);
  EXPECT_THAT(table.out, HasSubstr("MEDIAN R2"));
  EXPECT_THAT(table.out, HasSubstr("1.000 [1.00, 1.00]"));
  EXPECT_THAT(table.err, HasSubstr("ridge regression"));
  EXPECT_THAT(Run({"recordings", path_, "--run", "1", "--neurons", "-o", "csv"}).out,
              ::testing::StartsWith("run,neuron,r2\n1,0,"));
  const auto missing = Run({"recordings", path_, "--run", "99"});
  EXPECT_EQ(missing.code, sweepctl::kNotFound);
  EXPECT_THAT(missing.err, HasSubstr("no finished run is selected"));
}

}  // namespace
}  // namespace gridsweep::analysis
