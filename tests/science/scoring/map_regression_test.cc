#include "science/scoring/map_regression.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

namespace gridsweep::scoring {
namespace {

using Maps = std::vector<float>;

// Sums of bumps of `width` bins at random places: neighbouring bins are alike.
Maps SmoothMaps(int count, int nbins, double width, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> height;
  std::uniform_real_distribution<double> place(0, nbins);
  Maps maps(static_cast<size_t>(count * nbins * nbins));
  for (int map = 0; map < count; ++map) {
    for (int bump = 0; bump < 30; ++bump) {
      const double h = height(random), x = place(random), y = place(random);
      for (int i = 0; i < nbins; ++i) {
        for (int j = 0; j < nbins; ++j) {
          const double d = (i - x) * (i - x) + (j - y) * (j - y);
          maps[(map * nbins + i) * nbins + j] +=
              static_cast<float>(h * std::exp(-d / (2 * width * width)));
        }
      }
    }
  }
  return maps;
}

Maps Noise(int count, int nbins, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> rate;
  Maps maps(static_cast<size_t>(count * nbins * nbins));
  for (float& value : maps) value = rate(random);
  return maps;
}

Maps MapOf(const Maps& maps, int index, int nbins) {
  const auto size = nbins * nbins;
  return {maps.begin() + index * size, maps.begin() + (index + 1) * size};
}

std::vector<double> RSquared(const Maps& units, const Maps& neurons, int nbins, uint64_t seed = 3) {
  const MapPredictor predictor(neurons, nbins, seed);
  std::vector<double> values(predictor.neurons(), -99);
  for (size_t group = 0; group < predictor.groups(); ++group) {
    predictor.Predict(units, group, values);
  }
  return values;
}

// The definition, bin by bin: normal equations solved by elimination, every fold and every penalty
// by itself.
class Plainly {
 public:
  Plainly(const Maps& units, const Maps& neuron, const std::vector<int>& folds, int margin)
      : folds_(folds),
        margin_(margin),
        units_(units),
        neuron_(neuron),
        bins_(folds.size()),
        count_(units.size() / bins_) {
    for (size_t bin = 0; bin < bins_; ++bin) {
      bool both = !std::isnan(neuron[bin]);
      for (size_t u = 0; u < count_; ++u) both = both && !std::isnan(At(u, bin));
      fold_.push_back(both ? folds[bin] : -1);
    }
  }

  double RSquared() const {
    double residual = 0;
    for (int fold = 0; fold < 5; ++fold) {
      double best = std::numeric_limits<double>::infinity(), chosen = 0;
      for (int power = 1; power >= -8; --power) {
        double inner = 0;
        for (int held = 0; held < 5; ++held) {
          if (held != fold) inner += Error({fold, held}, held, std::pow(10, power));
        }
        if (inner < best) {
          best = inner;
          chosen = std::pow(10, power);
        }
      }
      residual += Error({fold}, fold, chosen);
    }
    double mean = 0, total = 0;
    int n = 0;
    for (size_t bin = 0; bin < bins_; ++bin) {
      if (fold_[bin] >= 0) mean += neuron_[bin], ++n;
    }
    mean /= n;
    for (size_t bin = 0; bin < bins_; ++bin) {
      if (fold_[bin] >= 0) total += (neuron_[bin] - mean) * (neuron_[bin] - mean);
    }
    return 1 - residual / total;
  }

 private:
  double At(size_t unit, size_t bin) const { return units_[unit * bins_ + bin]; }

  bool IsNear(size_t bin, const std::set<int>& without) const {
    const int n = static_cast<int>(std::lround(std::sqrt(bins_)));
    const int i = static_cast<int>(bin) / n, j = static_cast<int>(bin) % n;
    for (int other = 0; other < n * n; ++other) {
      if (without.count(folds_[other]) && std::abs(other / n - i) <= margin_ &&
          std::abs(other % n - j) <= margin_) {
        return true;
      }
    }
    return false;
  }
  // Squared error over fold `test` of a regression on all folds but `without`.
  double Error(const std::set<int>& without, int test, double penalty) const {
    std::vector<size_t> train;
    for (size_t bin = 0; bin < bins_; ++bin) {
      if (fold_[bin] >= 0 && !IsNear(bin, without)) train.push_back(bin);
    }
    std::vector<double> means(count_ + 1);
    for (const size_t bin : train) {
      for (size_t u = 0; u < count_; ++u) means[u] += At(u, bin) / train.size();
      means[count_] += neuron_[bin] / static_cast<double>(train.size());
    }
    std::vector<std::vector<double>> a(count_, std::vector<double>(count_ + 1));
    double squares = 0;
    for (const size_t bin : train) {
      for (size_t u = 0; u < count_; ++u) {
        const double x = At(u, bin) - means[u];
        for (size_t v = 0; v < count_; ++v) a[u][v] += x * (At(v, bin) - means[v]);
        a[u][count_] += x * (neuron_[bin] - means[count_]);
        squares += x * x;
      }
    }
    for (size_t u = 0; u < count_; ++u) a[u][u] += penalty * squares;
    for (size_t pivot = 0; pivot < count_; ++pivot) {
      for (size_t row = pivot + 1; row < count_; ++row) {
        const double factor = a[row][pivot] / a[pivot][pivot];
        for (size_t k = pivot; k <= count_; ++k) a[row][k] -= factor * a[pivot][k];
      }
    }
    std::vector<double> weights(count_);
    for (size_t u = count_; u-- > 0;) {
      weights[u] = a[u][count_];
      for (size_t k = u + 1; k < count_; ++k) weights[u] -= a[u][k] * weights[k];
      weights[u] /= a[u][u];
    }
    double error = 0;
    for (size_t bin = 0; bin < bins_; ++bin) {
      if (fold_[bin] != test) continue;
      double predicted = means[count_];
      for (size_t u = 0; u < count_; ++u) predicted += weights[u] * (At(u, bin) - means[u]);
      error += (neuron_[bin] - predicted) * (neuron_[bin] - predicted);
    }
    return error;
  }

  const std::vector<int> folds_;
  const int margin_;
  const Maps& units_;
  const Maps& neuron_;
  const size_t bins_, count_;
  std::vector<int> fold_;
};

TEST(SpatialFolds, AreBlocksOfNeighboursDealtBySeed) {
  for (const int nbins : {20, 32, 44}) {
    const auto folds = SpatialFolds(nbins, 1);
    std::vector<std::set<int>> of_block(25);
    std::vector<std::set<int>> blocks_of(5);
    for (int i = 0; i < nbins; ++i) {
      for (int j = 0; j < nbins; ++j) {
        const int block = (5 * i / nbins) * 5 + 5 * j / nbins;
        of_block[block].insert(folds[i * nbins + j]);
        blocks_of[folds[i * nbins + j]].insert(block);
      }
    }
    for (const auto& fold : of_block) EXPECT_EQ(fold.size(), 1u);
    for (const auto& blocks : blocks_of) EXPECT_EQ(blocks.size(), 5u);
    EXPECT_EQ(folds, SpatialFolds(nbins, 1));
    EXPECT_NE(folds, SpatialFolds(nbins, 2));
  }
}

TEST(MapPredictor, IsTheDefinitionWithFewerUnitsThanBins) {
  const int n = 10;
  Maps units = SmoothMaps(8, n, 2, 1), neurons = SmoothMaps(3, n, 2, 2);
  const Maps noise = Noise(3, n, 3);
  // One neuron is partly of units, all are partly noise.
  for (size_t i = 0; i < neurons.size(); ++i) neurons[i] += 0.3f * noise[i];
  for (int bin = 0; bin < n * n; ++bin) neurons[bin] += units[bin] - 2 * units[300 + bin];
  units[17] = NAN;
  neurons[n * n + 40] = NAN;
  const auto values = RSquared(units, neurons, n);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(values[i],
                Plainly(units, MapOf(neurons, i, n), SpatialFolds(n, 3), MarginBins(n)).RSquared(),
                1e-8)
        << i;
  }
  EXPECT_GT(values[0], 0.2) << "it is partly of units";
}

TEST(MapPredictor, IsTheDefinitionWithMoreUnitsThanBins) {
  const int n = 10;
  Maps units = SmoothMaps(120, n, 1.5, 4);
  Maps neurons = SmoothMaps(2, n, 1.5, 5);
  for (int bin = 0; bin < n * n; ++bin) {
    neurons[bin] = 5 + units[100 * 11 + bin] + units[100 * 70 + bin];
  }
  units[5] = NAN;
  const auto values = RSquared(units, neurons, n);
  for (int i = 0; i < 2; ++i) {
    EXPECT_NEAR(values[i],
                Plainly(units, MapOf(neurons, i, n), SpatialFolds(n, 3), MarginBins(n)).RSquared(),
                1e-6)
        << i;
  }
}

TEST(MapPredictor, PredictsAUnitsOwnMapAndMixtures) {
  const int n = 20;
  const Maps units = SmoothMaps(30, n, 3, 6);
  Maps neurons = MapOf(units, 7, n);
  const Maps first = MapOf(units, 0, n), last = MapOf(units, 29, n);
  for (int bin = 0; bin < n * n; ++bin) neurons.push_back(10 - 3 * first[bin] + last[bin]);
  for (const double value : RSquared(units, neurons, n)) EXPECT_GT(value, 0.9999);
}

TEST(MapPredictor, DoesNotPredictNoise) {
  const int n = 20;
  const auto of_smooth = RSquared(SmoothMaps(60, n, 3, 7), Noise(20, n, 8), n);
  const auto of_many = RSquared(Noise(900, n, 9), Noise(20, n, 10), n);
  for (const auto& values : {of_smooth, of_many}) {
    for (const double value : values) EXPECT_LT(value, 0.03);
    EXPECT_LE(std::ranges::count_if(values, [](double v) { return v > 0; }), 6);
  }
}

// Units that fire at one place each say nothing of a block where none of the training bins lie,
// and much of a single bin between training bins.
TEST(MapPredictor, DoesNotLearnAMapFromItsNeighbours) {
  const int n = 20;
  Maps places;
  for (int x = 1; x < n; x += 2) {
    for (int y = 1; y < n; y += 2) {
      for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) {
          const double d = (i - x) * (i - x) + (j - y) * (j - y);
          places.push_back(static_cast<float>(std::exp(-d / 2)));
        }
      }
    }
  }
  const Maps neuron = SmoothMaps(1, n, 1, 12);
  std::vector<int> single_bins(n * n);
  std::mt19937_64 random(1);
  for (int& fold : single_bins) fold = static_cast<int>(random() % 5);
  EXPECT_GT(Plainly(places, neuron, single_bins, 0).RSquared(), 0.6);
  EXPECT_LT(RSquared(places, neuron, n)[0], 0.2);
}

TEST(MapPredictor, CaresForNeitherTheOrderNorTheScaleOfUnits) {
  const int n = 20;
  for (const int count : {40, 450}) {
    const Maps units = SmoothMaps(count, n, 3, 13), neurons = SmoothMaps(4, n, 3, 14);
    Maps reversed;
    for (int u = count - 1; u >= 0; --u) {
      for (const float value : MapOf(units, u, n)) reversed.push_back(8 * value);
    }
    const auto values = RSquared(units, neurons, n), others = RSquared(reversed, neurons, n);
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(values[i], others[i], 1e-6);
  }
}

TEST(MapPredictor, PredictsNeuronsOfOtherBinsByThemselves) {
  const int n = 20;
  const Maps units = SmoothMaps(10, n, 3, 15);
  Maps neurons = SmoothMaps(4, n, 3, 16);
  neurons[2 * n * n] = NAN;
  const auto together = RSquared(units, neurons, n);
  EXPECT_EQ(MapPredictor(neurons, n, 3).groups(), 2u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(together[i], RSquared(units, MapOf(neurons, i, n), n)[0], 1e-9);
  }
}

TEST(MapPredictor, HasNothingToSayOfConstantOrUnvisitedMaps) {
  const int n = 20;
  const Maps units = SmoothMaps(10, n, 3, 17), silent(10 * n * n, 0.0f);
  Maps neurons(n * n, 2.5f);
  neurons.resize(2 * n * n, NAN);
  Maps half = SmoothMaps(1, n, 3, 18);
  const auto folds = SpatialFolds(n, 3);
  for (int bin = 0; bin < n * n; ++bin) {
    if (folds[bin] == 4) half[bin] = NAN;
  }
  neurons.insert(neurons.end(), half.begin(), half.end());
  for (const double value : RSquared(units, neurons, n)) EXPECT_TRUE(std::isnan(value));
  EXPECT_NEAR(RSquared(silent, SmoothMaps(1, n, 3, 18), n)[0], 0, 0.3) << "the mean, from silence";
}

}  // namespace
}  // namespace gridsweep::scoring
