#include "worker/learning_curve.h"

namespace gridsweep::worker {

// One point is kept back for the last step.
LearningCurve::LearningCurve(size_t capacity)
    : losses_allowed_((capacity - 1) / 2), evaluations_allowed_(capacity - 1 - losses_allowed_) {}

bool LearningCurve::AddLoss(uint64_t step, double loss) {
  state_.empty = false;
  state_.last = CurvePoint{.step = step, .loss = loss};
  if (step % state_.stride != 0) return false;
  state_.losses.emplace(step, loss);
  if (state_.losses.size() > losses_allowed_) {
    state_.stride *= 2;
    std::erase_if(state_.losses,
                  [&](const auto& entry) { return entry.first % state_.stride != 0; });
  }
  return step % state_.stride == 0;
}

void LearningCurve::AddEvaluation(const CurvePoint& point) {
  state_.empty = false;
  state_.last = point;
  if (state_.evaluation_count++ % state_.evaluation_stride != 0) return;
  state_.evaluations.push_back(point);
  if (state_.evaluations.size() > evaluations_allowed_) {
    state_.evaluation_stride *= 2;
    std::vector<CurvePoint> kept;
    for (size_t i = 0; i < state_.evaluations.size(); i += 2) kept.push_back(state_.evaluations[i]);
    state_.evaluations = std::move(kept);
  }
}

std::vector<CurvePoint> LearningCurve::Points() const {
  std::map<uint64_t, CurvePoint> points;
  for (const auto& [step, loss] : state_.losses)
    points[step] = CurvePoint{.step = step, .loss = loss};
  for (const CurvePoint& point : state_.evaluations) points[point.step] = point;
  if (!state_.empty) points[state_.last.step] = state_.last;
  std::vector<CurvePoint> result;
  for (const auto& [step, point] : points) result.push_back(point);
  return result;
}

}  // namespace gridsweep::worker
