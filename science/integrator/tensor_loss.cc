#include "science/integrator/tensor_loss.h"

#include "science/integrator/loss.h"

namespace gridsweep::integrator {
namespace {

double SumOf(const at::Tensor& terms) { return terms.sum(at::kDouble).item<double>(); }

// Equations as in loss.h.
double CrossEntropy(const at::Tensor& y, at::Tensor& logits) {
  const auto rows = static_cast<double>(logits.size(0));
  const at::Tensor logarithm = logits.log_softmax(1);
  const double loss = -SumOf(y * logarithm) / rows;
  at::sub_out(logits, logarithm.exp() * y.sum(1, /*keepdim=*/true), y);
  logits.mul_(1 / rows);
  return loss;
}

double BinaryCrossEntropy(const at::Tensor& y, at::Tensor& logits) {
  const auto n = static_cast<double>(logits.numel());
  const at::Tensor terms = logits.clamp_min(0) - logits * y + logits.abs().neg().exp().log1p();
  logits.sigmoid_().sub_(y).mul_(1 / n);
  return SumOf(terms) / n;
}

double MeanSquaredError(const at::Tensor& y, at::Tensor& predicted) {
  const auto n = static_cast<double>(predicted.numel());
  const double loss = SumOf(predicted.sub_(y).square()) / n;
  predicted.mul_(2 / n);
  return loss;
}

double PolarSquaredError(const at::Tensor& y, at::Tensor& predicted) {
  const auto rows = static_cast<double>(predicted.size(0));
  const at::Tensor target = y.to(at::kDouble), output = predicted.to(at::kDouble);
  const at::Tensor r = target.select(1, 0), predicted_r = output.select(1, 0);
  const at::Tensor angle = target.select(1, 1) - output.select(1, 1), cosine = angle.cos();
  predicted.select(1, 0).copy_((predicted_r - r * cosine) * (2 / rows));
  predicted.select(1, 1).copy_(r * predicted_r * angle.sin() * (-2 / rows));
  return SumOf(r * r + predicted_r * predicted_r - 2 * r * predicted_r * cosine) / rows;
}

}  // namespace

double LossAndGradient(science::Loss loss, std::vector<float>& target, at::Tensor& predicted) {
  if (predicted.is_cpu()) {
    return LossOf(loss)(target.data(), predicted.data_ptr<float>(), predicted.size(0),
                        predicted.size(1));
  }
  const at::Tensor y =
      at::from_blob(target.data(), predicted.sizes(), at::TensorOptions().dtype(at::kFloat));
  return TensorLoss(loss, y.to(predicted.device()), predicted);
}

double TensorLoss(science::Loss loss, const at::Tensor& target, at::Tensor& predicted) {
  switch (loss) {
    case science::Loss::kMse:
      return MeanSquaredError(target, predicted);
    case science::Loss::kPolarMse:
      return PolarSquaredError(target, predicted);
    case science::Loss::kCrossEntropy:
      return CrossEntropy(target, predicted);
    case science::Loss::kBinaryCrossEntropy:
      return BinaryCrossEntropy(target, predicted);
  }
  return MeanSquaredError(target, predicted);
}

}  // namespace gridsweep::integrator
