#include "science/integrator/training_walks.h"

#include <numeric>
#include <span>
#include <utility>

#include "science/integrator/philox.h"

namespace gridsweep::integrator {

TrainingWalks::TrainingWalks(const science::RunConfig& config)
    : box_(BoxOf(config)),
      seed_(config.seed),
      steps_(config.sequence_length),
      batch_(config.batch_size),
      fixed_(static_cast<uint64_t>(config.n_train_trajectories)) {}

void TrainingWalks::Draw(uint64_t step, Walks& walks) {
  if (fixed_ == 0) {
    DrawWalks(box_, Random(seed_, Stream::kTrain, step), steps_, batch_, walks);
    return;
  }
  const auto batch = static_cast<size_t>(batch_);
  const uint64_t steps_per_epoch = fixed_ / batch;
  Shuffle(step / steps_per_epoch);
  const auto numbers = std::span(order_).subspan(step % steps_per_epoch * batch, batch);
  DrawWalks(box_, Random(seed_, Stream::kTrain, 0), steps_, numbers, walks);
}

// Fisher and Yates, from the order 0, 1, 2, ... whatever the last epoch's was.
void TrainingWalks::Shuffle(uint64_t epoch) {
  if (!order_.empty() && epoch == epoch_) return;
  epoch_ = epoch;
  order_.resize(fixed_);
  std::iota(order_.begin(), order_.end(), 0);
  const Random random(seed_, Stream::kShuffle, epoch);
  for (uint64_t i = fixed_ - 1; i > 0; --i) {
    std::swap(order_[i], order_[random.Words(i)[0] * (i + 1) >> 32]);  // one of 0 .. i
  }
}

}  // namespace gridsweep::integrator
