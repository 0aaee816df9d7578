#include "science/integrator/head_direction_cells.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {

HeadDirectionCells::HeadDirectionCells(const science::RunConfig& config)
    : concentration_(config.head_direction_concentration) {
  // Step 0 of the stream is the readout's.
  const Random random(config.seed, Stream::kReadout, 1);
  for (int64_t i = 0; i < config.n_head_direction_cells; ++i) {
    const double mu = random.Uniform(static_cast<uint64_t>(i), -std::numbers::pi, std::numbers::pi);
    preferred_.push_back(mu);
    cosine_.push_back(std::cos(mu));
    sine_.push_back(std::sin(mu));
  }
}

void HeadDirectionCells::Respond(std::span<const double> headings, float* out) const {
  const size_t n = preferred_.size();
  std::vector<double> response(n);
  for (size_t row = 0; row < headings.size(); ++row) {
    const double cosine = std::cos(headings[row]), sine = std::sin(headings[row]);
    double most = -concentration_, sum = 0;
    for (size_t i = 0; i < n; ++i) {
      // cos(theta - mu), without a cosine for every cell.
      response[i] = concentration_ * (cosine * cosine_[i] + sine * sine_[i]);
      most = std::max(most, response[i]);
    }
    for (double& r : response) sum += r = std::exp(r - most);
    for (size_t i = 0; i < n; ++i) out[row * n + i] = static_cast<float>(response[i] / sum);
  }
}

}  // namespace gridsweep::integrator
