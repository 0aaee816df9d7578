#include "science/theory/pattern_formation.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <complex>

#include "science/integrator/philox.h"

namespace gridsweep::theory {
namespace {

constexpr double kNoise = 1e-8;
constexpr double kOrderedReluGain = 30;

std::vector<double> WithoutZeroMode(std::vector<double> transform, Coupling coupling) {
  if (coupling == Coupling::kNone) transform[0] = 0;
  return transform;
}

}  // namespace

PatternOptions PublishedPatterns(Coupling coupling, Nonlinearity nonlinearity) {
  PatternOptions options{.coupling = coupling, .nonlinearity = nonlinearity};
  if (coupling == Coupling::kOrdered) {
    options.units = 64;
    options.step_size = 8e-3;
    options.steps = 5000;
  } else if (nonlinearity == Nonlinearity::kTanh) {
    options.step_size = 1e-4;
  }
  return options;
}

PatternFormation::PatternFormation(int res, std::vector<double> transform,
                                   const PatternOptions& options)
    : options_(options),
      size_(transform.size()),
      convolution_(res, WithoutZeroMode(std::move(transform), options.coupling)) {
  const integrator::Random random(options.seed, integrator::Stream::kPatterns, 0);
  maps_.resize(static_cast<size_t>(options.units) * size_);
  convolved_.resize(maps_.size());
  for (size_t i = 0; i < maps_.size(); ++i) maps_[i] = kNoise * random.Normal(i);
}

bool PatternFormation::Advance(int64_t steps) {
  const int64_t end = std::min(options_.steps, done_ + steps);
  for (; done_ < end; ++done_) {
    convolution_.Apply(maps_, convolved_);
    if (options_.coupling == Coupling::kNone) {
      StepAlone();
    } else {
      StepOrdered();
    }
  }
  return done_ < options_.steps;
}

void PatternFormation::StepAlone() {
  const double eta = options_.step_size;
  for (size_t i = 0; i < maps_.size(); ++i) maps_[i] += eta * (convolved_[i] - maps_[i]);
  if (options_.nonlinearity == Nonlinearity::kTanh) {
    for (double& g : maps_) g = std::tanh(g);
    return;
  }
  for (auto map = maps_.begin(); map != maps_.end(); map += static_cast<ptrdiff_t>(size_)) {
    const auto end = map + static_cast<ptrdiff_t>(size_);
    double most = 0;
    for (auto g = map; g != end; ++g) most = std::max(most, *g = std::max(*g, 0.0));
    if (most > 1) {
      for (auto g = map; g != end; ++g) *g /= most;
    }
  }
}

void PatternFormation::StepOrdered() {
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<Rows> g(maps_.data(), options_.units, static_cast<Eigen::Index>(size_));
  const Eigen::Map<const Rows> h(convolved_.data(), g.rows(), g.cols());
  const Eigen::MatrixXd overlap = h * g.transpose();  // (u, v): H_u . G_v
  Rows change = h;
  change.noalias() -= overlap.triangularView<Eigen::Upper>() * g;
  if (options_.nonlinearity == Nonlinearity::kTanh) {
    change += g.unaryExpr([](double x) { return std::tanh(x); });
  } else {
    change += (kOrderedReluGain * g).cwiseMax(0);
  }
  g += options_.step_size * change;
}

std::vector<double> GaussianTransform(int res, double spacing, double sigma) {
  std::vector<std::complex<double>> kernel;
  kernel.reserve(static_cast<size_t>(res) * res);
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) {
      const double distance = spacing * std::hypot(Mode(i, res), Mode(j, res));
      kernel.emplace_back(std::exp(-distance * distance / (2 * sigma * sigma)));
    }
  }
  Fourier(res).Forward(kernel);
  std::vector<double> transform;
  transform.reserve(kernel.size());
  for (const auto& mode : kernel) transform.push_back(mode.real());
  return transform;
}

}  // namespace gridsweep::theory
