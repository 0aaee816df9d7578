// What the activity of all units together looks like. Source: docs/science.md, "The population".
//
// One thread, a fixed order of sums: bits depend on the instruction set that this is compiled for
// and on nothing of the machine.
#pragma once

#include <span>

namespace gridsweep::scoring {

// Participation ratio (sum l)^2 / sum l^2 of the eigenvalues l of the features' covariance: about
// how many dimensions the samples fill. NaN where all samples are equal.
//   samples  [n, features], row-major
double ParticipationRatio(std::span<const float> samples, int features);
double ParticipationRatio(std::span<const double> samples, int features);

// Number of singular values above largest * max(rows, columns) * 2^-52 (numpy's matrix_rank).
//   matrix  [rows, columns], row-major, all finite
int Rank(std::span<const double> matrix, int columns);

}  // namespace gridsweep::scoring
