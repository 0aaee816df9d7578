#include "analysis/sheet/theory_sheet.h"

#include <gtest/gtest.h>

#include "tests/analysis/picture.h"

namespace gridsweep::analysis {
namespace {

constexpr Rgb kRing = {222, 130, 34}, kClosedForm = {190, 30, 45}, kZeroMode = {216, 216, 216};

TheoryRow RowOf(science::Readout readout, double width, int eigenmaps = 3) {
  science::RunConfig config;
  config.place_field_values = readout;
  config.place_cell_rf = science::Draw::Constant(width);
  return {"A readout", 55, *theory::PredictLattice(config, {.eigenmaps = eigenmaps}), {}};
}

// The legend's own patches, in pixels.
constexpr int kLegendRing = 7 * 7, kLegendClosedForm = 2 * 7, kLegendZeroMode = 7 * 7;

TEST(TheorySheet, MarksRingAndClosedFormWhereThereAreSome) {
  const Picture dos =
      Decode(*DrawTheorySheet({RowOf(science::Readout::kDifferenceOfGaussians, 0.12)}));
  const Picture dog =
      Decode(*DrawTheorySheet({RowOf(science::Readout::kTrueDifferenceOfGaussians, 0.12)}));
  const Picture gaussian = Decode(*DrawTheorySheet({RowOf(science::Readout::kGaussian, 0.12)}));
  // 2% of the maximum is 2.3 of 4 decades high.
  EXPECT_GT(dos.Count(kRing), dog.Count(kRing));
  EXPECT_GT(dog.Count(kRing), kLegendRing + 300);
  EXPECT_EQ(gaussian.Count(kRing), kLegendRing);
  EXPECT_GT(dos.Count(kClosedForm), kLegendClosedForm + 100);
  EXPECT_EQ(gaussian.Count(kClosedForm), kLegendClosedForm);
  // The spectrum's middle has no value: one bin of 4 x 4 pixels.
  for (const Picture& picture : {dos, dog, gaussian}) {
    EXPECT_EQ(picture.Count(kZeroMode), kLegendZeroMode + 16);
  }
}

TEST(TheorySheet, GrowsWithReadoutsEigenvectorsAndPatterns) {
  TheoryRow row = RowOf(science::Readout::kDifferenceOfGaussians, 0.12, 8);
  const Picture one = Decode(*DrawTheorySheet({row}));
  const Picture two = Decode(*DrawTheorySheet({row, RowOf(science::Readout::kGaussian, 0.12, 2)}));
  EXPECT_EQ(two.width, one.width);
  EXPECT_GT(two.height, one.height + 110);
  const std::vector<float> map(55 * 55, 1);
  row.patterns.push_back({"relu, units alone", {{"none", map}, {"none", map}}});
  row.patterns.push_back({"tanh, units alone", std::vector(40, PatternStrip::Unit{"none", map})});
  const Picture grown = Decode(*DrawTheorySheet({row}));
  EXPECT_EQ(grown.width, one.width) << "units that find no place are left out";
  EXPECT_GT(grown.height, one.height + 2 * 110);
  EXPECT_FALSE(DrawTheorySheet({}).ok());
}

}  // namespace
}  // namespace gridsweep::analysis
