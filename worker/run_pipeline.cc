#include "worker/run_pipeline.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "common/status.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "science/integrator/trainer.h"
#include "worker/artifact_file.h"
#include "worker/chance.h"
#include "worker/checkpoint.h"
#include "worker/result_metrics.h"
#include "worker/unit_maps.h"

namespace gridsweep::worker {
namespace {

using integrator::Evaluation;
using integrator::Trainer;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

absl::Status Stopped() { return absl::CancelledError("told to stop"); }

class Pipeline {
 public:
  Pipeline(const science::RunConfig& config, RunMonitor& monitor,
           const Checkpointing& checkpointing)
      : config_(config), monitor_(monitor), checkpointing_(checkpointing) {}

  absl::StatusOr<RunResult> Run() {
    for (const science::Metric& metric : science::Metrics()) {
      if (metric.level == science::MetricLevel::kRun) {
        result_.run_metrics[std::string(metric.name)] = kNaN;
      }
    }
    if (monitor_.stop_reason()) return Stopped();
    monitor_.SetPhase(Phase::kTraining);
    ASSIGN_OR_RETURN(trainer_, Trainer::Create(config_));
    result_.numerics_id = integrator::NumericsId();
    if (!checkpointing_.resume.empty()) {
      if (const absl::Status status = Resume(); status.ok()) {
        monitor_.Log(StrCat("goes on from the checkpoint of step ", trainer_->step()));
      } else {
        monitor_.Log(StrCat("starts over: ", status.message()));
      }
    }
    ArtifactContent content;
    const absl::Status status = TrainAndScore(content);
    if (absl::IsCancelled(status)) SaveIfDue();
    RETURN_IF_ERROR(status);
    result_.learning_curve = stored_curve_.Points();
    content.learning_curve = artifact_curve_.Points();
    content.config = config_;
    content.outcome = result_.outcome;
    content.numerics_id = result_.numerics_id;
    content.run_metrics = result_.run_metrics;
    content.units = result_.units;
    ASSIGN_OR_RETURN(result_.artifact, EncodeArtifact(content));
    result_.compute_seconds = ComputeSeconds();
    return std::move(result_);
  }

 private:
  double ComputeSeconds() const {
    return compute_before_ +
           std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  absl::Status Resume() {
    ASSIGN_OR_RETURN(
        const hdf5::File file,
        checkpointing_.reader->OpenBytes(checkpointing_.resume, hdf5::Holding::kOurs));
    ASSIGN_OR_RETURN(Checkpoint checkpoint, DecodeCheckpoint(config_, file));
    RETURN_IF_ERROR(trainer_->Restore(checkpoint.training));
    loss_ = checkpoint.loss;
    compute_before_ = checkpoint.compute_seconds;
    stored_curve_.Restore(std::move(checkpoint.stored_curve));
    artifact_curve_.Restore(std::move(checkpoint.artifact_curve));
    result_.numerics_id = MixNumerics(checkpoint.numerics_id, result_.numerics_id);
    result_.steps = trainer_->step();
    monitor_.SetStep(trainer_->step(), loss_, std::nullopt);
    return absl::OkStatus();
  }

  // A checkpoint that cannot be made is worth a line in the log, not a run.
  void SaveIfDue() {
    if (!checkpointing_.due || trainer_ == nullptr || !checkpointing_.due()) return;
    absl::StatusOr<std::string> bytes =
        EncodeCheckpoint(config_, {.training = trainer_->state(),
                                   .loss = loss_,
                                   .compute_seconds = ComputeSeconds(),
                                   .stored_curve = stored_curve_.state(),
                                   .artifact_curve = artifact_curve_.state(),
                                   .numerics_id = result_.numerics_id});
    if (bytes.ok()) {
      checkpointing_.save(trainer_->step(), *bytes, result_.numerics_id);
    } else {
      monitor_.Log(StrCat("no checkpoint: ", bytes.status().message()));
    }
  }

  absl::Status TrainAndScore(ArtifactContent& content) {
    RETURN_IF_ERROR(Train());
    content.readout = trainer_->readout_parameters();
    return result_.outcome == RunOutcome::kSucceeded ? Finish(content) : absl::OkStatus();
  }

  // Whether the network is to be evaluated now, on its way.
  bool EvaluationDue() const {
    const uint64_t every = static_cast<uint64_t>(config_.eval_every_n_steps),
                   step = trainer_->step();
    const LearningCurve::State& curve = stored_curve_.state();
    return every > 0 && step > 0 && step % every == 0 &&
           !(curve.last.step == step && curve.last.evaluated);
  }

  absl::Status Train() {
    const uint64_t total = static_cast<uint64_t>(config_.TotalSteps());
    const uint64_t log_every = std::max<uint64_t>(1, total / 10);
    while (trainer_->step() < total) {
      if (EvaluationDue()) {
        RETURN_IF_ERROR(EvaluateAndMap(false));
        monitor_.SetPhase(Phase::kTraining);
      }
      if (monitor_.stop_reason()) return Stopped();
      SaveIfDue();
      const uint64_t step = trainer_->step() + 1;
      const auto began = std::chrono::steady_clock::now();
      ASSIGN_OR_RETURN(const integrator::StepResult done, trainer_->Step());
      result_.steps = step;
      loss_ = FiniteOrNaN(done.loss);
      artifact_curve_.AddLoss(step, loss_);
      const bool shown = stored_curve_.AddLoss(step, loss_);
      monitor_.SetStep(
          step, loss_,
          std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
      if (!done.finite) {
        monitor_.Log(StrCat("diverged at step ", step));
        result_.outcome = RunOutcome::kDiverged;
        return absl::OkStatus();
      }
      if (step % log_every == 0) monitor_.Log(StrCat("step ", step, "/", total, " loss ", loss_));
      if (shown && !EvaluationDue()) monitor_.AddPoint({.step = step, .loss = loss_});
    }
    return absl::OkStatus();
  }

  bool GoOn(uint64_t done) {
    monitor_.SetPhaseDone(done);
    return !monitor_.stop_reason();
  }

  // Fills in evaluation_ and full_, and adds a point to the curves.
  absl::Status EvaluateAndMap(bool in_full) {
    monitor_.SetPhase(Phase::kEvaluating);
    ASSIGN_OR_RETURN(evaluation_, trainer_->Evaluate([&](int64_t batches) {
      return GoOn(static_cast<uint64_t>(batches));
    }));
    monitor_.SetPhase(Phase::kScoring);
    auto maps = MapAndScore(config_, evaluation_, FullGrid(config_), in_full,
                            [&](uint64_t units) { return GoOn(units); });
    if (!maps) return Stopped();
    full_ = *std::move(maps);
    const CurvePoint point{.step = trainer_->step(),
                           .loss = loss_,
                           .error_cm = FiniteOrNaN(evaluation_.pos_err_published),
                           .evaluated = true,
                           .fraction_above = FractionsAbove(full_.score_60)};
    stored_curve_.AddEvaluation(point);
    artifact_curve_.AddEvaluation(point);
    monitor_.AddPoint(point);
    monitor_.Log(StrCat("step ", point.step, " error ", point.error_cm, " cm, ",
                        100 * point.fraction_above[2], "% of units above 0.8"));
    return absl::OkStatus();
  }

  absl::Status Finish(ArtifactContent& content) {
    RETURN_IF_ERROR(EvaluateAndMap(true));
    const integrator::KernelSquares kernels = trainer_->kernel_squares();
    Set("input_kernel_sq", kernels.input);
    Set("recurrent_kernel_sq", kernels.recurrent);
    trainer_.reset();  // its memory is worth more to the maps
    const uint64_t units = static_cast<uint64_t>(config_.Ng);
    auto n32 = MapAndScore(config_, evaluation_, CoarseGrid(config_, 32), false,
                           [&](uint64_t done) { return GoOn(units + done); });
    if (!n32) return Stopped();
    auto n20 = MapAndScore(config_, evaluation_, CoarseGrid(config_, 20), false,
                           [&](uint64_t done) { return GoOn(2 * units + done); });
    if (!n20) return Stopped();

    const auto population =
        PopulationMetrics(evaluation_, full_, [&] { return !monitor_.stop_reason(); });
    if (!population) return Stopped();
    for (const auto& [metric, value] : *population) Set(metric, value);
    FillRunMetrics();
    if (WantsChance(config_)) RETURN_IF_ERROR(FillChance(3 * units, content));

    result_.unit_count = static_cast<uint32_t>(units);
    result_.units = UnitColumns(config_, full_, *n32, *n20);
    content.n44 = std::move(full_);
    content.n32 = *std::move(n32);
    content.n20 = *std::move(n20);
    return absl::OkStatus();
  }

  void FillRunMetrics() {
    Set("loss", loss_);
    Set("pos_err_published", evaluation_.pos_err_published);
    Set("pos_err_most_active", evaluation_.pos_err_most_active.value_or(kNaN));
    Set("pos_err_target", evaluation_.pos_err_target);
    Set("pos_err_template", evaluation_.pos_err_template.value_or(kNaN));
    Set("pos_err_chance", ChanceErrorCm(evaluation_));
    Set("max_grid_score_60", MaxScore(full_.score_60));
    Set("max_score_60_1024", MaxScoreOf1024(full_.score_60, config_.seed));
    Set("max_grid_score_90", MaxScore(full_.score_90));
  }

  // `done`: units scored before.
  absl::Status FillChance(uint64_t done, ArtifactContent& content) {
    auto shuffled =
        ScoreShuffles(config_, full_, [&](uint64_t shuffles) { return GoOn(done + shuffles); });
    if (!shuffled) return Stopped();
    Set("chance_score_60_p95", Percentile95(shuffled->score_60));
    SetFractions("chance_fraction_above_", shuffled->score_60);
    content.shuffled = *std::move(shuffled);

    RETURN_IF_ERROR(ScoreUntrained(content.untrained_score_60));
    Set("untrained_max_score_60", MaxScore(content.untrained_score_60));
    SetFractions("untrained_fraction_above_", content.untrained_score_60);
    return absl::OkStatus();
  }

  // Scores the network that the run began with, as the run's own was. Overwrites evaluation_.
  absl::Status ScoreUntrained(std::vector<double>& score_60) {
    if (config_.TotalSteps() == 0) {
      score_60 = full_.score_60;
      return absl::OkStatus();
    }
    evaluation_ = {};  // before memory is taken for another
    monitor_.SetPhase(Phase::kEvaluating);
    ASSIGN_OR_RETURN(const auto untrained, Trainer::Create(config_));
    ASSIGN_OR_RETURN(evaluation_, untrained->Evaluate([&](int64_t batches) {
      return GoOn(static_cast<uint64_t>(batches));
    }));
    monitor_.SetPhase(Phase::kScoring);
    auto maps = MapAndScore(config_, evaluation_, FullGrid(config_), false,
                            [&](uint64_t units) { return GoOn(units); });
    if (!maps) return Stopped();
    score_60 = std::move(maps->score_60);
    return absl::OkStatus();
  }

  void Set(const std::string& metric, double value) {
    result_.run_metrics.at(metric) = FiniteOrNaN(value);
  }
  // A metric for each published threshold.
  void SetFractions(const char* prefix, std::span<const double> scores) {
    const auto fractions = FractionsAbove(scores);
    for (size_t i = 0; i < fractions.size(); ++i) {
      Set(StrCat(prefix, science::kThresholdSuffixes[i]), fractions[i]);
    }
  }

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const science::RunConfig& config_;
  RunMonitor& monitor_;
  const Checkpointing& checkpointing_;
  double compute_before_ = 0;  // seconds, of attempts before this one
  std::unique_ptr<Trainer> trainer_;
  LearningCurve stored_curve_{kStoredCurvePoints};
  LearningCurve artifact_curve_{kArtifactCurvePoints};
  double loss_ = kNaN;
  Evaluation evaluation_;
  UnitMaps full_;
  RunResult result_;
};

}  // namespace

absl::StatusOr<RunResult> RunPipeline(const science::RunConfig& config, RunMonitor& monitor,
                                      const Checkpointing& checkpointing) {
  try {
    return Pipeline(config, monitor, checkpointing).Run();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        StrCat("out of memory with Ng ", config.Ng, "; give the worker more, or fewer slots"));
  } catch (const std::exception& error) {
    return absl::InternalError(StrCat("training stopped: ", error.what()));
  }
}

}  // namespace gridsweep::worker
