// A learning curve of bounded size: thinned by doubling, keyed by step.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "science/config/metric_registry.h"

namespace gridsweep::worker {

// What is known of the network after `step` gradient steps.
struct CurvePoint {
  uint64_t step = 0;
  // NaN where there is none: loss of an untrained or diverged network, error
  // where it was not evaluated.
  double loss = std::numeric_limits<double>::quiet_NaN();
  double error_cm = std::numeric_limits<double>::quiet_NaN();
  bool evaluated = false;
  // Fractions of all units with grid_score_60 above each published threshold;
  // meaningful where `evaluated`.
  std::array<double, science::kPublishedThresholds.size()> fraction_above{};

  bool operator==(const CurvePoint&) const = default;
};

// Keeps at most `capacity` points. Losses and evaluations are thinned apart,
// so that a rare evaluation is not lost among many losses: losses stay at the
// multiples of a stride, evaluations at the multiples of theirs (counted in
// evaluations), and a stride doubles when its half of the capacity is full.
// Which points stay depends on their steps alone, so that a run that was
// interrupted and resumed keeps the same ones. The last point always stays.
class LearningCurve {
 public:
  // capacity >= 4
  explicit LearningCurve(size_t capacity);

  // Adds the loss of `step` (ascending, from 1). Answers whether it lies on
  // the stride of the moment: worth showing to who follows the run live.
  bool AddLoss(uint64_t step, double loss);
  // Adds an evaluation after `point.step` steps (ascending).
  void AddEvaluation(const CurvePoint& point);

  // The points kept, by ascending step.
  std::vector<CurvePoint> Points() const;

  // All that a curve of the same capacity needs to go on as this one would.
  struct State {
    uint64_t stride = 1;
    std::map<uint64_t, double> losses;  // multiples of stride
    bool empty = true;
    CurvePoint last;  // the latest point of all
    uint64_t evaluation_stride = 1;
    uint64_t evaluation_count = 0;
    std::vector<CurvePoint> evaluations;  // every evaluation_stride-th, from the first
  };
  const State& state() const { return state_; }
  void Restore(State state) { state_ = std::move(state); }

 private:
  const size_t losses_allowed_, evaluations_allowed_;
  State state_;
};

}  // namespace gridsweep::worker
