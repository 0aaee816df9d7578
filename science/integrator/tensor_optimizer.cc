#include "science/integrator/tensor_optimizer.h"

#include <cmath>

namespace gridsweep::integrator {
namespace {

using Kind = science::Optimizer;

constexpr double kEpsilon = 1e-7;
constexpr double kAdagradStart = 0.1;

}  // namespace

TensorOptimizer::TensorOptimizer(Kind kind, const at::Tensor& theta, double momentum)
    : kind_(kind), momentum_(momentum) {
  const OptimizerState state(kind, momentum);
  if (state.mean) mean_ = at::zeros_like(theta);
  if (state.square) square_ = at::full_like(theta, kind == Kind::kAdagrad ? kAdagradStart : 0);
}

void TensorOptimizer::Step(const Optimizer::Options& options, uint64_t t,
                           const at::Tensor& gradient, at::Tensor& theta) {
  double rate = options.learning_rate;
  at::Tensor g = at::add(gradient, theta, 2 * options.weight_decay);
  if (options.clip > 0) g.clamp_(-options.clip, options.clip);
  auto root = [&] { return square_.sqrt().add_(kEpsilon); };
  switch (kind_) {
    case Kind::kAdam: {
      const auto steps = static_cast<double>(t);
      rate *= std::sqrt(1 - std::pow(0.999, steps)) / (1 - std::pow(0.9, steps));
      mean_.lerp_(g, 0.1);
      square_.lerp_(g.square(), 0.001);
      theta.addcdiv_(mean_, root(), -rate);
      break;
    }
    case Kind::kRmsprop:
      square_.lerp_(g.square(), 0.1);
      if (mean_.defined()) {
        mean_.mul_(momentum_).addcdiv_(g, root(), rate);
        theta.sub_(mean_);
      } else {
        theta.addcdiv_(g, root(), -rate);
      }
      break;
    case Kind::kAdagrad:
      square_.addcmul_(g, g);
      theta.addcdiv_(g, root(), -rate);
      break;
    case Kind::kSgd:
      theta.sub_(g, rate);
      break;
  }
}

}  // namespace gridsweep::integrator
