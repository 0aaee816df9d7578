// Statistics of angles.
#pragma once

#include <span>

namespace gridsweep::analysis {

// Length of the mean of unit vectors at these angles, rad: 1 when all agree.
// Precondition: some angles.
double ResultantLength(std::span<const double> angles);

// Circular standard deviation sqrt(-2 ln R), rad; infinite for R = 0.
double CircularDeviation(double resultant_length);

// P value of Rayleigh's test that n angles of resultant length R come from the
// uniform distribution, by Wilkie's approximation (Applied Statistics 32, 1983):
// exp(sqrt(1 + 4n + 4(n^2 - (nR)^2)) - (1 + 2n)), good to 0.001 from n = 10 on.
double RayleighPValue(double resultant_length, double n);

}  // namespace gridsweep::analysis
