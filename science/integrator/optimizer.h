// The optimisers as Keras (TensorFlow 2.8) computes them; LibTorch's differ.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// Which of m and of v (or a) an optimiser keeps for each number.
struct OptimizerState {
  OptimizerState(science::Optimizer kind, double momentum)
      : mean(kind == science::Optimizer::kAdam ||
             (kind == science::Optimizer::kRmsprop && momentum > 0)),
        square(kind != science::Optimizer::kSgd) {}
  bool mean, square;
};

// The state for one parameter of `size` numbers. With gradient g, m and v starting
// at 0 and a at 0.1, step t = 1, 2, ... is
//   adam     m = 0.9 m + 0.1 g, v = 0.999 v + 0.001 g^2,
//            theta -= rate sqrt(1 - 0.999^t) / (1 - 0.9^t) m / (sqrt(v) + 1e-7)
//   rmsprop  v = 0.9 v + 0.1 g^2, m = momentum m + rate g / (sqrt(v) + 1e-7), theta -= m
//   adagrad  a = a + g^2, theta -= rate g / (sqrt(a) + 1e-7)
//   sgd      theta -= rate g
// LibTorch's Adam has its epsilon under the bias correction. Keras moves rmsprop's
// under the root as soon as momentum is not 0, where 1e-7 would drown clipped
// gradients; here it stays, so that momentum 0 is no special case.
class Optimizer {
 public:
  // `momentum` is for rmsprop alone.
  Optimizer(science::Optimizer kind, int64_t size, double momentum = 0);

  // One step, in one pass. g is gradient + 2 weight_decay theta, cut to
  // [-clip, clip] where clip > 0. `t` counts from 1 (it matters to adam alone).
  struct Options {
    double learning_rate;
    double weight_decay = 0;
    double clip = 0;
  };
  void Step(const Options& options, uint64_t t, std::span<const float> gradient,
            std::span<float> theta);

  // m, and v or a: one number a parameter, none where the optimiser has no such state.
  const std::vector<float>& mean() const { return mean_; }
  const std::vector<float>& square() const { return square_; }
  // Precondition: of the sizes that they have.
  void Restore(const std::vector<float>& mean, const std::vector<float>& square) {
    mean_ = mean;
    square_ = square;
  }

 private:
  science::Optimizer kind_;
  float momentum_;
  std::vector<float> mean_;    // m; empty where there is none
  std::vector<float> square_;  // v or a; empty for sgd
};

}  // namespace gridsweep::integrator
