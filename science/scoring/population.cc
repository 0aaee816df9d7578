#include "science/scoring/population.h"

#include <Eigen/Core>
#include <Eigen/SVD>
#include <algorithm>
#include <limits>

#include "science/scoring/fixed_blocking.h"

namespace gridsweep::scoring {
namespace {

template <typename T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Eigen::Index kBlock = 256;

template <typename T>
double ParticipationRatioOf(std::span<const T> samples, int features) {
  FixEigenBlocking();
  const auto n = static_cast<Eigen::Index>(samples.size()) / features;
  const Eigen::Map<const RowMajor<T>> all(samples.data(), n, features);
  Eigen::RowVectorXd mean = Eigen::RowVectorXd::Zero(features);
  for (Eigen::Index row = 0; row < n; ++row) mean += all.row(row).template cast<double>();
  mean /= static_cast<double>(n);

  // The products X'X and XX' have the same eigenvalues other than 0: the smaller one serves.
  Eigen::MatrixXd product;
  if (features <= n) {
    product = Eigen::MatrixXd::Zero(features, features);
    for (Eigen::Index row = 0; row < n; row += kBlock) {
      const RowMajor<double> block =
          all.middleRows(row, std::min(kBlock, n - row)).template cast<double>().rowwise() - mean;
      product.selfadjointView<Eigen::Lower>().rankUpdate(block.transpose());
    }
  } else {
    const RowMajor<double> centred = all.template cast<double>().rowwise() - mean;
    product = Eigen::MatrixXd::Zero(n, n);
    product.selfadjointView<Eigen::Lower>().rankUpdate(centred);
  }
  // Sums of eigenvalues and of their squares, without the eigenvalues.
  const double trace = product.trace();
  double squares = 0;
  for (Eigen::Index column = 0; column < product.cols(); ++column) {
    const auto below = product.col(column).tail(product.cols() - column - 1);
    squares += product(column, column) * product(column, column) + 2 * below.squaredNorm();
  }
  return squares > 0 ? trace * trace / squares : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

double ParticipationRatio(std::span<const float> samples, int features) {
  return ParticipationRatioOf(samples, features);
}
double ParticipationRatio(std::span<const double> samples, int features) {
  return ParticipationRatioOf(samples, features);
}

int Rank(std::span<const double> matrix, int columns) {
  FixEigenBlocking();
  const auto rows = static_cast<Eigen::Index>(matrix.size()) / columns;
  const Eigen::MatrixXd copy = Eigen::Map<const RowMajor<double>>(matrix.data(), rows, columns);
  const Eigen::VectorXd values = Eigen::BDCSVD<Eigen::MatrixXd>(copy, 0).singularValues();
  const double smallest = values(0) * static_cast<double>(std::max<Eigen::Index>(rows, columns)) *
                          std::numeric_limits<double>::epsilon();
  return static_cast<int>((values.array() > smallest).count());
}

}  // namespace gridsweep::scoring
