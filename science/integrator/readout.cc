#include "science/integrator/readout.h"

#include "science/integrator/philox.h"

namespace gridsweep::integrator {

using science::Readout;

ReadoutMap::ReadoutMap(const science::RunConfig& config)
    : outputs_(config.Np), drawn_(config.place_field_values == Readout::kHighDimCartesian) {
  if (IsPlaceCellReadout(config.place_field_values)) {
    cells_.emplace(config);
    return;
  }
  if (!drawn_) {
    map_ = {1, 0, 0, 1};
    offset_ = {0, 0};
    return;
  }
  const auto n = static_cast<size_t>(outputs_);
  map_.resize(2 * n);
  offset_.resize(n);
  const Random random(config.seed, Stream::kReadout, 0);
  for (size_t i = 0; i < n; ++i) {
    const auto a = random.Uniforms(2 * i);
    map_[i] = 2 * a[0] - 1;
    map_[n + i] = 2 * a[1] - 1;
    offset_[i] = random.Uniform(2 * i + 1, -1, 1);
  }
}

void ReadoutMap::Targets(std::span<const double> positions, float* out) const {
  if (cells_) return cells_->Respond(positions, out);
  const auto n = static_cast<size_t>(outputs_);
  for (size_t row = 0; row < positions.size() / 2; ++row) {
    const double x = positions[2 * row], y = positions[2 * row + 1];
    for (size_t i = 0; i < n; ++i) {
      out[row * n + i] = static_cast<float>(x * map_[i] + y * map_[n + i] + offset_[i]);
    }
  }
}

ReadoutParameters ReadoutMap::parameters() const {
  if (cells_) return cells_->parameters();
  ReadoutParameters parameters;
  if (drawn_) {
    parameters.cells = outputs_;
    parameters.linear_map = map_;
    parameters.linear_offset = offset_;
  }
  return parameters;
}

}  // namespace gridsweep::integrator
