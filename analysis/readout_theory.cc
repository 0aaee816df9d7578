#include "analysis/readout_theory.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "analysis/queries/sweep_readouts.h"
#include "analysis/sheet/theory_sheet.h"
#include "analysis/theory_message.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/config/number_text.h"
#include "science/config/parameters.h"
#include "science/theory/lattice_class.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::analysis {
namespace {

constexpr int kMaxReadouts = 256;
constexpr int kMaxPatterns = 4;
constexpr int kMaxUnits = 64;
constexpr int kMaxSteps = 20'000;
constexpr int64_t kStepsAPiece = 10;
constexpr size_t kReadoutsASheet = 12;
constexpr size_t kChunkBytes = 1 << 20;

absl::StatusOr<theory::PatternOptions> ParsePattern(const v1::PatternDynamics& pattern,
                                                    const std::string& path) {
  if (!v1::PatternDynamics::Coupling_IsValid(pattern.coupling())) {
    return InvalidField(path + ".coupling",
                        StrCat("there is no coupling ", static_cast<int>(pattern.coupling())));
  }
  const bool tanh = pattern.activation() == "tanh";
  if (!tanh && !pattern.activation().empty() && pattern.activation() != "relu") {
    return InvalidField(path + ".activation",
                        StrCat("\"", pattern.activation(), "\" is not one of relu, tanh"));
  }
  auto options = theory::PublishedPatterns(
      pattern.coupling() == v1::PatternDynamics::COUPLING_ORDERED ? theory::Coupling::kOrdered
                                                                  : theory::Coupling::kNone,
      tanh ? theory::Nonlinearity::kTanh : theory::Nonlinearity::kRelu);
  if (pattern.has_units()) {
    if (pattern.units() < 1 || pattern.units() > kMaxUnits) {
      return InvalidField(path + ".units", StrCat(pattern.units(), " is not in 1..", kMaxUnits));
    }
    options.units = static_cast<int>(pattern.units());
  }
  if (pattern.has_step_size()) {
    if (!(pattern.step_size() > 0 && std::isfinite(pattern.step_size()))) {
      return InvalidField(path + ".step_size", StrCat(pattern.step_size(), " is not > 0"));
    }
    options.step_size = pattern.step_size();
  }
  if (pattern.has_steps()) {
    if (pattern.steps() > kMaxSteps) {
      return InvalidField(path + ".steps", StrCat(pattern.steps(), " is not in 0..", kMaxSteps));
    }
    options.steps = pattern.steps();
  }
  if (pattern.seed() < 0) {
    return InvalidField(path + ".seed", StrCat(pattern.seed(), " is not >= 0"));
  }
  options.seed = pattern.seed();
  return options;
}

// "DoS multi-scale: width Uniform( 0.06 , 0.18 ) m, surround 2".
std::string HeadingOf(const science::RunConfig& config) {
  std::string heading =
      StrCat(ReadoutLabel(config), ": width ", DrawText(config.place_cell_rf), " m");
  if (HasSurround(config.place_field_values)) {
    heading += StrCat(", surround ", DrawText(config.surround_scale),
                      config.surround_is_variance_ratio ? " (of variances)" : "");
  }
  if (config.place_cell_alpha_e && config.place_cell_alpha_i) {
    heading += StrCat(", alpha ", science::NumberText(*config.place_cell_alpha_e), ", ",
                      science::NumberText(*config.place_cell_alpha_i));
  }
  return StrCat(heading, ", ", config.Np, " cells");
}

std::string LabelOf(const theory::LatticeReading& reading) {
  switch (reading.lattice) {
    case theory::Lattice::kHexagonal:
      return absl::StrFormat("hexagonal %.2f", reading.grid_score_60);
    case theory::Lattice::kSquare:
      return absl::StrFormat("square %.2f", reading.grid_score_90);
    case theory::Lattice::kStripes:
      return absl::StrFormat("stripes %.2f", reading.stripedness);
    case theory::Lattice::kNone:
      return "none";
  }
  return "";
}

std::string CaptionOf(const v1::PatternOutcome& outcome) {
  const bool ordered = outcome.dynamics().coupling() == v1::PatternDynamics::COUPLING_ORDERED;
  return absl::StrFormat(
      "%s, %s: %d hexagonal, %d square, %d stripes, %d none of %d units after %d steps%s",
      outcome.dynamics().activation(), ordered ? "units in order" : "units alone",
      outcome.hexagonal(), outcome.square(), outcome.stripes(), outcome.none(),
      outcome.units_size(), outcome.dynamics().steps(), ordered ? ", the leading unit first" : "");
}

class TheoryJob : public StreamJob<v1::ReadoutTheoryResponse> {
 public:
  TheoryJob(Database& database, TheoryQuestion question)
      : database_(database), question_(std::move(question)), classifier_(question_.options.res) {}

  absl::StatusOr<bool> Step(int thread, std::vector<v1::ReadoutTheoryResponse>& out) override {
    if (!listed_) {
      RETURN_IF_ERROR(List(thread, out));
      return true;
    }
    if (growing_) {
      if (growing_->Advance(kStepsAPiece)) return true;
      FinishPattern(out);
    } else if (next_ < readouts_.size()) {
      Predict(out);
    }
    if (row_ && pattern_ < question_.patterns.size()) {
      StartPattern();
      return true;
    }
    if (row_ && question_.with_pictures) rows_.push_back(*std::move(row_));
    row_.reset();
    const bool more = next_ < readouts_.size();
    if (rows_.size() == kReadoutsASheet || (!more && !rows_.empty())) {
      RETURN_IF_ERROR(Draw(out));
    }
    return more;
  }

 private:
  absl::Status List(int thread, std::vector<v1::ReadoutTheoryResponse>& out) {
    listed_ = true;
    for (const auto& config : question_.configs) readouts_.push_back({config, 0});
    if (!readouts_.empty()) return absl::OkStatus();
    SweepReadouts found;
    RETURN_IF_ERROR(database_.Read(thread, [&](Snapshot& snapshot) -> absl::Status {
      ASSIGN_OR_RETURN(found, ReadSweepReadouts(snapshot, question_.sweep_id, kMaxReadouts));
      return absl::OkStatus();
    }));
    readouts_ = std::move(found.readouts);
    if (found.runs_left_out > 0) {
      Skip(out, "", found.runs_left_out,
           StrCat("their readouts are beyond the first ", kMaxReadouts));
    }
    return absl::OkStatus();
  }

  static void Skip(std::vector<v1::ReadoutTheoryResponse>& out, const std::string& readout,
                   int64_t runs, const std::string& reason) {
    auto& skipped = *out.emplace_back().mutable_skipped();
    skipped.set_readout(readout);
    skipped.set_runs(runs);
    skipped.set_reason(reason);
  }

  void Predict(std::vector<v1::ReadoutTheoryResponse>& out) {
    const auto& [config, runs] = readouts_[next_++];
    pattern_ = 0;
    auto theory = theory::PredictLattice(config, question_.options);
    if (!theory.ok()) {
      return Skip(out, ReadoutLabel(config), runs, std::string(theory.status().message()));
    }
    *out.emplace_back().mutable_theory() =
        ToProto(*theory, config, runs, question_.options.res, question_.with_maps);
    row_ = {HeadingOf(config), question_.options.res, *std::move(theory), {}};
  }

  void StartPattern() {
    const theory::PatternOptions& options = question_.patterns[pattern_];
    const science::Draw width = readouts_[next_ - 1].config.place_cell_rf;
    growing_.emplace(question_.options.res,
                     options.coupling == theory::Coupling::kOrdered
                         ? theory::GaussianTransform(question_.options.res, row_->theory.spacing,
                                                     (width.Low() + width.High()) / 2)
                         : row_->theory.correlations.spectrum,
                     options);
  }

  void FinishPattern(std::vector<v1::ReadoutTheoryResponse>& out) {
    const theory::PatternOptions& options = question_.patterns[pattern_++];
    auto& outcome = *out.emplace_back().mutable_patterns();
    *outcome.mutable_dynamics() = ToProto(options);
    const auto size = static_cast<size_t>(question_.options.res) * question_.options.res;
    PatternStrip strip;
    for (size_t unit = 0; unit < static_cast<size_t>(options.units); ++unit) {
      const std::span<const double> map(&growing_->maps()[unit * size], size);
      const theory::LatticeReading reading = classifier_.Read(map);
      AddUnit(outcome, reading);
      if (question_.with_pictures) {
        strip.units.push_back({LabelOf(reading), std::vector<float>(map.begin(), map.end())});
      }
    }
    strip.caption = CaptionOf(outcome);
    if (options.coupling == theory::Coupling::kOrdered) std::ranges::reverse(strip.units);
    if (question_.with_maps) outcome.set_maps(FloatBytes(growing_->maps()));
    row_->patterns.push_back(std::move(strip));
    growing_.reset();
  }

  absl::Status Draw(std::vector<v1::ReadoutTheoryResponse>& out) {
    ASSIGN_OR_RETURN(const std::string png, DrawTheorySheet(rows_));
    rows_.clear();
    for (size_t at = 0; at < png.size(); at += kChunkBytes) {
      auto& sheet = *out.emplace_back().mutable_sheet();
      sheet.set_sheet(sheet_);
      sheet.set_png_chunk(png.substr(at, kChunkBytes));
    }
    ++sheet_;
    return absl::OkStatus();
  }

  Database& database_;
  const TheoryQuestion question_;
  theory::LatticeClassifier classifier_;
  bool listed_ = false;
  std::vector<SweepReadouts::Readout> readouts_;
  size_t next_ = 0;
  // The readout at hand: predicted, its patterns not all grown.
  std::optional<TheoryRow> row_;
  size_t pattern_ = 0;
  std::optional<theory::PatternFormation> growing_;
  std::vector<TheoryRow> rows_;  // to be drawn
  uint32_t sheet_ = 0;
};

}  // namespace

absl::StatusOr<TheoryQuestion> ParseReadoutTheory(const v1::ReadoutTheoryRequest& request) {
  TheoryQuestion question{.configs = {},
                          .sweep_id = request.sweep_id(),
                          .options = {},
                          .patterns = {},
                          .with_maps = request.with_maps(),
                          .with_pictures = request.with_pictures()};
  if ((request.configs_size() > 0) == (request.sweep_id() != 0)) {
    return InvalidField("configs", request.sweep_id() != 0
                                       ? "give either configs or a sweep_id, not both"
                                       : "give configs, or the sweep_id of a sweep");
  }
  if (request.configs_size() > kMaxReadouts) {
    return InvalidField("configs", StrCat(request.configs_size(), " are more than ", kMaxReadouts,
                                          "; ask in parts"));
  }
  for (int i = 0; i < request.configs_size(); ++i) {
    ASSIGN_OR_RETURN(auto config,
                     sweepspec::FromProto(request.configs(i), StrCat("configs[", i, "]")));
    question.configs.push_back(std::move(config));
  }
  if (request.has_lattice()) {
    if (request.lattice() < theory::kMinRes || request.lattice() > theory::kMaxRes) {
      return InvalidField("lattice", StrCat(request.lattice(), " is not in ", theory::kMinRes, "..",
                                            theory::kMaxRes));
    }
    question.options.res = static_cast<int>(request.lattice());
  }
  if (request.has_eigenmaps()) {
    if (request.eigenmaps() > theory::kMaxEigenmaps) {
      return InvalidField("eigenmaps",
                          StrCat(request.eigenmaps(), " is not in 0..", theory::kMaxEigenmaps));
    }
    question.options.eigenmaps = static_cast<int>(request.eigenmaps());
  }
  if (request.patterns_size() > kMaxPatterns) {
    return InvalidField("patterns",
                        StrCat(request.patterns_size(), " are more than ", kMaxPatterns));
  }
  for (int i = 0; i < request.patterns_size(); ++i) {
    ASSIGN_OR_RETURN(const auto options,
                     ParsePattern(request.patterns(i), StrCat("patterns[", i, "]")));
    question.patterns.push_back(options);
  }
  return question;
}

std::unique_ptr<StreamJob<v1::ReadoutTheoryResponse>> MakeTheoryJob(Database& database,
                                                                    TheoryQuestion question) {
  return std::make_unique<TheoryJob>(database, std::move(question));
}

}  // namespace gridsweep::analysis
