// Patterns that grow from noise under a readout's correlations.
// Source: docs/science.md, "Theory" (Schaeffer et al. 2022, after Sorscher et al. 2019).
#pragma once

#include <cstdint>
#include <vector>

#include "science/theory/fourier.h"

namespace gridsweep::theory {

enum class Nonlinearity { kTanh, kRelu };

// G_u is the map of unit u, [res, res]; Sigma * is periodic convolution.
enum class Coupling {
  // Each unit alone: G <- phi(G + eta (-G + Sigma * G)), the zero mode of Sigma
  // removed, phi = tanh or max(., 0). Under relu a map is divided by its
  // maximum where that exceeds 1: it grows without bound, and relu has no scale.
  kNone,
  // With H_u = Sigma * G_u: G_u += eta (H_u - sum over v >= u of (G_v . H_u) G_v + phi(G_u)),
  // phi = tanh(G) or max(30 G, 0). The last unit leads: none inhibits it but itself.
  kOrdered,
};

struct PatternOptions {
  Coupling coupling = Coupling::kNone;
  Nonlinearity nonlinearity = Nonlinearity::kRelu;
  int units = 32;
  double step_size = 5e-3;  // eta
  int64_t steps = 1000;
  int64_t seed = 0;
};
// The published sizes. Uncoupled: 32 units, 1000 steps, eta 1e-4 for tanh (which
// ends before it saturates) and 5e-3 for relu; ordered: 64 units, 5000 steps, eta 8e-3.
PatternOptions PublishedPatterns(Coupling coupling, Nonlinearity nonlinearity);

class PatternFormation {
 public:
  // Starts from normal noise of standard deviation 1e-8 (of a stream of its own).
  //   transform [res, res]  of Sigma, zero lag at (0, 0); with Coupling::kNone
  //                         its zero mode is taken as 0
  PatternFormation(int res, std::vector<double> transform, const PatternOptions& options);

  // Does up to `steps` more steps; false when options.steps are done.
  bool Advance(int64_t steps);
  // [units, res, res].
  const std::vector<double>& maps() const { return maps_; }

 private:
  void StepAlone();
  void StepOrdered();

  const PatternOptions options_;
  const size_t size_;  // of a map
  EvenConvolution convolution_;
  std::vector<double> maps_, convolved_;
  int64_t done_ = 0;
};

// Transform of exp(-|x|^2 / (2 sigma^2)) on a periodic lattice: the Sigma that
// the published ordered dynamics take. `sigma` and `spacing` in metres.
std::vector<double> GaussianTransform(int res, double spacing, double sigma);

}  // namespace gridsweep::theory
