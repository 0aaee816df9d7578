// How well units predict recorded neurons: cross-validated ridge regression of each neuron's
// ratemap on the units' ratemaps, a bin a sample. Source: docs/science.md, "Recorded neurons".
//
// One thread, a fixed order of sums, float64.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace gridsweep::scoring {

inline constexpr int kMapFolds = 5;

// The fold 0..kMapFolds - 1 of every bin [nbins * nbins]. The map is cut into kMapFolds x kMapFolds
// blocks of neighbouring bins, as equal as whole bins allow; `seed` deals kMapFolds of them to each
// fold. Precondition: nbins >= kMapFolds.
std::vector<int> SpatialFolds(int nbins, uint64_t seed);

// Bins around a held-out block, diagonals included, that train nothing: a twentieth of the box.
// Neighbouring bins are correlated: what was trained on one would be tested on the other.
constexpr int MarginBins(int nbins) { return (nbins + 10) / 20; }

class MapPredictor {
 public:
  // `neurons` [neurons, nbins, nbins]; NaN = never visited, no infinities. Folds are
  // SpatialFolds(nbins, seed).
  MapPredictor(std::vector<float> neurons, int nbins, uint64_t seed);

  size_t neurons() const { return neurons_.size() / bins(); }
  size_t bins() const { return folds_.size(); }
  // Neurons that were recorded in the same bins share their work; each such group is predicted by
  // itself.
  size_t groups() const { return groups_.size(); }

  // Sets r_squared[i] for the neurons i of one group to 1 - SSres/SStot over all bins that both
  // neuron and units have, each predicted by a regression that saw neither its fold nor the margin;
  // SStot is about the neuron's mean over those bins. Units and neurons are centred over the
  // training bins, not scaled. The penalty is 10^k times the sum of the units' centred squares, k
  // from -8 to 1: for each fold and neuron the one with the smallest error when each other fold is
  // held out in turn (of equal ones the largest). NaN where the neuron is constant, a fold has no
  // such bin or nothing is left to train on.
  //   units      [units, nbins, nbins], at least one; NaN = never visited
  //   r_squared  [neurons]
  // `stop` is asked before each regression, which may take a second; false, and the neurons' values
  // are unspecified, once it is true.
  bool Predict(std::span<const float> units, size_t group, std::span<double> r_squared,
               const std::function<bool()>& stop = [] { return false; }) const;

 private:
  std::vector<float> neurons_;
  std::vector<int> folds_;
  std::array<std::vector<bool>, kMapFolds> near_;  // bins of a fold and its margin
  std::vector<std::vector<size_t>> groups_;
};

}  // namespace gridsweep::scoring
