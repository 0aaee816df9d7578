// The training losses, fused with their gradients.
#pragma once

#include <cstdint>

#include "science/config/run_config.h"

namespace gridsweep::integrator {

// Each takes `rows` x `outputs` arrays, returns the loss, and replaces `predicted`
// by the gradient of the loss with respect to it. A non-finite prediction gives a
// non-finite loss. Source: docs/science.md.
using LossFunction = double (*)(const float* target, float* predicted, int64_t rows,
                                int64_t outputs);

// Mean over rows of -sum_i y_i log softmax(logits)_i, from the logits (by
// log-sum-exp: log(softmax) would underflow).
double CrossEntropy(const float* target, float* predicted, int64_t rows, int64_t outputs);

// Mean over rows and outputs of -y log s - (1 - y) log(1 - s) with s = sigmoid(logit),
// from the logits.
double BinaryCrossEntropy(const float* target, float* predicted, int64_t rows, int64_t outputs);

// Mean over rows and outputs of (y - predicted)^2.
double MeanSquaredError(const float* target, float* predicted, int64_t rows, int64_t outputs);

// Rows of (r, theta), outputs 2: mean over rows of the squared distance of the two
// points, r^2 + r'^2 - 2 r r' cos(theta - theta').
double PolarSquaredError(const float* target, float* predicted, int64_t rows, int64_t outputs);

LossFunction LossOf(science::Loss loss);

}  // namespace gridsweep::integrator
