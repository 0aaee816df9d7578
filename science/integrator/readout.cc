#include "science/integrator/readout.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "science/integrator/lanes.h"
#include "science/integrator/philox.h"

namespace gridsweep::integrator {

using science::Readout;

ReadoutMap::ReadoutMap(const science::RunConfig& config)
    : kind_(config.place_field_values), outputs_(config.Np) {
  if (IsPlaceCellReadout(kind_)) cells_.emplace(config);
  if (kind_ == Readout::kHighDimCartesian) DrawLinear(config);
  if (kind_ == Readout::kHighDimPolar) DrawPolar(config);
}

void ReadoutMap::DrawLinear(const science::RunConfig& config) {
  const auto n = static_cast<size_t>(outputs_);
  parameters_.cells = outputs_;
  parameters_.linear_map.resize(2 * n);
  parameters_.linear_offset.resize(n);
  const Random random(config.seed, Stream::kReadout, 0);
  for (size_t i = 0; i < n; ++i) {
    const auto a = random.Uniforms(2 * i);
    parameters_.linear_map[i] = 2 * a[0] - 1;
    parameters_.linear_map[n + i] = 2 * a[1] - 1;
    parameters_.linear_offset[i] = random.Uniform(2 * i + 1, -1, 1);
  }
}

void ReadoutMap::DrawPolar(const science::RunConfig& config) {
  const auto half = static_cast<size_t>(outputs_ / 2);
  const size_t padded = (half + kLanes - 1) / kLanes * kLanes;
  parameters_.cells = outputs_;
  cosine_.resize(padded);
  sine_.resize(padded);
  const Random random(config.seed, Stream::kReadout, 0);
  for (size_t i = 0; i < half; ++i) {
    const auto a = random.Uniforms(2 * i);
    const double mu = random.Uniform(2 * i + 1, -std::numbers::pi, std::numbers::pi);
    parameters_.radius_map.push_back(2 * a[0] - 1);
    parameters_.radius_offset.push_back(2 * a[1] - 1);
    parameters_.preferred_angles.push_back(mu);
    cosine_[i] = static_cast<float>(std::cos(mu));
    sine_[i] = static_cast<float>(std::sin(mu));
  }
}

void ReadoutMap::Targets(std::span<const double> positions, float* out) const {
  switch (kind_) {
    case Readout::kCartesian:
      std::ranges::transform(positions, out, [](double x) { return static_cast<float>(x); });
      break;
    case Readout::kHighDimCartesian:
      LinearTargets(positions, out);
      break;
    case Readout::kPolar:
      for (size_t i = 0; i < positions.size(); i += 2) {
        out[i] = static_cast<float>(std::hypot(positions[i], positions[i + 1]));
        out[i + 1] = static_cast<float>(std::atan2(positions[i + 1], positions[i]));
      }
      break;
    case Readout::kHighDimPolar:
      PolarTargets(positions, out);
      break;
    default:
      cells_->Respond(positions, out);
  }
}

void ReadoutMap::LinearTargets(std::span<const double> positions, float* out) const {
  const auto n = static_cast<size_t>(outputs_);
  const double* map = parameters_.linear_map.data();
  const double* offset = parameters_.linear_offset.data();
  for (size_t row = 0; row < positions.size() / 2; ++row) {
    const double x = positions[2 * row], y = positions[2 * row + 1];
    for (size_t i = 0; i < n; ++i) {
      out[row * n + i] = static_cast<float>(x * map[i] + y * map[n + i] + offset[i]);
    }
  }
}

GRIDSWEEP_LANES_FUNCTION void ReadoutMap::PolarTargets(std::span<const double> positions,
                                                       float* out) const {
  const size_t half = parameters_.radius_map.size();
  const double* map = parameters_.radius_map.data();
  const double* offset = parameters_.radius_offset.data();
  std::vector<float> angular(cosine_.size());
  for (size_t row = 0; row < positions.size() / 2; ++row) {
    const double x = positions[2 * row], y = positions[2 * row + 1];
    const double r = std::hypot(x, y), theta = std::atan2(y, x);
    // cos(theta - mu) = cos(theta) cos(mu) + sin(theta) sin(mu).
    const Lanes cosine = Fill(static_cast<float>(std::cos(theta)));
    const Lanes sine = Fill(static_cast<float>(std::sin(theta)));
    for (size_t i = 0; i < angular.size(); i += kLanes) {
      Store(&angular[i], Exp(cosine * Load(&cosine_[i]) + sine * Load(&sine_[i])));
    }
    float* y_row = out + 2 * half * row;
    for (size_t i = 0; i < half; ++i) y_row[i] = static_cast<float>(r * map[i] + offset[i]);
    std::copy_n(angular.data(), half, y_row + half);
  }
}

}  // namespace gridsweep::integrator
