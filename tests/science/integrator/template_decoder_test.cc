#include "science/integrator/template_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "science/integrator/decoder.h"
#include "science/integrator/philox.h"
#include "science/integrator/trainer.h"

namespace gridsweep::integrator {
namespace {

using science::Loss;
using science::Normalization;
using science::Readout;
using science::RunConfig;

const bool kOneThread = [] {
  UseOneThreadPerSlot();
  return true;
}();

RunConfig ConfigOf(Readout readout, Loss loss) {
  RunConfig config;
  config.place_field_values = readout;
  config.place_field_loss = loss;
  config.Np = 100;
  config.place_cell_rf = science::Draw::Constant(0.2);
  return config;
}

std::vector<double> SomePositions(size_t n) {
  const Random random(2, Stream::kEval, 0);
  std::vector<double> positions;
  for (uint64_t i = 0; i < n; ++i) {
    const auto u = random.Uniforms(i);
    positions.insert(positions.end(), {(u[0] - 0.5) * 2.2, (u[1] - 0.5) * 2.2});
  }
  return positions;
}

at::Tensor TargetsOf(const ReadoutMap& readout, const std::vector<double>& positions) {
  at::Tensor targets = at::empty({static_cast<int64_t>(positions.size() / 2), readout.outputs()});
  readout.Targets(positions, targets.data_ptr<float>());
  return targets;
}

std::vector<double> Lattice() {
  std::vector<double> lattice;
  for (int i = 0; i < 88; ++i) {
    for (int j = 0; j < 88; ++j) {
      lattice.insert(lattice.end(), {-1.1 + (i + 0.5) * 0.025, -1.1 + (j + 0.5) * 0.025});
    }
  }
  return lattice;
}

class TemplateDecoderReadouts : public testing::TestWithParam<Readout> {};
INSTANTIATE_TEST_SUITE_P(Readouts, TemplateDecoderReadouts,
                         testing::Values(Readout::kGaussian, Readout::kDifferenceOfGaussians,
                                         Readout::kTrueDifferenceOfGaussians,
                                         Readout::kGeneralDifferenceOfGaussians,
                                         Readout::kSoftmaxOfDifferences));

// Under squared error the exact target finds the lattice point beside it, also where the
// published rule errs by a ring or across the box.
TEST_P(TemplateDecoderReadouts, FindExactTargetsToTheLattice) {
  RunConfig config = ConfigOf(GetParam(), Loss::kMse);
  config.place_cell_alpha_e = 1;
  config.place_cell_alpha_i = 2;
  for (const auto fields : {science::Draw::Constant(1), science::Draw::Poisson(2)}) {
    config.n_place_fields_per_cell = fields;
    const ReadoutMap readout(config);
    TemplateDecoder decoder(config, readout);
    const auto positions = SomePositions(100);
    std::vector<Vec2> decoded;
    decoder.Decode(TargetsOf(readout, positions), decoded);
    ASSERT_EQ(decoded.size(), 100u);
    for (size_t i = 0; i < 100; ++i) {
      const Vec2 p = {positions[2 * i], positions[2 * i + 1]};
      EXPECT_LT(Distance(BoxOf(config), decoded[i], p), 0.05) << i;
    }
  }
}

// Cross-entropy by its definition, in double, over the whole lattice: no lattice
// point may be better than the one chosen by more than rounding. Wide fields span
// few dimensions, narrow ones all.
class TemplateDecoderWidths : public testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(Widths, TemplateDecoderWidths, testing::Values(0.05, 0.2, 0.4));

TEST_P(TemplateDecoderWidths, MinimisesTheCrossEntropy) {
  RunConfig config = ConfigOf(Readout::kDifferenceOfGaussians, Loss::kCrossEntropy);
  config.place_cell_rf = science::Draw::Constant(GetParam());
  const ReadoutMap readout(config);
  TemplateDecoder decoder(config, readout);
  // Logits of a network that nearly knows: log targets plus noise.
  at::Tensor logits = (TargetsOf(readout, SomePositions(10)) + 1e-4).log();
  const Random random(9, Stream::kTrain, 0);
  for (int64_t i = 0; i < logits.numel(); ++i) {
    logits.data_ptr<float>()[i] +=
        static_cast<float>(0.2 * random.Normal(static_cast<uint64_t>(i)));
  }
  std::vector<Vec2> decoded;
  decoder.Decode(logits, decoded);

  const at::Tensor lattice = TargetsOf(readout, Lattice()).to(at::kDouble);
  const at::Tensor entropy = -lattice.matmul(logits.to(at::kDouble).log_softmax(1).t());
  for (int64_t row = 0; row < 10; ++row) {
    const Vec2 p = decoded[static_cast<size_t>(row)];
    const auto i = std::llround((p.x + 1.1) / 0.025 - 0.5),
               j = std::llround((p.y + 1.1) / 0.025 - 0.5);
    const double least = entropy.select(1, row).min().item<double>();
    EXPECT_NEAR(entropy[i * 88 + j][row].item<double>(), least, 2e-5);
  }
}

// Targets without a softmax do not sum to 1, so that the two cross-entropies differ.
TEST(TemplateDecoder, MinimisesTheBinaryCrossEntropy) {
  RunConfig config = ConfigOf(Readout::kGaussian, Loss::kBinaryCrossEntropy);
  config.place_field_normalization = Normalization::kNone;
  const ReadoutMap readout(config);
  TemplateDecoder decoder(config, readout);
  const at::Tensor y = TargetsOf(readout, SomePositions(10)).clamp(1e-3, 1 - 1e-3);
  const at::Tensor logits = (y / (1 - y)).log();
  std::vector<Vec2> decoded;
  decoder.Decode(logits, decoded);

  const at::Tensor lattice = TargetsOf(readout, Lattice()).to(at::kDouble);
  const at::Tensor s = logits.to(at::kDouble).sigmoid();
  const at::Tensor entropy =
      -(lattice.matmul(s.log().t()) + (1 - lattice).matmul((1 - s).log().t()));
  for (int64_t row = 0; row < 10; ++row) {
    const Vec2 p = decoded[static_cast<size_t>(row)];
    const auto i = std::llround((p.x + 1.1) / 0.025 - 0.5),
               j = std::llround((p.y + 1.1) / 0.025 - 0.5);
    const double least = entropy.select(1, row).min().item<double>();
    EXPECT_NEAR(entropy[i * 88 + j][row].item<double>(), least, 1e-4);
  }
}

}  // namespace
}  // namespace gridsweep::integrator
