#include "worker/learning_curve.h"

namespace gridsweep::worker {

// One point is kept back for the last step.
LearningCurve::LearningCurve(size_t capacity)
    : losses_allowed_((capacity - 1) / 2), evaluations_allowed_(capacity - 1 - losses_allowed_) {}

bool LearningCurve::AddLoss(uint64_t step, double loss) {
  empty_ = false;
  last_ = CurvePoint{.step = step, .loss = loss};
  if (step % stride_ != 0) return false;
  losses_.emplace(step, loss);
  if (losses_.size() > losses_allowed_) {
    stride_ *= 2;
    std::erase_if(losses_, [&](const auto& entry) { return entry.first % stride_ != 0; });
  }
  return step % stride_ == 0;
}

void LearningCurve::AddEvaluation(const CurvePoint& point) {
  empty_ = false;
  last_ = point;
  if (evaluation_count_++ % evaluation_stride_ != 0) return;
  evaluations_.push_back(point);
  if (evaluations_.size() > evaluations_allowed_) {
    evaluation_stride_ *= 2;
    std::vector<CurvePoint> kept;
    for (size_t i = 0; i < evaluations_.size(); i += 2) kept.push_back(evaluations_[i]);
    evaluations_ = std::move(kept);
  }
}

std::vector<CurvePoint> LearningCurve::Points() const {
  std::map<uint64_t, CurvePoint> points;
  for (const auto& [step, loss] : losses_) points[step] = CurvePoint{.step = step, .loss = loss};
  for (const CurvePoint& point : evaluations_) points[point.step] = point;
  if (!empty_) points[last_.step] = last_;
  std::vector<CurvePoint> result;
  for (const auto& [step, point] : points) result.push_back(point);
  return result;
}

}  // namespace gridsweep::worker
