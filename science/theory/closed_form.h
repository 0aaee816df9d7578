// The wavenumber that a difference of two Gaussians prefers, by formula.
// Source: docs/science.md, "Theory" (Schaeffer et al. 2022).
#pragma once

#include <optional>

#include "science/config/run_config.h"

namespace gridsweep::theory {

// alpha_e exp(-r^2 / (2 sigma^2)) - alpha_i exp(-r^2 / (2 (s sigma)^2)) in two dimensions.
struct DifferenceOfGaussians {
  double alpha_e, alpha_i;
  double sigma;  // metres
  double s;      // surround width / centre width, > 1

  // Its Fourier transform at wavenumber k (rad/m), / (2 pi sigma^2).
  double Transform(double k) const;
  // Where that, signed, is largest: k*^2 = 2 ln(s^4 alpha_i / alpha_e) / ((s^2 - 1) sigma^2);
  // absent where s^4 alpha_i <= alpha_e (it falls from k = 0 on) and at alpha_e = 0.
  std::optional<double> SignedMaximum() const;
  // Whether |transform| is largest there too, and not at k = 0.
  bool SignedMaximumDominates() const;
};

// The difference that a cell of `config` responds with, away from walls. DoS:
// two softmaxes have equal volumes, alpha_i = alpha_e / s^2. Absent without a
// surround wider than the centre, for softmax_of_differences (one Gaussian, a
// wider one), and where widths are drawn.
std::optional<DifferenceOfGaussians> DifferenceOf(const science::RunConfig& config);

struct ClosedForms {
  std::optional<double> wavenumber;  // SignedMaximum of this readout
  bool dominates = false;            // SignedMaximumDominates
  // For the same sigma and s, whatever the heights; absent where there is no surround.
  std::optional<double> equal_heights;  // alpha_i = alpha_e: sqrt(8 ln s / ((s^2 - 1) sigma^2))
  std::optional<double> equal_volumes;  // alpha_i = alpha_e / s^2: 4 ln s instead
  // 6 ln s instead: the published formula, which is that of one dimension.
  std::optional<double> published_one_dimensional;
};
ClosedForms ClosedFormsOf(const science::RunConfig& config);

}  // namespace gridsweep::theory
