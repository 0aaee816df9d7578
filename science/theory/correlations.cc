#include "science/theory/correlations.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "science/integrator/readout.h"
#include "science/theory/fourier.h"

namespace gridsweep::theory {

using Complex = std::complex<double>;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

double Responses::wavenumber_step() const { return 2 * std::numbers::pi / (res * spacing()); }

Responses RespondOnLattice(const science::RunConfig& config, int res) {
  Responses responses{.res = res, .side = config.box_width_in_m, .cells = config.Np, .values = {}};
  std::vector<double> positions;
  positions.reserve(2 * static_cast<size_t>(res) * res);
  const auto coordinate = [&](int i) { return -responses.side / 2 + i * responses.spacing(); };
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) {
      positions.push_back(coordinate(i));
      positions.push_back(coordinate(j));
    }
  }
  responses.values.resize(static_cast<size_t>(res) * res * static_cast<size_t>(responses.cells));
  integrator::ReadoutMap(config).Targets(positions, responses.values.data());
  return responses;
}

// Summed over shifts, each cell's part of Sigma is its cyclic autocorrelation,
// whose transform is |y~|^2.
Correlations Correlate(const Responses& responses) {
  const auto res = static_cast<size_t>(responses.res), size = res * res;
  const auto cells = static_cast<size_t>(responses.cells);
  Fourier fourier(responses.res);
  std::vector<Complex> pair(size);
  std::vector<double> power(size);
  // Two real maps in one transform: their powers add up to the even part of its power.
  for (size_t cell = 0; cell < cells; cell += 2) {
    for (size_t x = 0; x < size; ++x) {
      const float* y = &responses.values[x * cells];
      pair[x] = {y[cell], cell + 1 < cells ? y[cell + 1] : 0.0f};
    }
    fourier.Forward(pair);
    for (size_t k = 0; k < size; ++k) power[k] += std::norm(pair[k]);
  }
  Correlations correlations;
  correlations.spectrum.resize(size);
  correlations.sigma.resize(size);
  for (size_t i = 0; i < res; ++i) {
    for (size_t j = 0; j < res; ++j) {
      const size_t opposite = (res - i) % res * res + (res - j) % res;
      correlations.spectrum[i * res + j] = (power[i * res + j] + power[opposite]) / 2;
    }
  }
  std::ranges::copy(correlations.spectrum, pair.begin());
  fourier.Inverse(pair);
  for (size_t i = 0; i < res; ++i) {
    for (size_t j = 0; j < res; ++j) {
      const size_t centred = (i + res / 2) % res * res + (j + res / 2) % res;
      correlations.sigma[centred] = pair[i * res + j].real();
    }
  }
  correlations.spectrum[0] = 0;
  return correlations;
}

Eigenmaps TopEigenmaps(const Responses& responses, int count) {
  const Eigen::Index points = Eigen::Index{responses.res} * responses.res;
  const Eigen::Index cells = responses.cells;
  RowMajor y =
      Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
          responses.values.data(), points, cells)
          .cast<double>();
  y.rowwise() -= y.colwise().mean();
  // Sigma = y yT and yT y share their eigenvalues; the smaller is solved.
  const bool by_cells = cells < points;
  const Eigen::MatrixXd product =
      by_cells ? Eigen::MatrixXd(y.transpose() * y) : Eigen::MatrixXd(y * y.transpose());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(product);
  Eigenmaps top;
  const Eigen::Index wanted = std::min<Eigen::Index>(count, product.rows());
  for (Eigen::Index i = 0; i < wanted; ++i) {
    const Eigen::Index at = product.rows() - 1 - i;
    Eigen::VectorXd map = solver.eigenvectors().col(at);
    if (by_cells) map = (y * map).normalized();
    if (-map.minCoeff() > map.maxCoeff()) map = -map;
    top.values.push_back(std::max(0.0, solver.eigenvalues()[at]));
    top.maps.insert(top.maps.end(), map.begin(), map.end());
  }
  return top;
}

}  // namespace gridsweep::theory
