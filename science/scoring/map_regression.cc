#include "science/scoring/map_regression.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "science/scoring/fixed_blocking.h"

namespace gridsweep::scoring {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;
using Rows = std::vector<Index>;

// In units of the training data's sum of squares; the largest leaves little but the mean.
constexpr std::array<double, 10> kPenalties = {1e1,  1e0,  1e-1, 1e-2, 1e-3,
                                               1e-4, 1e-5, 1e-6, 1e-7, 1e-8};
constexpr size_t kPenaltyCount = kPenalties.size();

// Number i of a sequence of independent 64-bit numbers (SplitMix64).
uint64_t Mixed(uint64_t seed, uint64_t i) {
  uint64_t x = seed + (i + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The samples that neurons and units share.
struct Samples {
  MatrixXd units;    // [bins, units], centred
  MatrixXd neurons;  // [bins, neurons]
  // units * units^T, else empty. Ridge regression needs no more of the units; its matrices then
  // have the size of the training bins, about half of all, and not that of the units.
  MatrixXd gram;
  std::array<Rows, kMapFolds> folds;
  // Rows that train when folds a and b are held out.
  std::array<std::array<Rows, kMapFolds>, kMapFolds> train;
};

// One regression on the bins `train`, for the bins `test`, short of its penalty: the prediction is
// left * (product + penalty)^-1 * right + mean.
struct Regression {
  MatrixXd left, product, right;
  RowVectorXd mean;  // of each neuron over `train`

  Regression(const Samples& samples, const Rows& train, const Rows& test) {
    right = samples.neurons(train, Eigen::all);
    mean = right.colwise().mean();
    right.rowwise() -= mean;
    if (samples.gram.size() > 0) {
      // What the product of units centred over `train` would be.
      product = samples.gram(train, train);
      left = samples.gram(test, train);
      const RowVectorXd means = product.colwise().mean();
      // What a row has in common does not matter: the training bins' weights add up to 0.
      left.rowwise() -= means;
      product.colwise() -= VectorXd(means.transpose());
      product.rowwise() -= (means.array() - means.mean()).matrix();
    } else {
      MatrixXd units = samples.units(train, Eigen::all);
      const RowVectorXd unit_means = units.colwise().mean();
      units.rowwise() -= unit_means;
      left = samples.units(test, Eigen::all);
      left.rowwise() -= unit_means;
      product = MatrixXd::Zero(units.cols(), units.cols());
      product.selfadjointView<Eigen::Lower>().rankUpdate(units.transpose());
      right = units.transpose() * right;
    }
  }

  // [test, neurons]
  MatrixXd Predict(double penalty) const {
    const double squares = product.trace();
    MatrixXd penalised = product;  // its lower half counts
    penalised.diagonal().array() += penalty * (squares > 0 ? squares : 1);
    const Eigen::LLT<Eigen::Ref<MatrixXd>> factors(penalised);
    return (left * factors.solve(right)).rowwise() + mean;
  }
};

// Errors of each penalty [penalties, neurons] when `fold` is set aside and each other fold is held
// out in turn. Training without two folds serves both: either is set aside, the other held out.
// Nothing that counts once `stop` is true.
std::array<MatrixXd, kMapFolds> InnerErrors(const Samples& samples,
                                            const std::function<bool()>& stop) {
  std::array<MatrixXd, kMapFolds> errors;
  errors.fill(MatrixXd::Zero(kPenaltyCount, samples.neurons.cols()));
  for (int a = 0; a < kMapFolds; ++a) {
    for (int b = a + 1; b < kMapFolds; ++b) {
      const auto size = static_cast<Index>(samples.folds[a].size());
      Rows test = samples.folds[a];
      test.insert(test.end(), samples.folds[b].begin(), samples.folds[b].end());
      const Regression regression(samples, samples.train[a][b], test);
      const MatrixXd truth = samples.neurons(test, Eigen::all);
      for (size_t k = 0; k < kPenaltyCount; ++k) {
        if (stop()) return errors;
        const MatrixXd error = truth - regression.Predict(kPenalties[k]);
        const auto row = static_cast<Index>(k);
        errors[b].row(row) += error.topRows(size).colwise().squaredNorm();
        errors[a].row(row) += error.bottomRows(error.rows() - size).colwise().squaredNorm();
      }
    }
  }
  return errors;
}

// Squared error of each neuron over all folds, each predicted with the penalties chosen without it.
RowVectorXd OuterErrors(const Samples& samples, const std::function<bool()>& stop) {
  const auto inner = InnerErrors(samples, stop);
  RowVectorXd errors = RowVectorXd::Zero(samples.neurons.cols());
  for (int fold = 0; fold < kMapFolds; ++fold) {
    std::array<Rows, kPenaltyCount> chose;  // neurons, by penalty
    for (Index neuron = 0; neuron < errors.size(); ++neuron) {
      Index best = 0;
      inner[fold].col(neuron).minCoeff(&best);  // the first of equal ones
      chose[best].push_back(neuron);
    }
    const Rows& test = samples.folds[fold];
    const Regression regression(samples, samples.train[fold][fold], test);
    for (size_t k = 0; k < kPenaltyCount; ++k) {
      if (chose[k].empty()) continue;
      if (stop()) return errors;
      const MatrixXd predicted = regression.Predict(kPenalties[k]);
      for (const Index neuron : chose[k]) {
        errors(neuron) +=
            (VectorXd(samples.neurons(test, neuron)) - predicted.col(neuron)).squaredNorm();
      }
    }
  }
  return errors;
}

}  // namespace

std::vector<int> SpatialFolds(int nbins, uint64_t seed) {
  constexpr int kBlocks = kMapFolds * kMapFolds;
  std::array<int, kBlocks> order;
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](int block) { return Mixed(seed, block); });
  std::array<int, kBlocks> fold_of;
  for (int i = 0; i < kBlocks; ++i) fold_of[order[i]] = i % kMapFolds;
  std::vector<int> folds;
  for (int i = 0; i < nbins; ++i) {
    for (int j = 0; j < nbins; ++j) {
      folds.push_back(fold_of[i * kMapFolds / nbins * kMapFolds + j * kMapFolds / nbins]);
    }
  }
  return folds;
}

namespace {

// The bins within `margin` of a bin of `fold`, its own among them.
std::vector<bool> Near(const std::vector<int>& folds, int nbins, int fold) {
  const int margin = MarginBins(nbins);
  std::vector<bool> near(folds.size());
  for (int i = 0; i < nbins; ++i) {
    for (int j = 0; j < nbins; ++j) {
      if (folds[i * nbins + j] != fold) continue;
      for (int x = std::max(0, i - margin); x <= std::min(nbins - 1, i + margin); ++x) {
        for (int y = std::max(0, j - margin); y <= std::min(nbins - 1, j + margin); ++y) {
          near[x * nbins + y] = true;
        }
      }
    }
  }
  return near;
}

}  // namespace

MapPredictor::MapPredictor(std::vector<float> neurons, int nbins, uint64_t seed)
    : neurons_(std::move(neurons)), folds_(SpatialFolds(nbins, seed)) {
  for (int fold = 0; fold < kMapFolds; ++fold) near_[fold] = Near(folds_, nbins, fold);
  std::map<std::vector<bool>, std::vector<size_t>> by_bins;
  for (size_t neuron = 0; neuron < this->neurons(); ++neuron) {
    std::vector<bool> visited(bins());
    for (size_t bin = 0; bin < bins(); ++bin) {
      visited[bin] = !std::isnan(neurons_[neuron * bins() + bin]);
    }
    by_bins[visited].push_back(neuron);
  }
  for (auto& [visited, members] : by_bins) groups_.push_back(std::move(members));
}

bool MapPredictor::Predict(std::span<const float> units, size_t group, std::span<double> r_squared,
                           const std::function<bool()>& stop) const {
  FixEigenBlocking();
  const std::vector<size_t>& members = groups_[group];
  const auto unit_count = static_cast<Index>(units.size() / bins());
  std::vector<size_t> shared;
  Samples samples;
  for (size_t bin = 0; bin < bins(); ++bin) {
    if (std::isnan(neurons_[members[0] * bins() + bin])) continue;
    bool finite = true;
    for (size_t at = bin; at < units.size() && finite; at += bins()) {
      finite = std::isfinite(units[at]);
    }
    if (!finite) continue;
    const auto row = static_cast<Index>(shared.size());
    shared.push_back(bin);
    samples.folds[folds_[bin]].push_back(row);
    for (int a = 0; a < kMapFolds; ++a) {
      for (int b = a; b < kMapFolds; ++b) {
        if (!near_[a][bin] && !near_[b][bin]) samples.train[a][b].push_back(row);
      }
    }
  }
  for (const size_t neuron : members) {
    r_squared[neuron] = std::numeric_limits<double>::quiet_NaN();
  }
  for (int a = 0; a < kMapFolds; ++a) {
    for (int b = a; b < kMapFolds; ++b) {
      if (samples.folds[b].empty() || samples.train[a][b].empty()) return true;
    }
  }

  const auto rows = static_cast<Index>(shared.size());
  samples.units.resize(rows, unit_count);
  samples.neurons.resize(rows, static_cast<Index>(members.size()));
  for (Index row = 0; row < rows; ++row) {
    for (Index unit = 0; unit < unit_count; ++unit) {
      samples.units(row, unit) = units[static_cast<size_t>(unit) * bins() + shared[row]];
    }
    for (size_t i = 0; i < members.size(); ++i) {
      samples.neurons(row, static_cast<Index>(i)) = neurons_[members[i] * bins() + shared[row]];
    }
  }
  // Regressions centre again; this keeps the products small.
  samples.units.rowwise() -= RowVectorXd(samples.units.colwise().mean());
  if (2 * unit_count > rows) samples.gram = samples.units * samples.units.transpose();

  const RowVectorXd residual = OuterErrors(samples, stop);
  if (stop()) return false;
  for (size_t i = 0; i < members.size(); ++i) {
    const auto column = samples.neurons.col(static_cast<Index>(i));
    if (column.minCoeff() == column.maxCoeff()) continue;
    const double total = (column.array() - column.mean()).square().sum();
    r_squared[members[i]] = 1 - residual(static_cast<Index>(i)) / total;
  }
  return true;
}

}  // namespace gridsweep::scoring
