#include "science/integrator/adam.h"

#include <cmath>
#include <limits>

namespace gridsweep::integrator {

void Adam::Step(const Options& options, uint64_t t, std::span<const float> gradient,
                std::span<float> theta) {
  const auto steps = static_cast<double>(t);
  const auto rate = static_cast<float>(
      options.learning_rate * std::sqrt(1 - std::pow(0.999, steps)) / (1 - std::pow(0.9, steps)));
  const auto decay = static_cast<float>(2 * options.weight_decay);
  const float clip =
      options.clip > 0 ? static_cast<float>(options.clip) : std::numeric_limits<float>::infinity();
  const float* g_in = gradient.data();
  float* parameter = theta.data();
  float* mean = mean_.data();
  float* square = square_.data();
  const size_t n = theta.size();
#pragma GCC ivdep
  for (size_t i = 0; i < n; ++i) {
    float g = g_in[i] + decay * parameter[i];
    g = g > clip ? clip : g;
    g = g < -clip ? -clip : g;
    mean[i] += (g - mean[i]) * 0.1f;
    square[i] += (g * g - square[i]) * 0.001f;
    parameter[i] -= rate * mean[i] / (std::sqrt(square[i]) + 1e-7f);
  }
}

}  // namespace gridsweep::integrator
