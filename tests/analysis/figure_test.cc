// Panels drawn from a stored sweep, their numbers counted again from what the
// test stored, and drawn by the real renderer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "analysis/statistics/dip.h"
#include "common/strings.h"
#include "tests/analysis/drawn_figure.h"
#include "tests/support/renderer.h"

namespace gridsweep::analysis {
namespace {

using ::testing::HasSubstr;

// A few runs of several readouts; the scores differ from run to run.
class FigureTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new ResultWorld(/*files=*/true);
    std::vector<RunSpec> runs;
    const auto add = [&](const std::string& readout, const std::string& family,
                         const std::string& width, int count, size_t units) {
      for (int i = 0; i < count; ++i) {
        RunSpec spec;
        spec.readout = readout;
        spec.family = family;
        spec.place_cell_rf = width;
        spec.seed = static_cast<int64_t>(runs.size());
        spec.pos_err = i == 0 ? 25 : 4 + i;  // the first does not solve the task
        for (size_t unit = 0; unit < units; ++unit) {
          // From -0.5 to 1.3, the highest with DoS.
          const double top = family == "DoS" && readout == "DoS" ? 1.4 : 0.5;
          const double share = static_cast<double>((unit * 7 + runs.size() * 3) % 23) / 23;
          spec.scores.push_back(unit == 5 ? std::nullopt
                                          : std::optional(share * (top + 0.5) - 0.5));
        }
        runs.push_back(spec);
      }
    };
    add("DoS", "DoS", "0.12", 3, 20);
    add("DoS", "DoS", "0.2", 2, 20);
    add("DoS", "DoS", "0.2", 2, 30);
    add("DoS multi-scale", "DoS", "Uniform( 0.06 , 1 )", 2, 20);
    add("Gaussian", "Gaussian", "0.1", 2, 20);
    add("Gaussian", "Gaussian", "0.2", 2, 20);
    runs.back().activation = "tanh";
    runs.push_back({.readout = "DoS", .seed = 90, .state = "diverged", .scores = {0.9}});
    runs.push_back({.readout = "DoS", .seed = 91, .state = "pending", .scores = {0.9}});
    sweep_id_ = world_->AddSweep(runs);
  }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  static v1::Selection Sweep() {
    v1::Selection where;
    where.add_sweep_ids(sweep_id_);
    return where;
  }
  static Answer DrawWhole(const std::string& figure) {
    Answer answer = Draw(*world_, figure, Sweep());
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    return answer;
  }

  // Finished runs of the world that `which` selects.
  static std::vector<const StoredRun*> Finished(const std::function<bool(const RunSpec&)>& which) {
    std::vector<const StoredRun*> found;
    for (const StoredRun& run : world_->runs()) {
      if (run.spec.state == "succeeded" && which(run.spec)) found.push_back(&run);
    }
    return found;
  }
  static double ShareAbove(const std::vector<const StoredRun*>& runs, double threshold) {
    double above = 0, units = 0;
    for (const auto* run : runs) {
      for (const auto& score : run->spec.scores) {
        ++units;
        above += score && *score > threshold;
      }
    }
    return above / units;
  }
  static bool HasGrid(const StoredRun& run) {
    for (const auto& score : run.spec.scores) {
      if (score && *score > 0.8) return true;
    }
    return false;
  }

  static ResultWorld* world_;
  static int64_t sweep_id_;
};
ResultWorld* FigureTest::world_ = nullptr;
int64_t FigureTest::sweep_id_ = 0;
// The point of a data set of shares.
const Json& Point(const Json& rows, const Json& group, const std::string& series = "",
                  const std::string& source = "this selection") {
  static const Json kNone;
  for (const auto& row : rows) {
    if (row["group"] == group && row["source"] == source &&
        (series.empty() || row["series"] == series)) {
      return row;
    }
  }
  ADD_FAILURE() << "no point " << group << " " << series << " in " << rows.dump();
  return kNone;
}

void ExpectSurvival(const Json& rows, const std::string& name,
                    const std::vector<const StoredRun*>& runs) {
  int points = 0;
  for (const auto& row : rows) {
    if (row["series"].get<std::string>().rfind(name + " (", 0) != 0) continue;
    ++points;
    double above = 0, units = 0;
    for (const auto* run : runs) {
      for (const auto& score : run->spec.scores) {
        ++units;
        above += score && *score > row["score"].get<double>();
      }
    }
    ExpectDrawn(row["share"], above / units);
    EXPECT_THAT(row["series"].get<std::string>(),
                HasSubstr(StrCat(runs.size(), " runs, ", static_cast<int>(units), " units")));
  }
  EXPECT_EQ(points, 43) << name << ": -0.5, -0.45, .. 1.6";
}

TEST_F(FigureTest, TheHeaderSaysWhatIsDrawnAndOfHowMuch) {
  const Answer answer = DrawWhole("P1");
  EXPECT_EQ(answer.header.figure(), "p01");
  EXPECT_THAT(answer.header.title(), HasSubstr("P1"));
  EXPECT_EQ(answer.header.coverage().runs_total(), 15);
  EXPECT_EQ(answer.header.coverage().finished(), 13);
  EXPECT_EQ(answer.header.notes(0), "N: 13 of 15 runs are finished (1 diverged, 1 pending).");
  const Json document = answer.document();
  EXPECT_EQ(document["$schema"], "https://vega.github.io/schema/vega-lite/v5.json");
  EXPECT_EQ(document["title"]["text"], answer.header.title());
  EXPECT_EQ(document["title"]["subtitle"][0], answer.header.notes(0));
}

TEST_F(FigureTest, P01CountsSolvedRunsAndGridsByFamily) {
  const Json data = DrawWhole("p01").document()["datasets"];
  for (const std::string family : {"DoS", "Gaussian"}) {
    const auto runs = Finished([&](const RunSpec& spec) { return spec.family == family; });
    size_t solved = 0, grids = 0;
    for (const auto* run : runs) {
      if (run->spec.pos_err >= 10) continue;
      ++solved;
      grids += HasGrid(*run);
    }
    const Json& a = Point(data["solved"], family);
    EXPECT_EQ(a["count"], StrCat(solved, " of ", runs.size()));
    ExpectDrawn(a["fraction"], static_cast<double>(solved) / static_cast<double>(runs.size()));
    EXPECT_LT(a["low"], a["fraction"]);
    EXPECT_GT(a["high"], a["fraction"]);
    EXPECT_EQ(Point(data["has_grid"], family)["count"], StrCat(grids, " of ", solved));
    ExpectSurvival(data["survival"], family, runs);
  }
  EXPECT_EQ(Point(data["solved"], "SoD", "", "published")["fraction"], 1.0);
  EXPECT_EQ(Point(data["has_grid"], "DoS", "", "published")["fraction"], 0.91);
}

TEST_F(FigureTest, P02CountsUnitsAboveEachThresholdByWidth) {
  const Json document = DrawWhole("p02").document();
  for (const double threshold : {0.3, 0.75, 0.8, 1.15}) {
    const Json& rows = document["datasets"][StrCat("above_", threshold)];
    EXPECT_EQ(rows.size(), 2u) << "widths that are drawn are no point of this panel";
    for (const std::string width : {"0.12", "0.2"}) {
      const auto runs = Finished([&](const RunSpec& spec) {
        return spec.readout == "DoS" && spec.place_cell_rf == width;
      });
      ExpectDrawn(Point(rows, std::stod(width), "2")["fraction"], ShareAbove(runs, threshold));
    }
  }
}

TEST_F(FigureTest, P02ShowsTheBestUnitsMapsBinByBin) {
  const Json document = DrawWhole("p02").document();
  const Json& maps = document["vconcat"][1]["concat"];
  ASSERT_EQ(maps.size(), 6u) << "three of each of two widths";
  const StoredRun* best_run = nullptr;
  size_t best_unit = 0;
  double best = -2;
  for (const auto* run : Finished([](const RunSpec& spec) {
         return spec.readout == "DoS" && spec.place_cell_rf == "0.12";
       })) {
    for (size_t unit = 0; unit < run->spec.scores.size(); ++unit) {
      if (run->spec.scores[unit].value_or(-2) <= best) continue;
      best = *run->spec.scores[unit];
      best_run = run;
      best_unit = unit;
    }
  }
  EXPECT_THAT(maps[0]["title"]["text"].get<std::string>(), HasSubstr("σ 0.12: 1."));
  const Json& rates = maps[0]["data"]["values"][0]["value"];
  ASSERT_EQ(rates.size(), 32u * 32u);
  for (int i = 0; i < 32; ++i) {
    for (int j = 0; j < 32; ++j) {
      const float rate = StoredRate(best_run->run_id, static_cast<int>(best_unit), i, j);
      const Json& drawn = rates[i * 32 + j];
      ASSERT_EQ(drawn.is_null(), std::isnan(rate)) << i << " " << j;
      if (!drawn.is_null()) {
        ASSERT_NEAR(drawn.get<double>(), rate, 1e-3);
      }
    }
  }
}

TEST_F(FigureTest, P04FindsTheModeOfThePeriodsOfGridUnits) {
  const Json data = DrawWhole("p04").document()["datasets"];
  std::map<std::string, double> modes;
  for (const std::string width : {"0.12", "0.2"}) {
    std::vector<double> periods;
    std::set<int64_t> runs;
    for (const auto* run : Finished([&](const RunSpec& spec) {
           return spec.readout == "DoS" && spec.place_cell_rf == width;
         })) {
      for (size_t unit = 0; unit < run->spec.scores.size(); ++unit) {
        if (run->spec.scores[unit].value_or(0) <= 0.8) continue;
        periods.push_back(*run->units.at("period_bins")[unit]);
        runs.insert(run->run_id);
      }
    }
    // Density on the 1,000 points by the formula itself.
    double largest = -1;
    std::vector<double> density(1000);
    for (int k = 0; k < 1000; ++k) {
      const double x = 150.0 * k / 999;
      for (const double p : periods) {
        density[k] += std::exp(-(x - p) * (x - p) / 2) / std::sqrt(2 * M_PI) / periods.size();
      }
      if (density[k] > largest) {
        largest = density[k];
        modes[width] = x;
      }
    }
    bool found = false;
    for (const auto& row : data["modes"]) {
      if (row["source"] != "this selection" || row["width"] != std::stod(width)) continue;
      found = true;
      ExpectDrawn(row["period"], modes[width]);
    }
    EXPECT_TRUE(found);
    size_t points = 0;
    for (const auto& row : data["density"]) {
      const std::string name = row["width"];
      if (name.rfind(width + " (", 0) != 0) continue;
      EXPECT_EQ(name, StrCat(width, " (", periods.size(), " units, ", runs.size(), " runs)"));
      const auto k = static_cast<size_t>(std::lround(row["period"].get<double>() / 150 * 999));
      ExpectDrawn(row["density"], density[k]);
      ++points;
    }
    EXPECT_GT(points, 20u);
  }
  ASSERT_EQ(data["ratios"].size(), 1u);
  EXPECT_EQ(data["ratios"][0]["widths"], "0.2 / 0.12");
  ExpectDrawn(data["ratios"][0]["ratio"], modes["0.2"] / modes["0.12"]);
}

TEST_F(FigureTest, P05SetsIdealReadoutsBesideThoseOfSeveralScales) {
  const Json data = DrawWhole("p05").document()["datasets"];
  for (const std::string readout : {"DoS", "DoS multi-scale"}) {
    const auto runs = Finished([&](const RunSpec& spec) { return spec.readout == readout; });
    const auto grids =
        std::ranges::count_if(runs, [](const StoredRun* run) { return HasGrid(*run); });
    EXPECT_EQ(Point(data["has_grid"], readout)["count"], StrCat(grids, " of ", runs.size()));
    ExpectSurvival(data["survival"], readout, runs);
  }
}

TEST_F(FigureTest, P06CountsGaussianRunsByWidthAndSaysWhatIsMissing) {
  const Answer answer = DrawWhole("p06");
  const Json data = answer.document()["datasets"];
  for (const std::string width : {"0.1", "0.2"}) {
    const auto runs = Finished([&](const RunSpec& spec) {
      return spec.family == "Gaussian" && spec.place_cell_rf == width;
    });
    EXPECT_EQ(Point(data["has_grid"], std::stod(width))["count"], "0 of 2");
    ExpectSurvival(data["survival"], width + " m", runs);
  }
  EXPECT_EQ(Point(data["has_grid"], 0.08, "", "published")["fraction"], 0.274);
  EXPECT_EQ(Point(data["activation"], "tanh")["count"], "0 of 1");
  EXPECT_EQ(Point(data["activation"], "relu")["count"], "0 of 3");
  EXPECT_EQ(Point(data["activation"], "linear", "", "published")["fraction"], 0.108);
  EXPECT_FALSE(data.contains("rnn_type")) << "one network has nothing to stand beside";
  EXPECT_THAT(answer.bytes, HasSubstr("C  not reproduced: data not public here"));
  EXPECT_THAT(answer.header.notes(3), HasSubstr("not reproduced: data not public here"));
}

// Linear interpolation between order statistics.
double PercentileOf(std::vector<double> values, double quantile) {
  std::ranges::sort(values);
  const double at = quantile * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  if (below + 1 == values.size()) return values[below];
  return values[below] + (at - std::floor(at)) * (values[below + 1] - values[below]);
}

TEST_F(FigureTest, P07SetsEachRunsPercentilesBesideItsLoss) {
  const Json rows = DrawWhole("p07").document()["datasets"]["runs"];
  EXPECT_EQ(rows.size(), 13u * 6) << "three percentiles of two scores";
  const std::map<std::string, double> quantiles = {
      {"median", 0.5}, {"95th percentile", 0.95}, {"maximum", 1}};
  for (const auto& row : rows) {
    const StoredRun& run = world_->runs()[row["run"].get<size_t>() - 1];
    EXPECT_EQ(row["loss"], 6.5);
    std::vector<double> values;
    for (const auto& value :
         run.units.at(row["score"] == "60°" ? "grid_score_60" : "grid_score_90")) {
      if (value) values.push_back(*value);
    }
    EXPECT_NEAR(row["value"], PercentileOf(values, quantiles.at(row["percentile"])), 1e-3);
  }
}

TEST_F(FigureTest, P12TestsPeriodsOrientationsAndPhasesByWidth) {
  const Json data = DrawWhole("p12").document()["datasets"];
  for (const std::string width : {"0.12", "0.2"}) {
    std::vector<double> periods;
    std::map<std::string, std::pair<double, double>> sums;  // of cosines and sines
    std::set<int64_t> runs;
    for (const auto* run : Finished([&](const RunSpec& spec) {
           return spec.readout == "DoS" && spec.place_cell_rf == width;
         })) {
      for (size_t unit = 0; unit < run->spec.scores.size(); ++unit) {
        if (run->spec.scores[unit].value_or(0) <= 0.8) continue;
        runs.insert(run->run_id);
        periods.push_back(*run->units.at("period_bins")[unit]);
        const auto add = [&](const std::string& test, const char* metric, double factor) {
          const double angle = factor * *run->units.at(metric)[unit];
          sums[test].first += std::cos(angle);
          sums[test].second += std::sin(angle);
        };
        add("orientations, modulo 60° (Rayleigh)", "orientation_rad", 6);
        add("phases, first axis (Rayleigh)", "phase_x", 2 * M_PI);
        add("phases, second axis (Rayleigh)", "phase_y", 2 * M_PI);
      }
    }
    const auto n = static_cast<double>(periods.size());
    ASSERT_GE(n, 10);
    int tests = 0;
    for (const auto& row : data["tests"]) {
      if (row["width"] != width) continue;
      ++tests;
      EXPECT_EQ(row["units"], periods.size());
      EXPECT_EQ(row["runs"], runs.size());
      if (row["test"] == "one mode of periods (dip)") {
        const double dip = Dip(periods);
        ExpectDrawn(row["statistic"], dip);
        ExpectDrawn(row["p"], DipPValue(dip, static_cast<int64_t>(n), 1000, 0));
        continue;
      }
      const auto [x, y] = sums.at(row["test"]);
      const double r = std::sqrt(x * x + y * y) / n;
      ExpectDrawn(row["statistic"], r);
      ExpectDrawn(row["p"], std::min(1.0, std::exp(std::sqrt(1 + 4 * n + 4 * n * n * (1 - r * r)) -
                                                   1 - 2 * n)));
      EXPECT_THAT(row["text"].get<std::string>(),
                  HasSubstr(StrCat("(", runs.size(), " runs, ", periods.size(), " units)")));
    }
    EXPECT_EQ(tests, 4);
    std::map<double, int> counted;
    for (const double period : periods) ++counted[std::floor(period) + 0.5];
    for (const auto& row : data["periods"]) {
      if (row["width"] == width) {
        EXPECT_EQ(row["units"], counted[row["value"].get<double>()]);
      }
    }
  }
}

TEST_F(FigureTest, P10SetsSizesBesideEachOther) {
  const Json data = DrawWhole("p10").document()["datasets"];
  for (const size_t size : {20, 30}) {
    const auto runs = Finished(
        [&](const RunSpec& spec) { return spec.readout == "DoS" && spec.scores.size() == size; });
    const auto grids =
        std::ranges::count_if(runs, [](const StoredRun* run) { return HasGrid(*run); });
    EXPECT_EQ(Point(data["has_grid"], std::to_string(size))["count"],
              StrCat(grids, " of ", runs.size()));
    const auto wide = Finished([&](const RunSpec& spec) {
      return spec.readout == "DoS" && spec.scores.size() == size && spec.place_cell_rf == "0.2";
    });
    ExpectDrawn(Point(data["above_0.75"], 0.2, std::to_string(size))["fraction"],
                ShareAbove(wide, 0.75));
  }
}
TEST_F(FigureTest, P04ExplainsTheRatiosWhereTheyAreDrawn) {
  const auto explains = [](const v1::Selection& where) {
    const Answer answer = Draw(*world_, "p04", where);
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    for (const std::string& note : answer.header.notes()) {
      if (note.rfind("C: ", 0) == 0) return true;
    }
    return false;
  };
  EXPECT_TRUE(explains(Sweep()));
  v1::Selection one = Sweep();
  one.set_filter("place_cell_rf = 0.12");
  EXPECT_FALSE(explains(one)) << "one width has no ratio";
}

TEST_F(FigureTest, P04HasItsMarksInItsLegend) {
  const std::string modes = DrawWhole("p04").document().dump();
  // One mark, whose shape and colour the legend repeats.
  EXPECT_THAT(modes, HasSubstr("\"shape\":{\"field\":\"source\""));
  EXPECT_THAT(modes, ::testing::Not(HasSubstr("\"type\":\"tick\"")));
}

TEST_F(FigureTest, NamesTheSweepsThatItIsDrawnFrom) {
  v1::Selection where = Sweep();
  const auto last_note = [&] {
    const Answer answer = Draw(*world_, "p01", where);
    EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
    return answer.header.notes(answer.header.notes_size() - 1);
  };
  EXPECT_EQ(last_note(), StrCat("Drawn from sweep ", sweep_id_, " test."));
  where.set_filter("activation = relu");
  EXPECT_EQ(last_note(), StrCat("Drawn from sweep ", sweep_id_, " test, where activation = relu."));
  where.clear_sweep_ids();
  EXPECT_EQ(last_note(), "Drawn from all sweeps, where activation = relu.");
}

TEST_F(FigureTest, TheRealRendererDrawsEveryStoredPanel) {
  if (testing::WithoutRenderer()) GTEST_SKIP() << "no renderer of figures here";
  for (const std::string figure : {"p01", "p02", "p04", "p05", "p06", "p07", "p10", "p12"}) {
    const Answer svg = Draw(*world_, figure, Sweep(), v1::RenderFigureRequest::FORMAT_SVG);
    ASSERT_TRUE(svg.status.ok()) << figure << ": " << svg.status.error_message();
    EXPECT_THAT(svg.bytes, HasSubstr("</svg>"));
    EXPECT_THAT(svg.bytes, HasSubstr(StrCat("P", std::stoi(figure.substr(1)), ": ")))
        << "the title";
    EXPECT_LE(svg.largest_chunk, size_t{1} << 20);
    const Answer png = Draw(*world_, figure, Sweep(), v1::RenderFigureRequest::FORMAT_PNG);
    ASSERT_TRUE(png.status.ok()) << figure << ": " << png.status.error_message();
    EXPECT_EQ(png.bytes.substr(1, 3), "PNG");
    EXPECT_LE(png.largest_chunk, size_t{1} << 20);
  }
}

TEST_F(FigureTest, ASelectionWithNothingForAPanelNamesWhatItNeeds) {
  v1::Selection where = Sweep();
  where.set_filter("readout = \"SoD\"");
  for (const std::string figure :
       {"p01", "p02", "p04", "p05", "p06", "p07", "p08", "p10", "p11", "p12"}) {
    const Answer answer = Draw(*world_, figure, where);
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::NOT_FOUND) << figure;
    EXPECT_THAT(answer.status.error_message(), HasSubstr("nothing to draw for " + figure));
    EXPECT_THAT(answer.status.error_message(), HasSubstr("sweeps/" + figure + "/small.yaml"));
  }
}

TEST_F(FigureTest, RefusesWhatCannotBeAsked) {
  const auto refusal = [&](const std::string& figure, const v1::Selection& where) {
    const Answer answer = Draw(*world_, figure, where);
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return answer.status.error_message();
  };
  EXPECT_THAT(refusal("p13", {}), HasSubstr("figure: \"p13\" is not one of p01, p02"));
  EXPECT_THAT(refusal("", {}), HasSubstr("figure: \"\" is not one of"));
  v1::Selection where;
  where.add_group_by("seed");
  EXPECT_THAT(refusal("p01", where), HasSubstr("where.group_by: must be empty"));
  where.clear_group_by();
  where.set_filter("seeed = 1");
  EXPECT_THAT(refusal("p01", where), HasSubstr("where.filter"));
  where.clear_filter();
  where.add_sweep_ids(999'999);
  EXPECT_EQ(Draw(*world_, "p01", where).status.error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace gridsweep::analysis
