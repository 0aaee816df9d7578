#include "science/theory/closed_form.h"

#include <cmath>

namespace gridsweep::theory {

using science::Draw;
using science::Normalization;
using science::Readout;
using science::RunConfig;

double DifferenceOfGaussians::Transform(double k) const {
  const double z = k * k * sigma * sigma / 2;
  return alpha_e * std::exp(-z) - alpha_i * s * s * std::exp(-s * s * z);
}

std::optional<double> DifferenceOfGaussians::SignedMaximum() const {
  const double ratio = s * s * s * s * alpha_i / alpha_e;
  if (!(s > 1 && ratio > 1 && std::isfinite(ratio))) return std::nullopt;
  return std::sqrt(2 * std::log(ratio) / (s * s - 1)) / sigma;
}

bool DifferenceOfGaussians::SignedMaximumDominates() const {
  const auto k = SignedMaximum();
  return k && std::abs(Transform(0)) < Transform(*k);
}

std::optional<DifferenceOfGaussians> DifferenceOf(const RunConfig& config) {
  const Readout readout = config.place_field_values;
  if (!HasSurround(readout) || readout == Readout::kSoftmaxOfDifferences ||
      config.place_cell_rf.kind != Draw::Kind::kConstant ||
      config.surround_scale.kind != Draw::Kind::kConstant) {
    return std::nullopt;
  }
  const double ratio = config.surround_scale.a;
  DifferenceOfGaussians difference{
      .alpha_e = 1,
      .alpha_i = 1,
      .sigma = config.place_cell_rf.a,
      .s = config.surround_is_variance_ratio ? std::sqrt(ratio) : ratio};
  if (readout == Readout::kGeneralDifferenceOfGaussians) {
    difference.alpha_e = config.place_cell_alpha_e.value_or(1);
    difference.alpha_i = config.place_cell_alpha_i.value_or(1);
  } else if (readout == Readout::kDifferenceOfGaussians &&
             config.place_field_normalization == Normalization::kGlobal) {
    difference.alpha_i = 1 / (difference.s * difference.s);
  }
  if (!(difference.s > 1)) return std::nullopt;
  return difference;
}

ClosedForms ClosedFormsOf(const RunConfig& config) {
  ClosedForms forms;
  const auto difference = DifferenceOf(config);
  if (!difference) return forms;
  forms.wavenumber = difference->SignedMaximum();
  forms.dominates = difference->SignedMaximumDominates();
  const double s = difference->s, sigma = difference->sigma;
  forms.equal_heights = DifferenceOfGaussians{1, 1, sigma, s}.SignedMaximum();
  forms.equal_volumes = DifferenceOfGaussians{1, 1 / (s * s), sigma, s}.SignedMaximum();
  forms.published_one_dimensional = std::sqrt(6 * std::log(s) / (s * s - 1)) / sigma;
  return forms;
}

}  // namespace gridsweep::theory
