#include "science/integrator/initializers.h"

#include <cmath>

namespace gridsweep::integrator {
namespace {

using science::Initializer;

template <class Value>
at::Tensor Fill(int64_t rows, int64_t columns, Value value) {
  at::Tensor kernel = at::empty({rows, columns}, at::TensorOptions().dtype(at::kDouble));
  double* values = kernel.data_ptr<double>();
  for (int64_t i = 0; i < rows * columns; ++i) values[i] = value(static_cast<uint64_t>(i));
  return kernel;
}

double TruncatedNormal(const Random& random, uint64_t index) {
  double normal = random.Normal(index);
  while (std::abs(normal) > 2) normal = random.Normal(index += uint64_t{1} << 48);
  return normal;
}

at::Tensor Orthogonal(const Random& random, int64_t rows, int64_t columns) {
  const at::Tensor normal =
      Fill(columns, rows, [&](uint64_t index) { return random.Normal(index); });
  const auto [q, r] = at::linalg_qr(normal);
  const at::Tensor kernel = q * r.diagonal().sign();
  return rows < columns ? kernel.t() : kernel;
}

}  // namespace

at::Tensor DrawKernel(Initializer initializer, const Random& random, int64_t rows,
                      int64_t columns) {
  const double fans = static_cast<double>(rows + columns);
  switch (initializer) {
    case Initializer::kGlorotUniform: {
      const double limit = std::sqrt(6.0 / fans);
      return Fill(rows, columns,
                  [&](uint64_t index) { return random.Uniform(index, -limit, limit); });
    }
    case Initializer::kGlorotNormal: {
      // 0.8796 is what the truncation leaves of the standard deviation.
      const double sd = std::sqrt(2.0 / fans) / 0.87962566103423978;
      return Fill(rows, columns,
                  [&](uint64_t index) { return TruncatedNormal(random, index) * sd; });
    }
    case Initializer::kOrthogonal:
      return Orthogonal(random, rows, columns);
  }
  return {};
}

}  // namespace gridsweep::integrator
