// kScienceVersion says which results may be mixed. Its numbers are kept here:
// when any of them changes, a test fails until the version is raised.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iomanip>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/sha256.h"
#include "common/strings.h"
#include "science/config/parameters.h"
#include "science/integrator/philox.h"
#include "science/integrator/readout.h"
#include "science/integrator/trainer.h"
#include "science/integrator/trajectory.h"
#include "science/integrator/weights.h"
#include "science/scoring/field_shuffle.h"
#include "science/scoring/fields.h"
#include "science/scoring/grid_scorer.h"
#include "science/scoring/intrinsic_dimension.h"
#include "science/scoring/lattice.h"
#include "science/scoring/population.h"
#include "science/scoring/unit_metrics.h"
#include "sweepspec/run_config_proto.h"
#include "tests/science/integrator/chosen_device.h"
#include "tests/science/scoring/golden_file.h"

namespace gridsweep::integrator {
namespace {

using science::Activation;
using science::Draw;
using science::Initializer;
using science::Loss;
using science::Normalization;
using science::Readout;
using science::RunConfig;

constexpr char kFile[] = "tests/data/science_versions.txt";

// Where to write the numbers as they are, unrounded, a line "SUBJECT NUMBER" each: to the file
// that GRIDSWEEP_SCIENCE_NUMBERS names. For comparing builds.
std::ostream& NumbersFile() {
  static std::ofstream file;
  static const char* path = std::getenv("GRIDSWEEP_SCIENCE_NUMBERS");
  if (path != nullptr && !file.is_open()) file.open(path);
  return file;
}

// SHA-256 of rounded numbers. Processors differ in the last bits of sines,
// logarithms and matrix products, and so do versions of LibTorch in trained numbers (Debian
// 12's 1.13 and 13's 2.6 by 2e-7 at most); the rounding is far coarser than that.
class Digest {
 public:
  explicit Digest(std::string subject) : subject_(std::move(subject)) {}

  void Add(double value, double unit) {
    Note(value);
    text_ += std::isnan(value) ? "nan," : StrCat(std::llround(value / unit), ",");
  }
  template <typename Values>
  void AddAll(const Values& values, double unit) {
    for (double value : values) Add(value, unit);
  }
  // Four significant digits of a number that took many float32 operations.
  void AddTrained(double value) {
    Note(value);
    // Nearer to the edge of its rounding, another processor's number might be on the other side.
    constexpr double kNoise = 2e-6;
    EXPECT_EQ(FourDigits(value * (1 - kNoise)), FourDigits(value * (1 + kNoise)))
        << value << " lies on the edge of its rounding; choose another seed";
    text_ += FourDigits(value) + ",";
  }
  void AddText(const std::string& text) { text_ += text + "\n"; }
  std::string Hex() const { return ToHex(Sha256::Of(text_)); }

 private:
  static std::string FourDigits(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3e", value);
    return text;
  }
  void Note(double value) {
    NumbersFile() << subject_ << ' ' << std::setprecision(17) << value << '\n';
  }

  const std::string subject_;
  std::string text_;
};

RunConfig TinyConfig(Readout readout) {
  RunConfig config;
  config.place_field_values = readout;
  ApplyDependentDefaults(config, [](std::string_view) { return false; });
  config.Ng = 16;
  if (config.Np != 2) config.Np = 24;
  config.batch_size = 10;
  config.sequence_length = 8;
  config.eval_sequence_length = 12;
  config.n_epochs = 1;
  config.n_grad_steps_per_epoch = 3;
  config.learning_rate = 1e-2;
  config.place_cell_rf = Draw::Constant(0.3);
  config.seed = 20;
  return config;
}

constexpr Readout kReadouts[] = {Readout::kCartesian, Readout::kHighDimCartesian,
                                 Readout::kGaussian, Readout::kDifferenceOfGaussians,
                                 Readout::kTrueDifferenceOfGaussians};

std::string Configs() {
  Digest digest("configs");
  for (Readout readout : kReadouts) {
    digest.AddText(ToHex(sweepspec::ConfigHash(TinyConfig(readout))));
  }
  digest.AddText(ToHex(sweepspec::ConfigHash(RunConfig{})));
  return digest.Hex();
}

std::string WalkDigest() {
  Digest digest("walks");
  for (bool periodic : {false, true}) {
    Walks walks;
    // A small box, so that walls matter.
    DrawWalks(Box{0.5, 0.4, periodic}, Random(3, Stream::kTrain, 5), 20, 2, walks);
    digest.AddAll(walks.start, 1e-9);
    digest.AddAll(walks.positions, 1e-9);
    digest.AddAll(walks.velocity, 1e-6);
  }
  return digest.Hex();
}

std::string Fields() {
  Digest digest("fields");
  for (Readout readout : kReadouts) {
    RunConfig config = TinyConfig(readout);
    config.place_cell_rf = Draw::Uniform(0.1, 0.3);
    config.surround_scale = Draw::Uniform(1.25, 4.5);
    const ReadoutParameters parameters = ReadoutMap(config).parameters();
    digest.AddAll(parameters.centers, 1e-9);
    digest.AddAll(parameters.widths, 1e-9);
    digest.AddAll(parameters.surround_scales, 1e-9);
    digest.AddAll(parameters.linear_map, 1e-9);
    digest.AddAll(parameters.linear_offset, 1e-9);
  }
  return digest.Hex();
}

std::string Targets() {
  Digest digest("targets");
  const std::vector<double> positions = {0.0, 0.0, 0.3, -0.9, -1.05, 1.02, 1.13, 0.4};
  for (Readout readout : kReadouts) {
    for (Normalization normalization : {Normalization::kNone, Normalization::kGlobal}) {
      for (bool periodic : {false, true}) {
        RunConfig config = TinyConfig(readout);
        config.place_field_normalization = normalization;
        config.is_periodic = periodic;
        const ReadoutMap map(config);
        std::vector<float> targets(positions.size() / 2 * static_cast<size_t>(map.outputs()));
        map.Targets(positions, targets.data());
        digest.AddAll(targets, 1e-6);
      }
    }
  }
  return digest.Hex();
}

std::string Weights() {
  Digest digest("weights");
  for (Initializer initializer :
       {Initializer::kGlorotUniform, Initializer::kGlorotNormal, Initializer::kOrthogonal}) {
    RunConfig config = TinyConfig(Readout::kGaussian);
    config.initializer = initializer;
    for (const Weight& weight : DrawWeights(config)) {
      const float* values = weight.value.data_ptr<float>();
      digest.AddAll(std::vector<float>(values, values + weight.value.numel()), 1e-6);
    }
  }
  return digest.Hex();
}

// Losses of three steps and the errors of the network that they leave.
void Train(const RunConfig& config, Digest& digest) {
  auto trainer = Trainer::Create(config);
  ASSERT_TRUE(trainer.ok()) << trainer.status();
  for (int64_t step = 0; step < config.TotalSteps(); ++step) {
    const auto result = (*trainer)->Step();
    ASSERT_TRUE(result.ok()) << result.status();
    digest.AddTrained(result->loss);
  }
  const auto evaluation = (*trainer)->Evaluate();
  ASSERT_TRUE(evaluation.ok()) << evaluation.status();
  digest.AddTrained(evaluation->pos_err_published);
  digest.AddTrained(evaluation->pos_err_target);
  digest.AddTrained(evaluation->pos_err_most_active.value_or(0));
  digest.AddTrained(evaluation->pos_err_template.value_or(0));
}

std::string Training() {
  Digest digest("training");
  const std::pair<Readout, Activation> networks[] = {
      {Readout::kCartesian, Activation::kSigmoid},
      {Readout::kHighDimCartesian, Activation::kLinear},
      {Readout::kGaussian, Activation::kRelu},
      {Readout::kDifferenceOfGaussians, Activation::kTanh},
      {Readout::kTrueDifferenceOfGaussians, Activation::kRelu},
  };
  for (const auto& [readout, activation] : networks) {
    RunConfig config = TinyConfig(readout);
    config.activation = activation;
    Train(config, digest);
  }
  return digest.Hex();
}

// The other readouts, losses and optimisers: targets, fields and training at once.
std::string Tasks() {
  struct Task {
    Readout readout;
    Loss loss;
    science::Optimizer optimizer;
  };
  constexpr Task kTasks[] = {
      {Readout::kPolar, Loss::kPolarMse, science::Optimizer::kSgd},
      {Readout::kHighDimPolar, Loss::kMse, science::Optimizer::kAdagrad},
      {Readout::kGeneralDifferenceOfGaussians, Loss::kCrossEntropy, science::Optimizer::kRmsprop},
      {Readout::kSoftmaxOfDifferences, Loss::kBinaryCrossEntropy, science::Optimizer::kAdam},
  };
  Digest digest("tasks");
  for (const auto& [readout, loss, optimizer] : kTasks) {
    RunConfig config = TinyConfig(readout);
    config.place_field_loss = loss;
    config.optimizer = optimizer;
    if (optimizer == science::Optimizer::kRmsprop) config.momentum = 0.5;
    config.place_cell_alpha_e = 1;
    config.place_cell_alpha_i = 0.3;
    config.n_place_fields_per_cell = Draw::Poisson(1);
    config.surround_is_variance_ratio = true;
    const ReadoutMap map(config);
    std::vector<float> targets(2 * static_cast<size_t>(map.outputs()));
    map.Targets(std::vector<double>{0.3, -0.9, -1.05, 1.02}, targets.data());
    digest.AddAll(targets, 1e-6);
    Train(config, digest);
  }
  return digest.Hex();
}

// The other networks, dropout, head directions and fixed trajectories, training at once.
std::string Networks() {
  Digest digest("networks");
  constexpr std::pair<science::RnnType, science::DropoutMode> kNetworks[] = {
      {science::RnnType::kSrnn, science::DropoutMode::kPublished},
      {science::RnnType::kGru, science::DropoutMode::kKeras},
      {science::RnnType::kLstm, science::DropoutMode::kReadout},
      {science::RnnType::kUgrnn, science::DropoutMode::kKeras},
      {science::RnnType::kBaninoLstm, science::DropoutMode::kReadout},
  };
  for (const auto& [type, mode] : kNetworks) {
    RunConfig config = TinyConfig(Readout::kGaussian);
    config.rnn_type = type;
    config.activation = Activation::kTanh;
    config.lstm_units = 12;
    config.n_head_direction_cells = 4;
    config.n_train_trajectories = 20;
    config.n_grad_steps_per_epoch = 2;
    config.n_epochs = 2;
    config.dropout_mode = mode;
    config.readout_dropout = 0.3;
    config.recurrent_dropout = 0.2;
    config.seed = 22;
    Train(config, digest);
  }
  return digest.Hex();
}

// Metrics of the golden maps beside their scores, and of the population that they make up.
std::string Metrics() {
  constexpr int kBins = 44;
  constexpr size_t kSize = kBins * kBins;
  const auto golden = scoring::ReadGoldenScores(kBins);
  const scoring::GridScorer scorer(kBins);
  const scoring::BinGrid grid(kBins, kBins, 2.2, 2.2);
  Digest digest("metrics");
  std::vector<double> seen;
  for (int map = 0; map < golden.maps; ++map) {
    const std::span<const double> ratemap(golden.ratemap.data() + static_cast<size_t>(map) * kSize,
                                          kSize);
    const auto all = scorer.ScoreAll(ratemap);
    digest.Add(all.scores.grid_score_60_means, 1e-8);
    digest.Add(all.grid_score_60_circle, 1e-8);
    digest.Add(scoring::OrientationSpread(all.period), 1e-6);
    const scoring::GridPhase phase = scoring::PhaseOf(ratemap, kBins, all.period);
    digest.Add(phase.x, 1e-6);
    digest.Add(phase.y, 1e-6);
    const auto fields = scoring::FindFields(ratemap, grid);
    digest.Add(static_cast<double>(fields.size()), 1);
    digest.Add(scoring::BorderScore(ratemap, fields, grid), 1e-8);
    digest.Add(scoring::MeanRate(ratemap), 1e-8);
    digest.Add(scoring::PeakRate(ratemap), 1e-8);
    const scoring::FieldShuffler shuffler(ratemap, grid);
    const Random random(map, Stream::kChance, 1);
    digest.AddAll(shuffler.Shuffle([&](uint64_t i) { return random.Uniforms(i)[0]; }), 1e-8);
    for (double rate : ratemap) seen.push_back(std::isnan(rate) ? 0 : rate);
  }
  digest.Add(scoring::ParticipationRatio(std::span<const double>(seen), kBins), 1e-6);
  digest.Add(scoring::Rank(seen, kBins), 1);

  std::vector<float> cloud;  // a curved sheet in four dimensions
  const Random random(5, Stream::kEval, 0);
  for (uint64_t i = 0; i < 500; ++i) {
    const auto [u, v] = random.Uniforms(i);
    for (double value : {u, v, u * v, u * u}) cloud.push_back(static_cast<float>(value));
  }
  const auto dimension = scoring::EstimateDimension(cloud, 4, [] { return true; });
  digest.Add(dimension->two_nn, 1e-4);
  digest.Add(dimension->moments, 1e-4);
  return digest.Hex();
}

std::string Scores() {
  Digest digest("scores");
  for (int nbins : {20, 32, 44}) {
    const scoring::GridScorer scorer(nbins);
    const auto golden = scoring::ReadGoldenScores(nbins);
    const size_t bins = static_cast<size_t>(nbins * nbins);
    for (int map = 0; map < golden.maps; ++map) {
      const auto all =
          scorer.ScoreAll({golden.ratemap.data() + static_cast<size_t>(map) * bins, bins});
      digest.Add(all.scores.grid_score_60, 1e-8);
      digest.Add(all.scores.grid_score_90, 1e-8);
      digest.Add(all.period.period_bins, 1e-8);
    }
  }
  return digest.Hex();
}

// What the file must say of the current version, given the text above it.
std::string CurrentBlock(const std::string& above) {
  std::string block = StrCat("version ", science::kScienceVersion);
  if (science::kScienceVersion > 1) block += " after " + ToHex(Sha256::Of(above));
  return StrCat(block, "\nconfigs ", Configs(), "\nfields ", Fields(), "\nmetrics ", Metrics(),
                "\nnetworks ", Networks(), "\nscores ", Scores(), "\ntargets ", Targets(),
                "\ntasks ", Tasks(), "\ntraining ", Training(), "\nwalks ", WalkDigest(),
                "\nweights ", Weights(), "\n");
}

std::string ReadVersions() {
  std::ifstream file(StrCat(GRIDSWEEP_SOURCE_DIR, "/", kFile));
  EXPECT_TRUE(file.good()) << kFile;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ScienceVersion, IsRaisedWhenAnyNumberOfTheScienceChanges) {
  const std::string text = ReadVersions();
  const std::string header = StrCat("version ", science::kScienceVersion);
  const size_t at = text.rfind("\nversion ") + 1;
  const std::string above = text.substr(0, at), last = text.substr(at);
  if (last.starts_with(header + "\n") || last.starts_with(header + " ")) {
    EXPECT_EQ(last, CurrentBlock(above))
        << "The science computes other numbers than version " << science::kScienceVersion
        << " did, and results of one version must not be mixed. If that is meant, raise "
           "kScienceVersion (science/config/run_config.h), run this test again and append to "
        << kFile << " what it then prints.";
  } else {
    ADD_FAILURE() << kFile << " ends with another version than " << science::kScienceVersion
                  << "; append:\n"
                  << CurrentBlock(text);
  }
}

TEST(ScienceVersion, EntriesOfOldVersionsStayAsTheyWere) {
  const std::string text = ReadVersions();
  uint32_t version = 0;
  for (size_t at = text.find("\nversion "); at != std::string::npos;
       at = text.find("\nversion ", at + 1)) {
    ++version;
    std::string expected = StrCat("version ", version);
    if (version > 1) expected += " after " + ToHex(Sha256::Of(text.substr(0, at + 1)));
    EXPECT_EQ(text.substr(at + 1, text.find('\n', at + 1) - at - 1), expected)
        << "entries are only ever appended to " << kFile;
  }
  EXPECT_EQ(version, science::kScienceVersion);
}

}  // namespace
}  // namespace gridsweep::integrator
