#include "worker/run_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <span>
#include <thread>

#include "common/sha256.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "science/integrator/trainer.h"
#include "science/scoring/intrinsic_dimension.h"
#include "tests/support/temporary_directory.h"

namespace gridsweep::worker {
namespace {

using science::RunConfig;

RunConfig Tiny(int64_t seed = 7) {
  RunConfig config;
  config.Ng = 16;
  config.Np = 16;
  config.batch_size = 8;
  config.sequence_length = 5;
  config.n_epochs = 1;
  config.n_grad_steps_per_epoch = 12;
  config.eval_batches = 2;
  config.eval_every_n_steps = 5;
  config.chance_units = 4;
  config.chance_shuffles = 5;
  config.seed = seed;
  return config;
}

RunResult ResultOf(const RunConfig& config) {
  RunMonitor monitor;
  auto result = RunPipeline(config, monitor);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : RunResult{};
}

const std::vector<double>& Column(const RunResult& result, std::string_view metric) {
  for (const UnitColumn& column : result.units) {
    if (column.metric == metric) return column.values;
  }
  static const std::vector<double> none;
  ADD_FAILURE() << "no metric " << metric;
  return none;
}

// What a program that reads `artifact` with h5py prints.
std::string ReadWithH5py(const std::string& artifact, const std::string& program) {
  const gridsweep::testing::TemporaryDirectory directory;
  const std::string path = directory / "artifact.h5";
  std::ofstream(path, std::ios::binary) << artifact;
  const std::string command =
      StrCat("/usr/bin/python3 -c \"import h5py, numpy as np; f = h5py.File('", path, "', 'r')\n",
             program, "\" 2>&1");
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 4096> buffer;
  while (size_t n = fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    output.append(buffer.data(), n);
  }
  return output;
}

TEST(RunPipeline, FillsEveryMetricOfTheRegistry) {
  const RunResult result = ResultOf(Tiny());
  EXPECT_EQ(result.outcome, RunOutcome::kSucceeded);
  EXPECT_EQ(result.steps, 12U);
  EXPECT_EQ(result.unit_count, 16U);
  EXPECT_GT(result.compute_seconds, 0);
  size_t unit_metrics = 0, run_metrics = 0;
  for (const science::Metric& metric : science::Metrics()) {
    if (metric.level == science::MetricLevel::kUnit) {
      ++unit_metrics;
      EXPECT_EQ(Column(result, metric.name).size(), 16U) << metric.name;
    } else {
      ++run_metrics;
      ASSERT_TRUE(result.run_metrics.contains(std::string(metric.name))) << metric.name;
      EXPECT_TRUE(std::isfinite(result.run_metrics.at(std::string(metric.name)))) << metric.name;
    }
  }
  EXPECT_EQ(result.units.size(), unit_metrics);
  EXPECT_EQ(result.run_metrics.size(), run_metrics);
}

TEST(RunPipeline, GivesAScoreAndAPeriodToUnitsThatFireUnevenly) {
  const RunResult result = ResultOf(Tiny());
  int scored = 0;
  for (size_t unit = 0; unit < 16; ++unit) {
    EXPECT_TRUE(std::isfinite(Column(result, "mean_rate")[unit]));
    EXPECT_GE(Column(result, "peak_rate")[unit], Column(result, "mean_rate")[unit]);
    const bool has_score = std::isfinite(Column(result, "grid_score_60")[unit]);
    scored += has_score;
    EXPECT_EQ(has_score, std::isfinite(Column(result, "grid_score_90")[unit]));
    for (const char* metric : {"grid_score_60_means", "period_bins"}) {
      EXPECT_EQ(std::isfinite(Column(result, metric)[unit]), has_score) << metric;
    }
    const double x = Column(result, "phase_x")[unit], y = Column(result, "phase_y")[unit];
    EXPECT_EQ(std::isnan(x), std::isnan(y));
    EXPECT_TRUE(std::isnan(x) || (x >= 0 && x < 1 && y >= 0 && y < 1)) << x << " " << y;
    const double fields = Column(result, "field_count")[unit];
    EXPECT_TRUE(fields >= 0 && fields == std::floor(fields)) << fields;
    EXPECT_EQ(fields == 0, std::isnan(Column(result, "border_score")[unit]));
    const double angle = Column(result, "orientation_rad")[unit];
    EXPECT_TRUE(std::isnan(angle) || (angle >= 0 && angle <= 3.1416)) << angle;
  }
  EXPECT_GT(scored, 0);
  EXPECT_EQ(result.run_metrics.at("max_grid_score_60"), result.run_metrics.at("max_score_60_1024"));
}

TEST(RunPipeline, EvaluatesAtTheAskedStepsAndAtTheEnd) {
  const RunResult result = ResultOf(Tiny());
  std::vector<uint64_t> evaluated;
  for (const CurvePoint& point : result.learning_curve) {
    EXPECT_TRUE(std::isfinite(point.loss));
    EXPECT_EQ(point.evaluated, std::isfinite(point.error_cm));
    if (point.evaluated) evaluated.push_back(point.step);
  }
  EXPECT_THAT(evaluated, ::testing::ElementsAre(5, 10, 12));
  EXPECT_EQ(result.learning_curve.size(), 12U);
  EXPECT_EQ(result.learning_curve.back().error_cm, result.run_metrics.at("pos_err_published"));
  EXPECT_EQ(result.learning_curve.back().loss, result.run_metrics.at("loss"));
}

TEST(RunPipeline, GivesTheSameBytesASecondLaterAndBesideAnotherRun) {
  const std::string first = Sha256::Of(ResultOf(Tiny()).artifact);
  // HDF5 stores times in seconds, unless told not to.
  const auto second = std::chrono::system_clock::now() + std::chrono::milliseconds(1100);
  std::string beside;
  std::thread thread([&] { beside = Sha256::Of(ResultOf(Tiny()).artifact); });
  const std::string other = Sha256::Of(ResultOf(Tiny(8)).artifact);
  thread.join();
  std::this_thread::sleep_until(second);
  EXPECT_EQ(ToHex(Sha256::Of(ResultOf(Tiny()).artifact)), ToHex(first));
  EXPECT_EQ(ToHex(beside), ToHex(first));
  EXPECT_NE(ToHex(other), ToHex(first));
}

TEST(RunPipeline, AnswersDivergenceWithAResultWithoutUnits) {
  RunConfig config = Tiny();
  config.learning_rate = 1e30;
  const RunResult result = ResultOf(config);
  EXPECT_EQ(result.outcome, RunOutcome::kDiverged);
  EXPECT_EQ(result.unit_count, 0U);
  EXPECT_TRUE(result.units.empty());
  EXPECT_LT(result.steps, 12U);
  EXPECT_GE(result.steps, 1U);
  EXPECT_EQ(result.learning_curve.back().step, result.steps);
  EXPECT_TRUE(std::isnan(result.run_metrics.at("loss")));
  EXPECT_EQ(ReadWithH5py(result.artifact, "print('ratemaps' in f, f.attrs['outcome'])"),
            "False diverged\n");
}

TEST(RunPipeline, EvaluatesAnUntrainedNetwork) {
  RunConfig config = Tiny();
  config.n_epochs = 0;
  const RunResult result = ResultOf(config);
  EXPECT_EQ(result.outcome, RunOutcome::kSucceeded);
  EXPECT_EQ(result.steps, 0U);
  EXPECT_EQ(result.unit_count, 16U);
  ASSERT_EQ(result.learning_curve.size(), 1U);
  EXPECT_EQ(result.learning_curve[0].step, 0U);
  EXPECT_TRUE(std::isnan(result.run_metrics.at("loss")));
  EXPECT_GT(result.run_metrics.at("pos_err_published"), 0);
}

TEST(RunPipeline, MapsAnOblongBoxAndScoresNothing) {
  RunConfig config = Tiny();
  config.box_height_in_m = 1.1;
  const RunResult result = ResultOf(config);
  EXPECT_EQ(result.outcome, RunOutcome::kSucceeded);
  for (double score : Column(result, "grid_score_60")) EXPECT_TRUE(std::isnan(score));
  for (double rate : Column(result, "mean_rate")) EXPECT_TRUE(std::isfinite(rate));
  EXPECT_TRUE(std::isnan(result.run_metrics.at("max_grid_score_60")));
  EXPECT_EQ(
      ReadWithH5py(result.artifact, "print(f['ratemaps/n44'].shape, f['ratemaps/n20'].shape)"),
      "(16, 44, 22) (16, 20, 10)\n");
}

TEST(RunPipeline, WritesAFileThatH5pyReads) {
  const RunResult result = ResultOf(Tiny());
  const std::string listing = ReadWithH5py(result.artifact, R"(
def show(name, d):
  if isinstance(d, h5py.Dataset): print(name, d.shape, d.dtype, d.attrs['unit'])
f.visititems(show))");
  EXPECT_EQ(listing, R"(chance/grid_score_60 (4, 5) float64 1
chance/unit (4,) int64 unit
learning_curve/error_cm (12,) float64 cm
learning_curve/fraction_above (12, 6) float64 fraction of units
learning_curve/loss (12,) float64 1
learning_curve/step (12,) uint64 gradient step
occupancy/n20 (20, 20) int64 visits
occupancy/n32 (32, 32) int64 visits
occupancy/n44 (44, 44) int64 visits
ratemaps/n20 (16, 20, 20) float32 1
ratemaps/n32 (16, 32, 32) float32 1
ratemaps/n44 (16, 44, 44) float32 1
readout/centers (16, 1, 2) float64 m
readout/surround_scales (16, 1) float64 1
readout/widths (16, 1) float64 m
scores/border_score (16,) float64 1
scores/field_count (16,) float64 field
scores/grid_score_60 (16,) float64 1
scores/grid_score_60_circle (16,) float64 1
scores/grid_score_60_means (16,) float64 1
scores/grid_score_60_n20 (16,) float64 1
scores/grid_score_60_n32 (16,) float64 1
scores/grid_score_90 (16,) float64 1
scores/grid_score_90_n20 (16,) float64 1
scores/grid_score_90_n32 (16,) float64 1
scores/mask_60 (16, 10) float64 1
scores/mask_90 (16, 10) float64 1
scores/mean_rate (16,) float64 1
scores/orientation_rad (16,) float64 rad
scores/orientation_spread_rad (16,) float64 rad
scores/orientations_rad (16, 6) float64 rad
scores/peak_rate (16,) float64 1
scores/period_bins (16,) float64 bin
scores/period_error_bins (16,) float64 bin
scores/phase_x (16,) float64 cell
scores/phase_y (16,) float64 cell
scores/spatial_information (16,) float64 bit/spike
untrained/grid_score_60 (16,) float64 1
)");
}

TEST(RunPipeline, WritesTheParametersOfEachReadout) {
  const auto listing = [](const RunConfig& config) {
    return ReadWithH5py(ResultOf(config).artifact, R"(
for name, d in f['readout'].items(): print(name, d.shape, d.attrs['unit'], int(np.isnan(d).sum()))
g = f['readout']
if 'radius_map' in g: print(bool((np.abs(g['preferred_angles']) <= np.pi).all()))
if 'widths' in g: print(bool((np.isnan(g['centers'][:, :, 0]) == np.isnan(g['widths'])).all())))");
  };
  RunConfig config = Tiny();
  config.place_field_normalization = science::Normalization::kNone;
  config.place_field_loss = science::Loss::kMse;
  config.place_field_values = science::Readout::kHighDimPolar;
  EXPECT_EQ(listing(config),
            "preferred_angles (8,) rad 0\nradius_map (8,) 1 0\nradius_offset (8,) 1 0\nTrue\n");
  config.place_field_values = science::Readout::kHighDimCartesian;
  EXPECT_EQ(listing(config), "linear_map (2, 16) 1 0\nlinear_offset (16,) 1 0\n");
  config.place_field_values = science::Readout::kPolar;
  config.place_field_loss = science::Loss::kPolarMse;
  config.Np = 2;
  EXPECT_EQ(listing(config), "");
  config.n_head_direction_cells = 5;
  EXPECT_EQ(listing(config), "head_directions (5,) rad 0\n");

  config = Tiny();
  config.place_field_values = science::Readout::kSoftmaxOfDifferences;
  config.n_place_fields_per_cell = science::Draw::Poisson(1);
  EXPECT_THAT(listing(config),
              ::testing::MatchesRegex("centers .16, [0-9]+, 2. m [0-9]+\n"
                                      "surround_scales .16, [0-9]+. 1 [0-9]+\n"
                                      "widths .16, [0-9]+. m [1-9][0-9]*\nTrue\n"));
}

TEST(RunPipeline, WritesIntoItsFileWhatItAnswers) {
  const RunResult result = ResultOf(Tiny());
  const std::string output = ReadWithH5py(result.artifact, R"(
import json
c = json.loads(f.attrs['config'])
print(c['Ng'], c['seed'], f.attrs['seed'], f.attrs['readout'], f.attrs['science_version'])
print('%.17g' % f['metrics'].attrs['pos_err_published'])
print('%.17g' % f['scores/mean_rate'][3])
s = f['scores/grid_score_60'][:]; m = f['scores/mask_60'][:]
print(np.array_equal(s[~np.isnan(s)], m.max(axis=1)[~np.isnan(s)]))
o = f['occupancy/n44'][:]; r = f['ratemaps/n44'][:]
print(bool((np.isnan(r[0]) == (o == 0)).all()), int(o.sum()) <= 2 * 50 * 8))");
  char expected[256];
  std::snprintf(expected, sizeof(expected), "16 7 7 DoS %u\n%.17g\n%.17g\nTrue\nTrue True\n",
                science::kScienceVersion, result.run_metrics.at("pos_err_published"),
                Column(result, "mean_rate")[3]);
  EXPECT_EQ(output, expected);
}

// What the file holds of the population, computed again by numpy and scipy.
TEST(RunPipeline, MeasuresThePopulationAsNumpyDoes) {
  const RunResult result = ResultOf(Tiny());
  const std::string output = ReadWithH5py(result.artifact, R"(
from scipy.ndimage import gaussian_filter
maps = np.nan_to_num(f['ratemaps/n44'][:].astype('f8'))
x = np.array([gaussian_filter(m, 2, mode='reflect', truncate=4) for m in maps]).reshape(len(maps), -1)
x0 = x - x.mean(axis=0); l = np.linalg.eigvalsh(x0 @ x0.T)
print('%.6f' % (l.sum() ** 2 / (l ** 2).sum()))
print(np.linalg.matrix_rank(x))
s = f['chance/grid_score_60'][:].ravel()
print('%.15g %g' % (np.percentile(s[~np.isnan(s)], 95), (s > 0.3).mean()))
s = f['untrained/grid_score_60'][:]
print('%.15g %g' % (np.nanmax(s), (s > 0.3).mean())))");
  const auto metric = [&](const char* name) { return result.run_metrics.at(name); };
  char expected[256];
  std::snprintf(expected, sizeof(expected), "%.6f\n%g\n%.15g %g\n%.15g %g\n",
                metric("participation_ratio_ratemaps"), metric("ratemap_rank"),
                metric("chance_score_60_p95"), metric("chance_fraction_above_030"),
                metric("untrained_max_score_60"), metric("untrained_fraction_above_030"));
  EXPECT_EQ(output, expected);
}

TEST(RunPipeline, MeasuresTheActivityOfTheEvaluation) {
  RunConfig config = Tiny();
  config.n_epochs = 0;
  config.eval_batches = 26;  // 10,400 samples
  auto trainer = integrator::Trainer::Create(config);
  ASSERT_TRUE(trainer.ok());
  const auto evaluation = (*trainer)->Evaluate();
  ASSERT_TRUE(evaluation.ok());
  const int64_t n = evaluation->samples;
  const auto activity = [&](int64_t k, int unit) {
    return static_cast<double>(evaluation->activity[static_cast<size_t>(k * 16 + unit)]);
  };
  double trace = 0, squares = 0;
  for (int a = 0; a < 16; ++a) {
    for (int b = 0; b < 16; ++b) {
      double sum_a = 0, sum_b = 0, product = 0;
      for (int64_t k = 0; k < n; ++k) {
        sum_a += activity(k, a);
        sum_b += activity(k, b);
        product += activity(k, a) * activity(k, b);
      }
      const double covariance = product - sum_a * sum_b / static_cast<double>(n);
      if (a == b) trace += covariance;
      squares += covariance * covariance;
    }
  }
  double distance = 0;
  for (int64_t k = 0; k < n; ++k) {
    distance += std::sqrt(std::pow(evaluation->positions[static_cast<size_t>(2 * k)], 2) +
                          std::pow(evaluation->positions[static_cast<size_t>(2 * k + 1)], 2));
  }
  const auto first = std::span(evaluation->activity).first(10'000 * 16);
  const auto dimension = scoring::EstimateDimension(first, 16, [] { return true; });
  const integrator::KernelSquares kernels = (*trainer)->kernel_squares();

  const RunResult result = ResultOf(config);
  const auto metric = [&](const char* name) { return result.run_metrics.at(name); };
  EXPECT_NEAR(metric("participation_ratio"), trace * trace / squares, 1e-9);
  EXPECT_NEAR(metric("pos_err_chance"), 100 * distance / static_cast<double>(n), 1e-9);
  EXPECT_EQ(metric("two_nn_dimension"), dimension->two_nn);
  EXPECT_EQ(metric("moments_dimension"), dimension->moments);
  EXPECT_EQ(metric("input_kernel_sq"), kernels.input);
  EXPECT_EQ(metric("recurrent_kernel_sq"), kernels.recurrent);
}

TEST(RunPipeline, ScoresTheUntrainedNetworkOfTheSameSeed) {
  RunConfig config = Tiny();
  const RunResult trained = ResultOf(config);
  config.n_epochs = 0;
  const RunResult untrained = ResultOf(config);
  for (const char* metric : {"untrained_max_score_60", "untrained_fraction_above_030"}) {
    EXPECT_EQ(trained.run_metrics.at(metric), untrained.run_metrics.at(metric)) << metric;
  }
  EXPECT_EQ(untrained.run_metrics.at("untrained_max_score_60"),
            untrained.run_metrics.at("max_grid_score_60"));
  EXPECT_NE(trained.run_metrics.at("max_grid_score_60"),
            untrained.run_metrics.at("max_grid_score_60"));
}

TEST(RunPipeline, LeavesChanceOutWhereNoneIsAskedFor) {
  for (const bool units : {true, false}) {
    RunConfig config = Tiny();
    (units ? config.chance_units : config.chance_shuffles) = 0;
    const RunResult result = ResultOf(config);
    for (const auto& [metric, value] : result.run_metrics) {
      const bool chance = metric.starts_with("chance_") || metric.starts_with("untrained_");
      EXPECT_EQ(std::isnan(value), chance) << metric;
    }
    EXPECT_EQ(ReadWithH5py(result.artifact, "print('chance' in f, 'untrained' in f)"),
              "False False\n");
  }
}

TEST(RunPipeline, StopsAtTheNextStepWhenTold) {
  RunConfig config = Tiny();
  config.n_grad_steps_per_epoch = 100'000'000;
  config.eval_every_n_steps = 0;
  RunMonitor monitor;
  absl::Status status;
  std::thread training([&] { status = RunPipeline(config, monitor).status(); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (monitor.Read().step < 3 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  monitor.RequestStop(StopReason::kPreempted);
  training.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  const RunMonitor::Progress progress = monitor.Read();
  EXPECT_GE(progress.step, 3U);
  EXPECT_EQ(progress.phase, Phase::kTraining);
  EXPECT_TRUE(progress.loss.has_value());
  EXPECT_FALSE(progress.points.empty());
}

}  // namespace
}  // namespace gridsweep::worker

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  gridsweep::integrator::UseOneThreadPerSlot();
  return RUN_ALL_TESTS();
}
