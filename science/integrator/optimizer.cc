#include "science/integrator/optimizer.h"

#include <cmath>
#include <limits>

namespace gridsweep::integrator {
namespace {

constexpr float kEpsilon = 1e-7f;
constexpr float kAdagradStart = 0.1f;

// theta -= update(i, g) for every element, g being the gradient with decay and clip.
template <class Update>
inline void Descend(const Optimizer::Options& options, std::span<const float> gradient,
                    std::span<float> theta, Update update) {
  const auto decay = static_cast<float>(2 * options.weight_decay);
  const float clip =
      options.clip > 0 ? static_cast<float>(options.clip) : std::numeric_limits<float>::infinity();
  const float* g_in = gradient.data();
  float* parameter = theta.data();
  const size_t n = theta.size();
#pragma GCC ivdep
  for (size_t i = 0; i < n; ++i) {
    float g = g_in[i] + decay * parameter[i];
    g = g > clip ? clip : g;
    g = g < -clip ? -clip : g;
    parameter[i] -= update(i, g);
  }
}

}  // namespace

Optimizer::Optimizer(science::Optimizer kind, int64_t size, double momentum)
    : kind_(kind), momentum_(static_cast<float>(momentum)) {
  const auto n = static_cast<size_t>(size);
  const OptimizerState state(kind, momentum);
  if (state.mean) mean_.assign(n, 0);
  if (state.square) square_.assign(n, kind == science::Optimizer::kAdagrad ? kAdagradStart : 0);
}

void Optimizer::Step(const Options& options, uint64_t t, std::span<const float> gradient,
                     std::span<float> theta) {
  auto rate = static_cast<float>(options.learning_rate);
  float* const mean = mean_.data();
  float* const square = square_.data();
  switch (kind_) {
    case science::Optimizer::kAdam: {
      const auto steps = static_cast<double>(t);
      rate = static_cast<float>(options.learning_rate * std::sqrt(1 - std::pow(0.999, steps)) /
                                (1 - std::pow(0.9, steps)));
      Descend(options, gradient, theta, [=](size_t i, float g) {
        mean[i] += (g - mean[i]) * 0.1f;
        square[i] += (g * g - square[i]) * 0.001f;
        return rate * mean[i] / (std::sqrt(square[i]) + kEpsilon);
      });
      break;
    }
    case science::Optimizer::kRmsprop:
      if (mean_.empty()) {
        Descend(options, gradient, theta, [=](size_t i, float g) {
          square[i] += (g * g - square[i]) * 0.1f;
          return rate * g / (std::sqrt(square[i]) + kEpsilon);
        });
      } else {
        Descend(options, gradient, theta, [=, momentum = momentum_](size_t i, float g) {
          square[i] += (g * g - square[i]) * 0.1f;
          mean[i] = momentum * mean[i] + rate * g / (std::sqrt(square[i]) + kEpsilon);
          return mean[i];
        });
      }
      break;
    case science::Optimizer::kAdagrad:
      Descend(options, gradient, theta, [=](size_t i, float g) {
        square[i] += g * g;
        return rate * g / (std::sqrt(square[i]) + kEpsilon);
      });
      break;
    case science::Optimizer::kSgd:
      Descend(options, gradient, theta, [=](size_t, float g) { return rate * g; });
      break;
  }
}

}  // namespace gridsweep::integrator
