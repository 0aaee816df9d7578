#include "science/integrator/loss.h"

#include <cmath>

#include "science/integrator/lanes.h"

namespace gridsweep::integrator {
namespace {

// log(1 + e) for e in [0, 1], relative error below 3e-7: 2 artanh(e / (2 + e)), whose
// series' first neglected term is at most (1/3)^14 / 15 of the whole, 1.4e-8.
GRIDSWEEP_INLINE Lanes LogOnePlus(const Lanes& e) {
  const Lanes s = e / (e + 2.0f);
  const Lanes square = s * s;
  Lanes series = Fill(1.0f / 13);
  series = series * square + 1.0f / 11;
  series = series * square + 1.0f / 9;
  series = series * square + 1.0f / 7;
  series = series * square + 1.0f / 5;
  series = series * square + 1.0f / 3;
  series = series * square + 1.0f;
  return 2.0f * s * series;
}

}  // namespace

GRIDSWEEP_LANES_FUNCTION
double CrossEntropy(const float* target, float* predicted, int64_t rows, int64_t outputs) {
  const int64_t whole = outputs / kLanes * kLanes;
  const float per_row = 1.0f / static_cast<float>(rows);
  double loss = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const float* y = target + row * outputs;
    float* logits = predicted + row * outputs;

    float most = logits[0];
    if (whole > 0) {
      Lanes lanes = Load(logits);
      for (int64_t i = kLanes; i < whole; i += kLanes) lanes = Max(Load(logits + i), lanes);
      most = MaxOf(lanes);
    }
    for (int64_t i = whole; i < outputs; ++i) most = logits[i] > most ? logits[i] : most;

    // Sums of the exponentials, of y, and of y times the shifted logits.
    Lanes exponentials{}, weights{}, products{};
    auto accumulate = [&](const Lanes& shifted, const Lanes& weight)
        __attribute__((always_inline)) {
      const Lanes e = Exp(shifted);
      exponentials += e;
      weights += weight;
      products += weight * shifted;
      return e;
    };
    for (int64_t i = 0; i < whole; i += kLanes) {
      Store(logits + i, accumulate(Load(logits + i) - most, Load(y + i)));
    }
    if (whole < outputs) {
      Lanes shifted = Fill(-1e30f), weight{};  // exp(-1e30) is 0: the padding counts nothing
      for (int64_t i = whole; i < outputs; ++i) {
        shifted[i - whole] = logits[i] - most;
        weight[i - whole] = y[i];
      }
      const Lanes e = accumulate(shifted, weight);
      for (int64_t i = whole; i < outputs; ++i) logits[i] = e[i - whole];
    }
    const float sum = SumOf(exponentials), weight = SumOf(weights);
    loss += static_cast<double>(weight) * std::log(static_cast<double>(sum)) - SumOf(products);

    const float scale = weight / sum * per_row;
    for (int64_t i = 0; i < whole; i += kLanes) {
      Store(logits + i, Load(logits + i) * scale - Load(y + i) * per_row);
    }
    for (int64_t i = whole; i < outputs; ++i) logits[i] = logits[i] * scale - y[i] * per_row;
  }
  return loss / static_cast<double>(rows);
}

GRIDSWEEP_LANES_FUNCTION
double MeanSquaredError(const float* target, float* predicted, int64_t rows, int64_t outputs) {
  const int64_t n = rows * outputs;
  const float scale = 2.0f / static_cast<float>(n);
  double loss = 0;
  // Summed in float a row of 256 at a time, in double over the rows.
  for (int64_t from = 0; from < n; from += 256) {
    const int64_t to = from + 256 < n ? from + 256 : n;
    Lanes squares{};
    int64_t i = from;
    for (; i + kLanes <= to; i += kLanes) {
      const Lanes difference = Load(predicted + i) - Load(target + i);
      squares += difference * difference;
      Store(predicted + i, difference * scale);
    }
    float rest = 0;
    for (; i < to; ++i) {
      const float difference = predicted[i] - target[i];
      rest += difference * difference;
      predicted[i] = difference * scale;
    }
    loss += static_cast<double>(SumOf(squares)) + rest;
  }
  return loss / static_cast<double>(n);
}

GRIDSWEEP_LANES_FUNCTION
double BinaryCrossEntropy(const float* target, float* predicted, int64_t rows, int64_t outputs) {
  const int64_t n = rows * outputs;
  const float scale = 1.0f / static_cast<float>(n);
  double loss = 0;
  // Summed in float a row of 256 at a time, in double over the rows.
  for (int64_t from = 0; from < n; from += 256) {
    const int64_t to = from + 256 < n ? from + 256 : n;
    Lanes losses{};
    // With e = exp(-|x|) nothing overflows: the loss is max(x, 0) - x y + log(1 + e).
    auto gradient = [&](const Lanes& x, const Lanes& y) __attribute__((always_inline)) {
      const Lanes e = Exp(-Abs(x));
      losses += Max(x, Lanes{}) - x * y + LogOnePlus(e);
      const Lanes sigmoid = (x > Lanes{} ? Fill(1) : e) / (1.0f + e);
      return (sigmoid - y) * scale;
    };
    int64_t i = from;
    for (; i + kLanes <= to; i += kLanes) {
      Store(predicted + i, gradient(Load(predicted + i), Load(target + i)));
    }
    if (i < to) {
      Lanes x = Fill(-1e30f), y{};  // the padding's loss is 0
      for (int64_t lane = 0; lane < to - i; ++lane) {
        x[lane] = predicted[i + lane];
        y[lane] = target[i + lane];
      }
      const Lanes g = gradient(x, y);
      for (int64_t lane = 0; lane < to - i; ++lane) predicted[i + lane] = g[lane];
    }
    loss += static_cast<double>(SumOf(losses));
  }
  return loss / static_cast<double>(n);
}

double PolarSquaredError(const float* target, float* predicted, int64_t rows, int64_t /*outputs*/) {
  const auto n = static_cast<double>(rows);
  double loss = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const double r = target[2 * row], predicted_r = predicted[2 * row];
    const double angle = static_cast<double>(target[2 * row + 1]) - predicted[2 * row + 1];
    const double cosine = std::cos(angle);
    loss += r * r + predicted_r * predicted_r - 2 * r * predicted_r * cosine;
    predicted[2 * row] = static_cast<float>(2 * (predicted_r - r * cosine) / n);
    predicted[2 * row + 1] = static_cast<float>(-2 * r * predicted_r * std::sin(angle) / n);
  }
  return loss / n;
}

LossFunction LossOf(science::Loss loss) {
  switch (loss) {
    case science::Loss::kMse:
      return MeanSquaredError;
    case science::Loss::kPolarMse:
      return PolarSquaredError;
    case science::Loss::kCrossEntropy:
      return CrossEntropy;
    case science::Loss::kBinaryCrossEntropy:
      return BinaryCrossEntropy;
  }
  return MeanSquaredError;
}

}  // namespace gridsweep::integrator
