#include "science/integrator/network.h"

#include <gtest/gtest.h>

#include <cmath>

#include "science/integrator/loss.h"
#include "science/integrator/philox.h"

namespace gridsweep::integrator {
namespace {

using science::Activation;

constexpr int64_t kUnits = 7, kOutputs = 5, kSteps = 4, kBatch = 3;

at::Tensor Normals(at::IntArrayRef shape, uint64_t which, double scale) {
  at::Tensor values = at::empty(shape, at::kDouble);
  const Random random(1, Stream::kWeights, which);
  for (int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<double>()[i] = scale * random.Normal(static_cast<uint64_t>(i));
  }
  return values;
}

RnnWeights SomeWeights() {
  return {Normals({kOutputs, kUnits}, 0, 0.7), Normals({2, kUnits}, 1, 0.7),
          Normals({kUnits, kUnits}, 2, 0.5), Normals({kUnits, kOutputs}, 3, 0.7)};
}

RnnPass SomePass(const RnnWeights& weights, Activation activation) {
  RnnPass pass(weights, activation, kSteps, kBatch);
  pass.start().copy_(Normals({kBatch, kOutputs}, 4, 1));
  pass.velocity().copy_(Normals({kSteps * kBatch, 2}, 5, 1));
  return pass;
}

double Phi(Activation activation, double x) {
  switch (activation) {
    case Activation::kRelu:
      return x > 0 ? x : 0;
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
    default:
      return x;
  }
}

class Rnn : public testing::TestWithParam<Activation> {};
INSTANTIATE_TEST_SUITE_P(Activations, Rnn,
                         testing::Values(Activation::kRelu, Activation::kTanh, Activation::kSigmoid,
                                         Activation::kLinear));

TEST_P(Rnn, ForwardAgreesWithPlainLoops) {
  const RnnWeights w = SomeWeights();
  RnnPass pass = SomePass(w, GetParam());
  pass.Forward(w);
  auto value = [](const at::Tensor& m, int64_t i, int64_t j) { return m[i][j].item<double>(); };
  for (int64_t b = 0; b < kBatch; ++b) {
    std::vector<double> h(kUnits, 0);
    for (int64_t u = 0; u < kUnits; ++u) {
      for (int64_t i = 0; i < kOutputs; ++i) {
        h[static_cast<size_t>(u)] += value(pass.start(), b, i) * value(w.encoder, i, u);
      }
    }
    for (int64_t t = 0; t < kSteps; ++t) {
      const int64_t row = t * kBatch + b;
      std::vector<double> next(kUnits, 0);
      for (int64_t u = 0; u < kUnits; ++u) {
        double x = 0;
        for (int64_t i = 0; i < 2; ++i) x += value(pass.velocity(), row, i) * value(w.input, i, u);
        for (int64_t i = 0; i < kUnits; ++i) {
          x += h[static_cast<size_t>(i)] * value(w.recurrent, i, u);
        }
        next[static_cast<size_t>(u)] = Phi(GetParam(), x);
        EXPECT_NEAR(value(pass.units(), row, u), Phi(GetParam(), x), 1e-12);
      }
      h = next;
      for (int64_t o = 0; o < kOutputs; ++o) {
        double y = 0;
        for (int64_t u = 0; u < kUnits; ++u) {
          y += h[static_cast<size_t>(u)] * value(w.readout, u, o);
        }
        EXPECT_NEAR(value(pass.output(), row, o), y, 1e-12);
      }
    }
  }
}

// The loss is a fixed random combination of the outputs, plus half their squares.
TEST_P(Rnn, BackwardAgreesWithFiniteDifferences) {
  RnnWeights w = SomeWeights();
  const at::Tensor mix = Normals({kSteps * kBatch, kOutputs}, 6, 1);
  auto loss = [&] {
    RnnPass pass = SomePass(w, GetParam());
    pass.Forward(w);
    return ((pass.output() * mix).sum() + 0.5 * pass.output().square().sum()).item<double>();
  };
  RnnPass pass = SomePass(w, GetParam());
  pass.Forward(w);
  pass.output().add_(mix);
  RnnWeights gradient = EmptyLike(w);
  pass.Backward(w, gradient);
  for (size_t k = 0; k < 4; ++k) {
    double* theta = w.All()[k]->data_ptr<double>();
    for (int64_t i = 0; i < w.All()[k]->numel(); ++i) {
      const double kept = theta[i];
      theta[i] = kept + 1e-6;
      const double up = loss();
      theta[i] = kept - 1e-6;
      const double down = loss();
      theta[i] = kept;
      const double slope = (up - down) / 2e-6;
      EXPECT_NEAR(gradient.All()[k]->data_ptr<double>()[i], slope, 1e-6 * (1 + std::abs(slope)))
          << "matrix " << k << " element " << i;
    }
  }
}

// A whole step in float32, cross-entropy included, against LibTorch's autograd in
// float64.
TEST_P(Rnn, GradientOfTheTrainingLossAgreesWithAutograd) {
  RnnWeights reference = SomeWeights();
  RnnPass inputs = SomePass(reference, GetParam());
  const at::Tensor target =
      Normals({kSteps * kBatch, kOutputs}, 7, 1).softmax(1).to(at::kFloat).to(at::kDouble);

  RnnWeights w;
  for (size_t k = 0; k < 4; ++k) {
    *w.All()[k] = reference.All()[k]->to(at::kFloat);
    *reference.All()[k] = w.All()[k]->to(at::kDouble).set_requires_grad(true);
  }
  RnnPass pass(w, GetParam(), kSteps, kBatch);
  pass.start().copy_(inputs.start());
  pass.velocity().copy_(inputs.velocity());
  pass.Forward(w);
  const at::Tensor y = target.to(at::kFloat);
  const double loss =
      CrossEntropy(y.data_ptr<float>(), pass.output().data_ptr<float>(), kSteps * kBatch, kOutputs);
  RnnWeights gradient = EmptyLike(w);
  pass.Backward(w, gradient);

  at::Tensor h = pass.start().to(at::kDouble).matmul(reference.encoder);
  at::Tensor expected_loss = at::zeros({}, at::kDouble);
  for (int64_t t = 0; t < kSteps; ++t) {
    const at::Tensor v = pass.velocity().narrow(0, t * kBatch, kBatch).to(at::kDouble);
    h = v.matmul(reference.input) + h.matmul(reference.recurrent);
    if (GetParam() == Activation::kRelu) h = h.relu();
    if (GetParam() == Activation::kTanh) h = h.tanh();
    if (GetParam() == Activation::kSigmoid) h = h.sigmoid();
    const at::Tensor log_p = h.matmul(reference.readout).log_softmax(1);
    expected_loss =
        expected_loss - (target.narrow(0, t * kBatch, kBatch) * log_p).sum() / (kSteps * kBatch);
  }
  expected_loss.backward();
  EXPECT_NEAR(loss, expected_loss.item<double>(), 1e-5);
  for (size_t k = 0; k < 4; ++k) {
    const at::Tensor& expected = reference.All()[k]->grad();
    const double difference =
        (gradient.All()[k]->to(at::kDouble) - expected).abs().max().item<double>();
    EXPECT_LT(difference, 1e-5 * (1 + expected.abs().max().item<double>())) << "matrix " << k;
  }
}

// Evaluation runs other lengths with the same weights.
TEST(RnnPass, AShorterPassIsTheBeginningOfALongerOne) {
  const RnnWeights w = SomeWeights();
  RnnPass pass = SomePass(w, Activation::kTanh);
  RnnPass shorter(w, Activation::kTanh, 2, kBatch);
  shorter.start().copy_(pass.start());
  shorter.velocity().copy_(pass.velocity().narrow(0, 0, 2 * kBatch));
  pass.Forward(w);
  shorter.Forward(w);
  EXPECT_LT((shorter.output() - pass.output().narrow(0, 0, 2 * kBatch)).abs().max().item<double>(),
            1e-14);
}

}  // namespace
}  // namespace gridsweep::integrator
