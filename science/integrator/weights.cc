#include "science/integrator/weights.h"

#include <utility>

#include "science/integrator/initializers.h"
#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Initializer;
using science::RnnType;
using science::RunConfig;

// A matrix's number is its step in the weights stream. Part of every result:
// never change one.
enum Matrix : uint64_t {
  kEncoder = 0,
  kInput = 1,  // what takes the network's inputs, in whichever layer
  kRecurrent = 2,
  kPlaceHead = 3,
  kCellEncoder = 4,
  kRecurrentInput = 5,
  kDense = 6,
  kHeadDirectionHead = 7
};

class WeightList {
 public:
  explicit WeightList(const RunConfig& config) : config_(config) {}

  at::Tensor Draw(Initializer initializer, Matrix matrix, int64_t rows, int64_t columns) const {
    return DrawKernel(initializer, Random(config_.seed, Stream::kWeights, matrix), rows, columns);
  }
  void Add(std::string name, const at::Tensor& value, double decay = 0, bool head = false) {
    const at::Tensor single = value.to(at::kFloat).contiguous();
    weights_.push_back({std::move(name), single, at::empty_like(single), decay, head});
  }

  void Kernel(const std::string& layer, Matrix matrix, int64_t rows, int64_t columns) {
    Add(layer + ".kernel", Draw(Initializer::kGlorotUniform, matrix, rows, columns));
  }
  void Bias(const std::string& layer, int64_t size) { Add(layer + ".bias", at::zeros({size})); }
  void KernelAndBias(const std::string& layer, Matrix matrix, int64_t rows, int64_t columns) {
    Kernel(layer, matrix, rows, columns);
    Bias(layer, columns);
  }
  void Recurrent(int64_t units, int64_t gates) {
    const double decay = config_.rnn_type == RnnType::kBaninoLstm ? 0 : 1;
    Add("recurrent.kernel", Draw(config_.initializer, kRecurrent, units, gates * units), decay);
  }
  void LstmLayer(Matrix matrix, int64_t inputs, int64_t units) {
    Kernel("recurrent_input", matrix, inputs, 4 * units);
    const at::Tensor bias = at::zeros({4 * units});
    bias.narrow(0, units, units).fill_(1);  // the forget gate's
    Add("recurrent_input.bias", bias);
    Recurrent(units, 4);
  }
  void UgrnnLayer(int64_t units) {
    const at::Tensor k = Draw(config_.initializer, kRecurrent, 2 * units, 2 * units);
    Add("recurrent_input.kernel", k.narrow(0, 0, units));
    Bias("recurrent_input", 2 * units);
    Add("recurrent.kernel", k.narrow(0, units, units), 1);
  }
  void Heads(bool biases) {
    const double decay = config_.rnn_type == RnnType::kBaninoLstm ? 0.5 : 0;
    auto head = [&](const std::string& layer, Matrix matrix, int64_t outputs) {
      Add(layer + ".kernel", Draw(Initializer::kGlorotUniform, matrix, config_.Ng, outputs), decay,
          true);
      if (biases) Add(layer + ".bias", at::zeros({outputs}), 0, true);
    };
    head("place_head", kPlaceHead, config_.Np);
    const int64_t directions = config_.n_head_direction_cells;
    if (directions > 0) head("head_direction_head", kHeadDirectionHead, directions);
  }

  std::vector<Weight> Take() { return std::move(weights_); }

 private:
  const RunConfig& config_;
  std::vector<Weight> weights_;
};

void AddRnn(const RunConfig& config, WeightList& list) {
  list.Kernel("encoder", kEncoder, config.Np, config.Ng);
  list.Kernel("recurrent_input", kInput, 2, config.Ng);
  list.Recurrent(config.Ng, 1);
  list.Heads(false);
}

void AddBaninoLstm(const RunConfig& config, WeightList& list) {
  const int64_t start = config.Np + config.n_head_direction_cells;
  list.Kernel("encoder", kEncoder, start, config.lstm_units);
  list.Kernel("cell_encoder", kCellEncoder, start, config.lstm_units);
  list.LstmLayer(kInput, 3, config.lstm_units);
  list.Kernel("dense", kDense, config.lstm_units, config.Ng);
  if (config.bottleneck_bias) list.Bias("dense", config.Ng);
  list.Heads(true);
}

void AddLayered(const RunConfig& config, WeightList& list) {
  const int64_t n = config.Ng;
  list.KernelAndBias("encoder", kEncoder, config.Np, n);
  if (config.rnn_type == RnnType::kLstm) {
    list.KernelAndBias("cell_encoder", kCellEncoder, config.Np, n);
  }
  list.KernelAndBias("input", kInput, 2, n);
  if (config.rnn_type == RnnType::kSrnn) {
    list.Kernel("recurrent_input", kRecurrentInput, n, n);
    list.Recurrent(n, 1);
  } else if (config.rnn_type == RnnType::kGru) {
    list.KernelAndBias("recurrent_input", kRecurrentInput, n, 3 * n);
    list.Recurrent(n, 3);
    list.Bias("recurrent", 3 * n);
  } else if (config.rnn_type == RnnType::kLstm) {
    list.LstmLayer(kRecurrentInput, n, n);
  } else {
    list.UgrnnLayer(n);
  }
  list.KernelAndBias("dense", kDense, n, n);
  list.Heads(true);
}

}  // namespace

void Dense::Forward(const at::Tensor& x, at::Tensor& y) const {
  if (bias.value.defined()) {
    at::addmm_out(y, bias.value, x, kernel.value);
  } else {
    at::mm_out(y, x, kernel.value);
  }
}

void Dense::Backward(const at::Tensor& x, const at::Tensor& delta_y) {
  at::mm_out(kernel.gradient, x.t(), delta_y);
  if (bias.value.defined()) at::sum_out(bias.gradient, delta_y, {0});
}

void Dense::BackwardInput(const at::Tensor& delta_y, at::Tensor& delta_x, bool add) const {
  if (add) {
    delta_x.addmm_(delta_y, kernel.value.t());
  } else {
    at::mm_out(delta_x, delta_y, kernel.value.t());
  }
}

Dense LayerOf(const std::vector<Weight>& weights, std::string_view name) {
  Dense layer;
  for (const Weight& weight : weights) {
    if (weight.name == std::string(name) + ".kernel") layer.kernel = weight;
    if (weight.name == std::string(name) + ".bias") layer.bias = weight;
  }
  return layer;
}

std::vector<Weight> DrawWeights(const RunConfig& config) {
  WeightList list(config);
  switch (config.rnn_type) {
    case RnnType::kRnn:
      AddRnn(config, list);
      break;
    case RnnType::kBaninoLstm:
      AddBaninoLstm(config, list);
      break;
    default:
      AddLayered(config, list);
  }
  return list.Take();
}

}  // namespace gridsweep::integrator
