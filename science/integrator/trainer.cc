#include "science/integrator/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "science/integrator/device.h"
#include "science/integrator/dropout.h"
#include "science/integrator/evaluate.h"
#include "science/integrator/head_direction_cells.h"
#include "science/integrator/network.h"
#include "science/integrator/network_inputs.h"
#include "science/integrator/optimizer.h"
#include "science/integrator/readout.h"
#include "science/integrator/tensor_loss.h"
#include "science/integrator/tensor_optimizer.h"
#include "science/integrator/training_walks.h"
#include "science/integrator/weights.h"

namespace gridsweep::integrator {
namespace {

// Runs `work`, which returns a Status or StatusOr, and turns what LibTorch throws
// into one.
template <class Work>
auto Catching(const Work& work) -> decltype(work()) {
  // A thread that LibTorch has not seen would start as many threads as there are cores.
  at::init_num_threads();
  const at::InferenceMode no_autograd;
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory: reduce Ng, Np, batch_size or eval_batches");
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    if (what.find("allocate memory") == what.npos && what.find("out of memory") == what.npos) {
      return absl::InternalError(what);
    }
    return absl::ResourceExhaustedError(
        "out of memory: reduce Ng, Np, batch_size or eval_batches (" + what + ")");
  }
}

std::span<float> Values(at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

double SumOfSquares(const at::Tensor& on_device) {
  const at::Tensor tensor = on_device.cpu();
  double sum = 0;
  const float* values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) sum += static_cast<double>(values[i]) * values[i];
  return sum;
}

}  // namespace

class Trainer::Impl {
 public:
  explicit Impl(const science::RunConfig& config)
      : config_(config),
        readout_(config),
        directions_(config),
        training_walks_(config),
        dropout_(config),
        weights_(On(ChosenDevice(), DrawWeights(config))),
        network_(config, weights_, config.sequence_length, config.batch_size) {
    const int64_t rows = config.sequence_length * config.batch_size;
    target_.resize(static_cast<size_t>(rows * config.Np));
    direction_target_.resize(static_cast<size_t>(rows * directions_.cells()));
    for (const Weight& weight : weights_) {
      if (weight.value.is_cpu()) {
        optimizers_.emplace_back(config.optimizer, weight.value.numel(), config.momentum);
      } else {
        tensor_optimizers_.emplace_back(config.optimizer, weight.value, config.momentum);
      }
    }
  }

  absl::StatusOr<StepResult> Step() {
    if (step_ >= static_cast<uint64_t>(config_.TotalSteps())) {
      return absl::OutOfRangeError("all " + std::to_string(config_.TotalSteps()) +
                                   " steps of this run are done");
    }
    training_walks_.Draw(step_, walks_);
    GiveWalks(walks_, readout_, directions_, network_);
    readout_.Targets(walks_.positions, target_.data());
    network_.Forward(On(ChosenDevice(), dropout_.Draw(step_)));

    const double loss = Loss();
    if (!std::isfinite(loss)) return StepResult{loss, false};

    network_.Backward();
    ++step_;
    for (size_t i = 0; i < weights_.size(); ++i) {
      Weight& weight = weights_[i];
      Optimizer::Options options{.learning_rate = config_.learning_rate,
                                 .weight_decay = config_.weight_decay * weight.decay};
      if (config_.gradient_clip_scope == science::ClipScope::kAll || weight.head) {
        options.clip = config_.gradient_clip;
      }
      if (weight.value.is_cpu()) {
        optimizers_[i].Step(options, step_, Values(weight.gradient), Values(weight.value));
      } else {
        tensor_optimizers_[i].Step(options, step_, weight.gradient, weight.value);
      }
    }
    return StepResult{loss, true};
  }

  TrainingState state() const {
    TrainingState state{.step = step_, .parameters = {}};
    for (size_t i = 0; i < weights_.size(); ++i) {
      const at::Tensor& value = weights_[i].value;
      const bool here = value.is_cpu();
      state.parameters.push_back(
          {.name = weights_[i].name,
           .shape = value.sizes().vec(),
           .value = NumbersOf(value),
           .mean = here ? optimizers_[i].mean() : tensor_optimizers_[i].mean(),
           .square = here ? optimizers_[i].square() : tensor_optimizers_[i].square()});
    }
    return state;
  }

  absl::Status Restore(const TrainingState& saved) {
    if (const absl::Status fits = CheckFits(saved); !fits.ok()) return fits;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const TrainingState::Parameter& parameter = saved.parameters[i];
      SetNumbers(parameter.value, weights_[i].value);
      if (weights_[i].value.is_cpu()) {
        optimizers_[i].Restore(parameter.mean, parameter.square);
      } else {
        tensor_optimizers_[i].Restore(parameter.mean, parameter.square);
      }
    }
    step_ = saved.step;
    return absl::OkStatus();
  }

  const science::RunConfig& config() const { return config_; }
  const ReadoutMap& readout() const { return readout_; }
  const HeadDirectionCells& directions() const { return directions_; }
  const std::vector<Weight>& weights() const { return weights_; }
  uint64_t step() const { return step_; }

 private:
  // Whether `saved` is a state that this configuration can have.
  absl::Status CheckFits(const TrainingState& saved) const {
    if (saved.step > static_cast<uint64_t>(config_.TotalSteps())) {
      return absl::InvalidArgumentError("the state is of step " + std::to_string(saved.step) +
                                        ", the run ends at " +
                                        std::to_string(config_.TotalSteps()));
    }
    if (saved.parameters.size() != weights_.size()) {
      return absl::InvalidArgumentError("the state has " + std::to_string(saved.parameters.size()) +
                                        " parameters, this network " +
                                        std::to_string(weights_.size()));
    }
    const OptimizerState kept(config_.optimizer, config_.momentum);
    for (size_t i = 0; i < weights_.size(); ++i) {
      const TrainingState::Parameter& theirs = saved.parameters[i];
      const Weight& ours = weights_[i];
      const auto size = static_cast<size_t>(ours.value.numel());
      if (theirs.name != ours.name || theirs.shape != ours.value.sizes().vec() ||
          theirs.value.size() != size || theirs.mean.size() != (kept.mean ? size : 0) ||
          theirs.square.size() != (kept.square ? size : 0)) {
        return absl::InvalidArgumentError("the state's parameter " + theirs.name +
                                          " is not this network's " + ours.name +
                                          ", or its optimiser is another");
      }
    }
    return absl::OkStatus();
  }

  // The loss of the last Forward, weight decay included. Replaces the network's
  // outputs by the gradients with respect to them.
  double Loss() {
    double loss = LossAndGradient(config_.place_field_loss, target_, network_.place());
    if (directions_.cells() > 0) {
      directions_.Respond(walks_.headings, direction_target_.data());
      loss += LossAndGradient(science::Loss::kCrossEntropy, direction_target_,
                              network_.head_direction());
    }
    for (const Weight& weight : weights_) {
      if (weight.decay == 0) continue;
      const at::Tensor values = weight.value.view(-1);
      loss += config_.weight_decay * weight.decay * at::dot(values, values).item<double>();
    }
    return loss;
  }

  const science::RunConfig config_;
  const ReadoutMap readout_;
  const HeadDirectionCells directions_;
  TrainingWalks training_walks_;
  Dropout dropout_;
  std::vector<Weight> weights_;
  Network network_;
  std::vector<Optimizer> optimizers_;               // on the processor
  std::vector<TensorOptimizer> tensor_optimizers_;  // elsewhere
  Walks walks_;
  std::vector<float> target_, direction_target_;
  uint64_t step_ = 0;
};

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const science::RunConfig& config) {
  return Catching([&]() -> absl::StatusOr<std::unique_ptr<Trainer>> {
    return std::unique_ptr<Trainer>(new Trainer(std::make_unique<Impl>(config)));
  });
}

Trainer::Trainer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Trainer::~Trainer() = default;

uint64_t Trainer::step() const { return impl_->step(); }

absl::StatusOr<StepResult> Trainer::Step() {
  return Catching([&] { return impl_->Step(); });
}

absl::StatusOr<Evaluation> Trainer::Evaluate(const std::function<bool(int64_t)>& on_batch) {
  return Catching([&] {
    return EvaluateNetwork(impl_->config(), impl_->readout(), impl_->directions(), impl_->weights(),
                           on_batch);
  });
}

TrainingState Trainer::state() const { return impl_->state(); }

absl::Status Trainer::Restore(const TrainingState& state) {
  return Catching([&] { return impl_->Restore(state); });
}

ReadoutParameters Trainer::readout_parameters() const {
  ReadoutParameters parameters = impl_->readout().parameters();
  parameters.head_directions = impl_->directions().preferred();
  return parameters;
}

KernelSquares Trainer::kernel_squares() const {
  const std::vector<Weight>& weights = impl_->weights();
  return {SumOfSquares(LayerOf(weights, "recurrent_input").kernel.value),
          SumOfSquares(LayerOf(weights, "recurrent").kernel.value)};
}

}  // namespace gridsweep::integrator
