// Adam as Keras (TensorFlow 2.8) computes it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gridsweep::integrator {

// The state for one parameter of `size` numbers. LibTorch's Adam has its epsilon
// under the bias correction; here it is added to the plain square root.
class Adam {
 public:
  explicit Adam(int64_t size) : mean_(size_t(size)), square_(size_t(size)) {}

  // theta -= learning_rate sqrt(1 - 0.999^t) / (1 - 0.9^t) m / (sqrt(v) + 1e-7),
  // for step t = 1, 2, ..., in one pass. The gradient used is
  // gradient + 2 weight_decay theta, cut to [-clip, clip] where clip > 0.
  struct Options {
    double learning_rate;
    double weight_decay = 0;
    double clip = 0;
  };
  void Step(const Options& options, uint64_t t, std::span<const float> gradient,
            std::span<float> theta);

 private:
  std::vector<float> mean_, square_;
};

}  // namespace gridsweep::integrator
