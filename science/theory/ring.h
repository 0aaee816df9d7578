// Where a readout's spectrum is largest: the ring that predicts a lattice.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace gridsweep::theory {

// |Sigma~| against wavenumber: the mean over the modes (n1, n2) whose length
// sqrt(n1^2 + n2^2) rounds to m, at wavenumber m * step.
struct RadialSpectrum {
  double step;                // rad/m
  std::vector<double> power;  // of m = 1 .. res/2
};
RadialSpectrum AverageOverDirections(std::span<const double> spectrum, int res, double step);

struct Peak {
  double wavenumber;  // rad/m, a whole number of steps
  double power;
  double height;  // power / the largest power; 1 for the global maximum
};

// A readout predicts a lattice when its spectrum's maximum is a ring, that is,
// lies beyond the lowest mode. A local maximum beyond it that is lower than the
// maximum is a weak ring: the lowest mode outgrows it.
struct Rings {
  Peak maximum;
  // The first local maximum beyond the lowest mode. Bumps below 1/1000 of the
  // maximum are the finite sample's, and left out.
  std::optional<Peak> local;

  bool Predicts() const { return local && local->height == 1; }
};
// Precondition: some power is > 0.
Rings FindRings(const RadialSpectrum& spectrum);

// Period of a plane wave of this wavenumber, and the distance between
// neighbouring fields of a hexagonal lattice of three such waves; metres.
double Wavelength(double wavenumber);
double HexagonalSpacing(double wavenumber);

}  // namespace gridsweep::theory
