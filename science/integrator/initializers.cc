// Initial weights, by Keras' definitions.
#include <cmath>

#include "science/integrator/network.h"
#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Initializer;

at::Tensor Zeros(int64_t rows, int64_t columns) {
  return at::zeros({rows, columns}, at::TensorOptions().dtype(at::kDouble));
}

at::Tensor GlorotUniform(const Random& random, int64_t rows, int64_t columns) {
  at::Tensor kernel = Zeros(rows, columns);
  const double limit = std::sqrt(6.0 / static_cast<double>(rows + columns));
  double* values = kernel.data_ptr<double>();
  for (int64_t i = 0; i < rows * columns; ++i) {
    values[i] = random.Uniform(static_cast<uint64_t>(i), -limit, limit);
  }
  return kernel;
}

// Normal, truncated at two standard deviations; 0.8796 is what the truncation
// leaves of the standard deviation.
at::Tensor GlorotNormal(const Random& random, int64_t rows, int64_t columns) {
  at::Tensor kernel = Zeros(rows, columns);
  const double sd = std::sqrt(2.0 / static_cast<double>(rows + columns)) / 0.87962566103423978;
  double* values = kernel.data_ptr<double>();
  for (int64_t i = 0; i < rows * columns; ++i) {
    uint64_t index = static_cast<uint64_t>(i);
    double normal = random.Normal(index);
    while (std::abs(normal) > 2) normal = random.Normal(index += uint64_t{1} << 48);
    values[i] = normal * sd;
  }
  return kernel;
}

// Q of a square normal matrix, with the signs that make R's diagonal positive.
at::Tensor Orthogonal(const Random& random, int64_t size) {
  at::Tensor kernel = Zeros(size, size);
  double* values = kernel.data_ptr<double>();
  for (int64_t i = 0; i < size * size; ++i) {
    values[i] = random.Normal(static_cast<uint64_t>(i));
  }
  const auto [q, r] = at::linalg_qr(kernel);
  return q * r.diagonal().sign();
}

}  // namespace

RnnWeights DrawWeights(const science::RunConfig& config) {
  // A matrix's number is its step in the weights stream.
  enum Matrix : uint64_t { kEncoder = 0, kInput = 1, kRecurrent = 2, kReadoutKernel = 3 };
  auto random = [&](Matrix matrix) { return Random(config.seed, Stream::kWeights, matrix); };
  at::Tensor recurrent;
  switch (config.initializer) {
    case Initializer::kGlorotUniform:
      recurrent = GlorotUniform(random(kRecurrent), config.Ng, config.Ng);
      break;
    case Initializer::kGlorotNormal:
      recurrent = GlorotNormal(random(kRecurrent), config.Ng, config.Ng);
      break;
    case Initializer::kOrthogonal:
      recurrent = Orthogonal(random(kRecurrent), config.Ng);
      break;
  }
  auto single = [](const at::Tensor& kernel) { return kernel.to(at::kFloat).contiguous(); };
  return {single(GlorotUniform(random(kEncoder), config.Np, config.Ng)),
          single(GlorotUniform(random(kInput), 2, config.Ng)), single(recurrent),
          single(GlorotUniform(random(kReadoutKernel), config.Ng, config.Np))};
}

}  // namespace gridsweep::integrator
