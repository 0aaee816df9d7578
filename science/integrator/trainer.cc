#include "science/integrator/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "science/integrator/evaluate.h"
#include "science/integrator/loss.h"
#include "science/integrator/network.h"
#include "science/integrator/optimizer.h"
#include "science/integrator/philox.h"
#include "science/integrator/readout.h"
#include "science/integrator/trajectory.h"

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
    if (what.find("allocate memory") == std::string::npos) return absl::InternalError(what);
    return absl::ResourceExhaustedError(
        "out of memory: reduce Ng, Np, batch_size or eval_batches (" + what + ")");
  }
}

std::span<float> Values(at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

double SumOfSquares(const at::Tensor& tensor) {
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
        weights_(DrawWeights(config)),
        gradient_(EmptyLike(weights_)),
        pass_(weights_, config.activation, config.sequence_length, config.batch_size),
        target_(static_cast<size_t>(config.sequence_length * config.batch_size * config.Np)) {
    for (const at::Tensor* weight : weights_.All()) {
      optimizers_.emplace_back(config.optimizer, weight->numel(), config.momentum);
    }
  }

  absl::StatusOr<StepResult> Step() {
    if (step_ >= static_cast<uint64_t>(config_.TotalSteps())) {
      return absl::OutOfRangeError("all " + std::to_string(config_.TotalSteps()) +
                                   " steps of this run are done");
    }
    DrawWalks(BoxOf(config_), Random(config_.seed, Stream::kTrain, step_), config_.sequence_length,
              config_.batch_size, walks_);
    std::ranges::copy(walks_.velocity, pass_.velocity().data_ptr<float>());
    readout_.Targets(walks_.start, pass_.start().data_ptr<float>());
    readout_.Targets(walks_.positions, target_.data());
    pass_.Forward(weights_);

    const int64_t rows = walks_.steps * walks_.batch;
    double loss = LossOf(config_.place_field_loss)(target_.data(), pass_.output().data_ptr<float>(),
                                                   rows, config_.Np);
    const at::Tensor recurrent = weights_.recurrent.view(-1);
    loss += config_.weight_decay * at::dot(recurrent, recurrent).item<double>();
    if (!std::isfinite(loss)) return StepResult{loss, false};

    pass_.Backward(weights_, gradient_);
    ++step_;
    const auto weights = weights_.All();
    const auto gradients = gradient_.All();
    for (size_t i = 0; i < weights.size(); ++i) {
      Optimizer::Options options{.learning_rate = config_.learning_rate};
      if (weights[i] == &weights_.recurrent) options.weight_decay = config_.weight_decay;
      if (config_.gradient_clip_scope == science::ClipScope::kAll ||
          weights[i] == &weights_.readout) {
        options.clip = config_.gradient_clip;
      }
      optimizers_[i].Step(options, step_, Values(*gradients[i]), Values(*weights[i]));
    }
    return StepResult{loss, true};
  }

  const science::RunConfig& config() const { return config_; }
  const ReadoutMap& readout() const { return readout_; }
  const RnnWeights& weights() const { return weights_; }
  uint64_t step() const { return step_; }

 private:
  const science::RunConfig config_;
  const ReadoutMap readout_;
  RnnWeights weights_, gradient_;
  std::vector<Optimizer> optimizers_;
  RnnPass pass_;
  Walks walks_;
  std::vector<float> target_;
  uint64_t step_ = 0;
};

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(const science::RunConfig& config) {
  if (absl::Status status = CanTrain(config); !status.ok()) return status;
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
    return EvaluateNetwork(impl_->config(), impl_->readout(), impl_->weights(), on_batch);
  });
}

ReadoutParameters Trainer::readout_parameters() const { return impl_->readout().parameters(); }

KernelSquares Trainer::kernel_squares() const {
  const RnnWeights& weights = impl_->weights();
  return {SumOfSquares(weights.input), SumOfSquares(weights.recurrent)};
}

}  // namespace gridsweep::integrator
