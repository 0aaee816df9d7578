#include "science/integrator/place_cells.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "science/integrator/lanes.h"

namespace gridsweep::integrator {
namespace {

using science::Draw;
using science::Normalization;
using science::Readout;

// The readout stream's index: (cell, field, quantity).
enum Quantity : uint64_t { kCenter = 0, kWidth = 1, kSurround = 2, kFieldCount = 3 };
uint64_t Index(int64_t cell, int64_t field, Quantity quantity) {
  return static_cast<uint64_t>(cell) << 32 | static_cast<uint64_t>(field) << 2 | quantity;
}

double DrawNumber(const Draw& draw, const Random& random, uint64_t index) {
  return draw.kind == Draw::Kind::kUniform ? random.Uniform(index, draw.a, draw.b) : draw.a;
}

// 1 + Poisson(rate) by inversion, or the constant.
int64_t DrawFieldCount(const Draw& draw, const Random& random, int64_t cell) {
  if (draw.kind != Draw::Kind::kPoisson) return std::llround(draw.a);
  double rest = random.Uniforms(Index(cell, 0, kFieldCount))[0];
  double probability = std::exp(-draw.a);
  int64_t count = 0;
  while (rest > probability && count < 1000) {
    rest -= probability;
    ++count;
    probability *= draw.a / static_cast<double>(count);
  }
  return 1 + count;
}

// Sums `value(block)` over the cells; lanes beyond the last cell count nothing.
template <class F>
GRIDSWEEP_INLINE float SumCells(int64_t cells, F value) {
  Lanes sum{};
  int64_t i = 0;
  for (; i + kLanes <= cells; i += kLanes) sum += value(i);
  if (i < cells) {
    Lanes last = value(i);
    for (int64_t lane = cells - i; lane < kLanes; ++lane) last[lane] = 0;
    sum += last;
  }
  return SumOf(sum);
}

GRIDSWEEP_INLINE void Scale(float* values, int64_t padded, float factor) {
  for (int64_t i = 0; i < padded; i += kLanes) Store(values + i, Load(values + i) * factor);
}

// y = (q + |min q|) / sum(q + |min q|), in place.
GRIDSWEEP_INLINE void ShiftAndRescale(float* q, int64_t cells, int64_t padded) {
  Lanes least = Load(q);
  for (int64_t i = kLanes; i < padded; i += kLanes) least = Min(Load(q + i), least);
  const float shift = std::abs(MinOf(least));
  const float sum = SumCells(
      cells, [&](int64_t i) __attribute__((always_inline)) {
        const Lanes shifted = Load(q + i) + shift;
        Store(q + i, shifted);
        return shifted;
      });
  Scale(q, padded, 1 / sum);
}

// z -> exp(least - z); returns the sum.
GRIDSWEEP_INLINE float Exponentials(float* z, float least, int64_t cells) {
  return SumCells(
      cells, [=](int64_t i) __attribute__((always_inline)) {
        const Lanes e = Exp(least - Load(z + i));
        Store(z + i, e);
        return e;
      });
}

}  // namespace

PlaceCells::PlaceCells(const science::RunConfig& config)
    : cells_(config.Np), padded_((config.Np + kLanes - 1) / kLanes * kLanes), box_(BoxOf(config)) {
  const bool global = config.place_field_normalization == Normalization::kGlobal;
  switch (config.place_field_values) {
    case Readout::kGaussian:
      response_ = global ? Response::kSoftmax : Response::kGaussian;
      break;
    case Readout::kDifferenceOfGaussians:
      response_ = global ? Response::kDifferenceOfSoftmaxes : Response::kDifference;
      break;
    case Readout::kSoftmaxOfDifferences:
      response_ = Response::kSoftmaxOfDifferences;
      break;
    default:
      response_ = Response::kDifference;
  }
  if (config.place_field_values == Readout::kGeneralDifferenceOfGaussians) {
    excitation_ = static_cast<float>(config.place_cell_alpha_e.value_or(1));
    inhibition_ = static_cast<float>(config.place_cell_alpha_i.value_or(1));
  }

  const Random random(config.seed, Stream::kReadout, 0);
  std::vector<int64_t> counts(static_cast<size_t>(cells_));
  for (int64_t i = 0; i < cells_; ++i) {
    counts[static_cast<size_t>(i)] = DrawFieldCount(config.n_place_fields_per_cell, random, i);
  }
  const int64_t fields = *std::ranges::max_element(counts);
  const double missing = std::numeric_limits<double>::quiet_NaN();
  parameters_.cells = cells_;
  parameters_.fields = fields;
  parameters_.centers.assign(static_cast<size_t>(cells_ * fields * 2), missing);
  parameters_.widths.assign(static_cast<size_t>(cells_ * fields), missing);
  parameters_.surround_scales.assign(static_cast<size_t>(cells_ * fields), missing);
  for (auto* values : {&x_, &y_, &center_scale_, &surround_scale_}) {
    values->resize(static_cast<size_t>(fields * padded_));
  }
  for (int64_t padded_cell = 0; padded_cell < padded_; ++padded_cell) {
    const int64_t cell = std::min(padded_cell, cells_ - 1);
    for (int64_t slot = 0; slot < fields; ++slot) {
      const int64_t field = slot < counts[static_cast<size_t>(cell)] ? slot : 0;
      const auto u = random.Uniforms(Index(cell, field, kCenter));
      const double x = (u[0] - 0.5) * box_.width, y = (u[1] - 0.5) * box_.height;
      const double width = DrawNumber(config.place_cell_rf, random, Index(cell, field, kWidth));
      const double ratio = DrawNumber(config.surround_scale, random, Index(cell, field, kSurround));
      const double center_scale = 1 / (2 * width * width);
      const double variance_ratio = config.surround_is_variance_ratio ? ratio : ratio * ratio;
      const auto at = static_cast<size_t>(slot * padded_ + padded_cell);
      x_[at] = static_cast<float>(x);
      y_[at] = static_cast<float>(y);
      center_scale_[at] = static_cast<float>(center_scale);
      surround_scale_[at] = static_cast<float>(center_scale / variance_ratio);
      if (padded_cell == cell && field == slot) {
        const auto out = static_cast<size_t>(cell * fields + field);
        parameters_.centers[2 * out] = x;
        parameters_.centers[2 * out + 1] = y;
        parameters_.widths[out] = width;
        if (HasSurround(config.place_field_values)) parameters_.surround_scales[out] = ratio;
      }
    }
  }
}

GRIDSWEEP_LANES_FUNCTION void PlaceCells::Respond(std::span<const double> positions,
                                                  float* out) const {
  std::vector<float> buffer(static_cast<size_t>(2 * padded_));
  float* const z = buffer.data();
  float* const surround = z + padded_;
  const bool has_surround = response_ != Response::kGaussian && response_ != Response::kSoftmax;
  const float infinity = std::numeric_limits<float>::infinity();
  const Lanes width = Fill(static_cast<float>(box_.width));
  const Lanes height = Fill(static_cast<float>(box_.height));

  for (size_t row = 0; row < positions.size() / 2; ++row) {
    const Lanes px = Fill(static_cast<float>(positions[2 * row]));
    const Lanes py = Fill(static_cast<float>(positions[2 * row + 1]));
    Lanes least = Fill(infinity), least_surround = Fill(infinity);
    for (int64_t i = 0; i < padded_; i += kLanes) {
      Lanes nearest{}, nearest_surround{};
      for (int64_t slot = 0; slot < parameters_.fields; ++slot) {
        const auto at = static_cast<size_t>(slot * padded_ + i);
        Lanes dx = px - Load(&x_[at]), dy = py - Load(&y_[at]);
        if (box_.periodic) {
          dx = Min(Abs(dx), width - Abs(dx));
          dy = Min(Abs(dy), height - Abs(dy));
        }
        const Lanes square = dx * dx + dy * dy;
        const Lanes candidate = square * Load(&center_scale_[at]);
        const Lanes surround_candidate = square * Load(&surround_scale_[at]);
        if (slot == 0) {
          nearest = candidate;
          nearest_surround = surround_candidate;
        } else {
          nearest_surround = candidate < nearest ? surround_candidate : nearest_surround;
          nearest = Min(candidate, nearest);
        }
      }
      Store(z + i, nearest);
      Store(surround + i, nearest_surround);
      least = Min(nearest, least);
      least_surround = Min(nearest_surround, least_surround);
    }

    switch (response_) {
      case Response::kGaussian:
        Exponentials(z, 0, padded_);
        break;
      case Response::kSoftmax:
        Scale(z, padded_, 1 / Exponentials(z, MinOf(least), cells_));
        break;
      case Response::kDifference:
        for (int64_t i = 0; i < padded_; i += kLanes) {
          Store(z + i, excitation_ * Exp(-Load(z + i)) - inhibition_ * Exp(-Load(surround + i)));
        }
        break;
      case Response::kDifferenceOfSoftmaxes: {
        const float scale = 1 / Exponentials(z, MinOf(least), cells_);
        const float surround_scale = 1 / Exponentials(surround, MinOf(least_surround), cells_);
        for (int64_t i = 0; i < padded_; i += kLanes) {
          Store(z + i, Load(z + i) * scale - Load(surround + i) * surround_scale);
        }
        break;
      }
      case Response::kSoftmaxOfDifferences: {
        Lanes least_difference = Fill(infinity);
        for (int64_t i = 0; i < padded_; i += kLanes) {
          const Lanes difference = Load(z + i) - Load(surround + i);
          Store(z + i, difference);
          least_difference = Min(difference, least_difference);
        }
        Scale(z, padded_, 1 / Exponentials(z, MinOf(least_difference), cells_));
        break;
      }
    }
    if (has_surround && response_ != Response::kSoftmaxOfDifferences) {
      ShiftAndRescale(z, cells_, padded_);
    }
    std::copy_n(z, cells_, out + row * static_cast<size_t>(cells_));
  }
}

}  // namespace gridsweep::integrator
