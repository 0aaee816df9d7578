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
#include "science/scoring/unit_metrics.h"
#include "worker/artifact_file.h"
#include "worker/unit_maps.h"

namespace gridsweep::worker {
namespace {

using integrator::Evaluation;
using integrator::Trainer;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

absl::Status Stopped() { return absl::CancelledError("told to stop"); }

// A number that can be stored: an infinity means no more than "none".
double FiniteOrNaN(double value) { return std::isfinite(value) ? value : kNaN; }

class Pipeline {
 public:
  Pipeline(const science::RunConfig& config, RunMonitor& monitor)
      : config_(config), monitor_(monitor) {}

  absl::StatusOr<RunResult> Run() {
    for (const science::Metric& metric : science::Metrics()) {
      if (metric.level == science::MetricLevel::kRun) {
        result_.run_metrics[std::string(metric.name)] = kNaN;
      }
    }
    if (monitor_.stop_reason()) return Stopped();
    monitor_.SetPhase(Phase::kTraining);
    ASSIGN_OR_RETURN(trainer_, Trainer::Create(config_));
    RETURN_IF_ERROR(Train());
    ArtifactContent content;
    content.readout = trainer_->readout_parameters();
    if (result_.outcome == RunOutcome::kSucceeded) {
      RETURN_IF_ERROR(Finish(content));
    }
    result_.learning_curve = stored_curve_.Points();
    content.learning_curve = artifact_curve_.Points();
    content.config = config_;
    content.outcome = result_.outcome;
    content.run_metrics = result_.run_metrics;
    content.units = result_.units;
    ASSIGN_OR_RETURN(result_.artifact, EncodeArtifact(content));
    return std::move(result_);
  }

 private:
  absl::Status Train() {
    const uint64_t total = static_cast<uint64_t>(config_.TotalSteps());
    const uint64_t every = static_cast<uint64_t>(config_.eval_every_n_steps);
    const uint64_t log_every = std::max<uint64_t>(1, total / 10);
    while (trainer_->step() < total) {
      if (monitor_.stop_reason()) return Stopped();
      const uint64_t step = trainer_->step() + 1;
      ASSIGN_OR_RETURN(const integrator::StepResult done, trainer_->Step());
      result_.steps = step;
      loss_ = FiniteOrNaN(done.loss);
      artifact_curve_.AddLoss(step, loss_);
      const bool shown = stored_curve_.AddLoss(step, loss_);
      monitor_.SetStep(step, loss_);
      if (!done.finite) {
        monitor_.Log(StrCat("diverged at step ", step));
        result_.outcome = RunOutcome::kDiverged;
        return absl::OkStatus();
      }
      if (step % log_every == 0) monitor_.Log(StrCat("step ", step, "/", total, " loss ", loss_));
      if (every > 0 && step % every == 0 && step < total) {
        RETURN_IF_ERROR(EvaluateAndMap(false));
        monitor_.SetPhase(Phase::kTraining);
      } else if (shown) {
        monitor_.AddPoint({.step = step, .loss = loss_});
      }
    }
    return absl::OkStatus();
  }

  bool GoOn(uint64_t done) {
    monitor_.SetPhaseDone(done);
    return !monitor_.stop_reason();
  }

  // Fills in evaluation_ and full_, and adds a point to the curves.
  absl::Status EvaluateAndMap(bool with_periods) {
    monitor_.SetPhase(Phase::kEvaluating);
    ASSIGN_OR_RETURN(evaluation_, trainer_->Evaluate([&](int64_t batches) {
      return GoOn(static_cast<uint64_t>(batches));
    }));
    monitor_.SetPhase(Phase::kScoring);
    auto maps = MapAndScore(config_, evaluation_, FullGrid(config_), with_periods,
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
    trainer_.reset();  // its memory is worth more to the maps
    const uint64_t units = static_cast<uint64_t>(config_.Ng);
    auto n32 = MapAndScore(config_, evaluation_, CoarseGrid(config_, 32), false,
                           [&](uint64_t done) { return GoOn(units + done); });
    if (!n32) return Stopped();
    auto n20 = MapAndScore(config_, evaluation_, CoarseGrid(config_, 20), false,
                           [&](uint64_t done) { return GoOn(2 * units + done); });
    if (!n20) return Stopped();

    result_.unit_count = static_cast<uint32_t>(units);
    FillUnitColumns(*n32, *n20);
    FillRunMetrics();
    content.n44 = std::move(full_);
    content.n32 = *std::move(n32);
    content.n20 = *std::move(n20);
    return absl::OkStatus();
  }

  void FillUnitColumns(const UnitMaps& n32, const UnitMaps& n20) {
    const int units = full_.units;
    std::vector<double> orientation(static_cast<size_t>(units), kNaN), mean(orientation),
        peak(orientation), information(orientation);
    for (int unit = 0; unit < units; ++unit) {
      for (int i = 0; i < 6; ++i) {
        const double angle = full_.orientations_rad[static_cast<size_t>(unit) * 6 + i];
        if (angle >= 0 && !(orientation[unit] <= angle)) orientation[unit] = angle;
      }
      mean[unit] = scoring::MeanRate(full_.Ratemap(unit));
      peak[unit] = scoring::PeakRate(full_.Ratemap(unit));
      information[unit] = scoring::SpatialInformation(full_.Ratemap(unit), full_.occupancy);
    }
    Column("grid_score_60", full_.score_60);
    Column("grid_score_90", full_.score_90);
    Column("grid_score_60_n20", n20.score_60);
    Column("grid_score_90_n20", n20.score_90);
    Column("grid_score_60_n32", n32.score_60);
    Column("grid_score_90_n32", n32.score_90);
    Column("period_bins", full_.period_bins);
    Column("period_error_bins", full_.period_error_bins);
    Column("orientation_rad", std::move(orientation));
    Column("mean_rate", std::move(mean));
    Column("peak_rate", std::move(peak));
    Column("spatial_information", std::move(information));
  }

  void Column(std::string_view metric, std::vector<double> values) {
    for (double& value : values) value = FiniteOrNaN(value);
    result_.units.push_back({metric, std::move(values)});
  }

  void FillRunMetrics() {
    const auto set = [&](const char* metric, double value) {
      result_.run_metrics.at(metric) = FiniteOrNaN(value);
    };
    set("loss", loss_);
    set("pos_err_published", evaluation_.pos_err_published);
    set("pos_err_most_active", evaluation_.pos_err_most_active.value_or(kNaN));
    set("pos_err_target", evaluation_.pos_err_target);
    set("pos_err_template", evaluation_.pos_err_template.value_or(kNaN));
    set("max_grid_score_60", MaxScore(full_.score_60));
    set("max_score_60_1024", MaxScoreOf1024(full_.score_60, config_.seed));
    set("max_grid_score_90", MaxScore(full_.score_90));
  }

  const science::RunConfig& config_;
  RunMonitor& monitor_;
  std::unique_ptr<Trainer> trainer_;
  LearningCurve stored_curve_{kStoredCurvePoints};
  LearningCurve artifact_curve_{kArtifactCurvePoints};
  double loss_ = kNaN;
  Evaluation evaluation_;
  UnitMaps full_;
  RunResult result_;
};

}  // namespace

absl::StatusOr<RunResult> RunPipeline(const science::RunConfig& config, RunMonitor& monitor) {
  const auto start = std::chrono::steady_clock::now();
  try {
    absl::StatusOr<RunResult> result = Pipeline(config, monitor).Run();
    if (result.ok()) {
      result->compute_seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    return result;
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        StrCat("out of memory with Ng ", config.Ng, "; give the worker more, or fewer slots"));
  } catch (const std::exception& error) {
    return absl::InternalError(StrCat("training stopped: ", error.what()));
  }
}

}  // namespace gridsweep::worker
