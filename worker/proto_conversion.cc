#include "worker/proto_conversion.h"

#include <cmath>

#include "science/config/run_config.h"
#include "science/integrator/trainer.h"

namespace gridsweep::worker {

v1::Phase ToProto(Phase phase) {
  switch (phase) {
    case Phase::kTraining:
      return v1::PHASE_TRAINING;
    case Phase::kEvaluating:
      return v1::PHASE_EVALUATING;
    case Phase::kScoring:
      return v1::PHASE_SCORING;
    case Phase::kUploading:
      return v1::PHASE_UPLOADING;
  }
  return v1::PHASE_UNSPECIFIED;
}

v1::CurvePoint ToProto(const CurvePoint& point) {
  v1::CurvePoint proto;
  proto.set_step(point.step);
  if (std::isfinite(point.loss)) proto.set_loss(point.loss);
  if (std::isfinite(point.error_cm)) proto.set_error_cm(point.error_cm);
  if (point.evaluated) {
    for (double fraction : point.fraction_above) proto.add_fraction_above(fraction);
  }
  return proto;
}

v1::CompleteRunRequest::Header ToProto(const RunResult& result) {
  v1::CompleteRunRequest::Header header;
  header.set_outcome(result.outcome == RunOutcome::kSucceeded ? v1::OUTCOME_SUCCEEDED
                                                              : v1::OUTCOME_DIVERGED);
  header.mutable_run_metrics()->insert(result.run_metrics.begin(), result.run_metrics.end());
  header.set_steps(result.steps);
  const double whole = std::floor(result.compute_seconds);
  header.mutable_compute()->set_seconds(static_cast<int64_t>(whole));
  header.mutable_compute()->set_nanos(static_cast<int32_t>((result.compute_seconds - whole) * 1e9));
  header.set_numerics_id(result.numerics_id);
  header.set_science_version(science::kScienceVersion);
  header.set_unit_count(result.unit_count);
  for (const CurvePoint& point : result.learning_curve) {
    *header.add_learning_curve() = ToProto(point);
  }
  return header;
}

}  // namespace gridsweep::worker
