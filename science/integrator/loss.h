// The training losses, fused with their gradients.
#pragma once

#include <cstdint>

namespace gridsweep::integrator {

// Both take `rows` x `outputs` arrays, return the loss, and replace `predicted`
// by the gradient of the loss with respect to it. A non-finite prediction gives a
// non-finite loss.

// Mean over rows of -sum_i y_i log softmax(logits)_i, from the logits (by
// log-sum-exp: log(softmax) would underflow).
double CrossEntropy(const float* target, float* predicted, int64_t rows, int64_t outputs);

// Mean over rows and outputs of (y - predicted)^2.
double MeanSquaredError(const float* target, float* predicted, int64_t rows, int64_t outputs);

}  // namespace gridsweep::integrator
