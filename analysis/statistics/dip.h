// Hartigan's dip: how far a sample is from having one mode.
#pragma once

#include <cstdint>
#include <span>

namespace gridsweep::analysis {

// The dip of the sample's distribution function: its largest distance from the
// nearest unimodal distribution function, at least 1/(2n) by convention. Values in
// any order; ties are allowed. Precondition: some values.
// Source: Hartigan and Hartigan, Annals of Statistics 13 (1985).
double Dip(std::span<const double> values);

// How often `samples` samples of as many values, drawn from the uniform
// distribution (the least favourable unimodal one), have a dip at least as
// large: (1 + their number) / (1 + samples). The draws depend on `seed` alone.
double DipPValue(double dip, int64_t values, int samples, uint64_t seed);

}  // namespace gridsweep::analysis
