#include "tests/science/integrator/reference_network.h"

#include <cmath>

namespace gridsweep::integrator {
namespace {

using science::Activation;
using science::RnnType;
using science::RunConfig;
using Vector = std::vector<double>;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double Phi(Activation activation, double x) {
  switch (activation) {
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSigmoid:
      return Sigmoid(x);
    case Activation::kLinear:
      return x;
  }
  return x;
}

Vector RowOf(const at::Tensor& matrix, int64_t row) {
  const double* from = matrix.data_ptr<double>() + row * matrix.size(1);
  return Vector(from, from + matrix.size(1));
}

// A row of `mask`, or ones where there is none.
Vector FactorsOf(const at::Tensor& mask, int64_t row, size_t size) {
  return mask.defined() ? RowOf(mask, row) : Vector(size, 1);
}

Vector Times(const Vector& a, const Vector& b) {
  Vector product = a;
  for (size_t i = 0; i < a.size(); ++i) product[i] *= b[i];
  return product;
}

class Reference {
 public:
  Reference(const RunConfig& config, const std::vector<Weight>& weights)
      : config_(config), weights_(weights) {}

  const Weight* Find(const std::string& name) const {
    for (const Weight& weight : weights_) {
      if (weight.name == name) return &weight;
    }
    return nullptr;
  }
  double Bias(const std::string& name, size_t i) const {
    const Weight* bias = Find(name);
    return bias == nullptr ? 0 : bias->value.data_ptr<double>()[i];
  }
  // x K + b of a layer, from column `from` on.
  Vector Linear(const std::string& layer, const Vector& x, size_t from, size_t columns) const {
    const at::Tensor& k = Find(layer + ".kernel")->value;
    const auto width = static_cast<size_t>(k.size(1));
    Vector y(columns);
    for (size_t j = 0; j < columns; ++j) {
      y[j] = Bias(layer + ".bias", from + j);
      for (size_t i = 0; i < x.size(); ++i)
        y[j] += x[i] * k.data_ptr<double>()[i * width + from + j];
    }
    return y;
  }
  Vector Linear(const std::string& layer, const Vector& x) const {
    return Linear(layer, x, 0, static_cast<size_t>(Find(layer + ".kernel")->value.size(1)));
  }

  // h (and c) from x, and from `seen`: h after dropout.
  void Step(const Vector& x, const Vector& seen, Vector& h, Vector& c) const {
    const size_t n = h.size();
    // The part of gate number `gate` that x and h add up to.
    auto gate = [&](size_t number) {
      Vector sum = Linear("recurrent_input", x, number * n, n);
      const Vector state = Linear("recurrent", seen, number * n, n);
      for (size_t u = 0; u < n; ++u) sum[u] += state[u];
      return sum;
    };
    const Activation phi =
        config_.rnn_type == RnnType::kBaninoLstm ? Activation::kTanh : config_.activation;
    switch (config_.rnn_type) {
      case RnnType::kRnn:
      case RnnType::kSrnn: {
        h = gate(0);
        for (double& value : h) value = Phi(phi, value);
        break;
      }
      case RnnType::kGru: {
        const Vector z = gate(0), r = gate(1);
        const Vector from_x = Linear("recurrent_input", x, 2 * n, n);
        const Vector from_h = Linear("recurrent", seen, 2 * n, n);
        for (size_t u = 0; u < n; ++u) {
          const double candidate = Phi(phi, from_x[u] + Sigmoid(r[u]) * from_h[u]);
          h[u] = Sigmoid(z[u]) * h[u] + (1 - Sigmoid(z[u])) * candidate;
        }
        break;
      }
      case RnnType::kLstm:
      case RnnType::kBaninoLstm: {
        const Vector i = gate(0), f = gate(1), g = gate(2), o = gate(3);
        for (size_t u = 0; u < n; ++u) {
          c[u] = Sigmoid(f[u]) * c[u] + Sigmoid(i[u]) * Phi(phi, g[u]);
          h[u] = Sigmoid(o[u]) * Phi(phi, c[u]);
        }
        break;
      }
      case RnnType::kUgrnn: {
        const Vector g = gate(0), candidate = gate(1);
        for (size_t u = 0; u < n; ++u) {
          const double keep = Sigmoid(g[u] + 1);
          h[u] = keep * h[u] + (1 - keep) * Phi(phi, candidate[u]);
        }
        break;
      }
    }
  }

  Vector Units(const Vector& h) const {
    if (config_.rnn_type == RnnType::kRnn) return h;
    Vector g = Linear("dense", h);
    if (config_.rnn_type == RnnType::kBaninoLstm) return g;
    for (double& value : g) value = Phi(config_.activation, value);
    return g;
  }

 private:
  const RunConfig& config_;
  const std::vector<Weight>& weights_;
};

}  // namespace

ReferenceOutputs RunReference(const RunConfig& config, const std::vector<Weight>& weights,
                              const at::Tensor& start, const at::Tensor& inputs,
                              const DropoutMasks& masks, int64_t batch, int64_t b) {
  const Reference network(config, weights);
  Vector h = network.Linear("encoder", RowOf(start, b)), c;
  if (network.Find("cell_encoder.kernel")) c = network.Linear("cell_encoder", RowOf(start, b));
  ReferenceOutputs outputs;
  for (int64_t row = b; row < inputs.size(0); row += batch) {
    Vector x = RowOf(inputs, row);
    if (network.Find("input.kernel")) x = network.Linear("input", x);
    x = Times(x, FactorsOf(masks.input, b, x.size()));
    network.Step(x, Times(h, FactorsOf(masks.recurrent, b, h.size())), h, c);
    const Vector g = network.Units(h);
    const Vector seen = Times(g, FactorsOf(masks.units, row, g.size()));
    outputs.units.push_back(g);
    outputs.place.push_back(network.Linear("place_head", seen));
    if (config.n_head_direction_cells > 0) {
      outputs.direction.push_back(network.Linear("head_direction_head", seen));
    }
  }
  return outputs;
}

}  // namespace gridsweep::integrator
