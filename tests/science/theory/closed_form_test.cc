#include "science/theory/closed_form.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace gridsweep::theory {
namespace {

using science::Draw;
using science::Normalization;
using science::Readout;
using science::RunConfig;

// The Fourier transform of a radial function in the plane, / (2 pi sigma^2), by
// a Riemann sum over r: integral of f(r) J0(k r) r dr.
double NumericTransform(const DifferenceOfGaussians& d, double k) {
  const double step = d.sigma / 50;
  double sum = 0;
  for (double r = step / 2; r < 8 * d.s * d.sigma; r += step) {
    const double f = d.alpha_e * std::exp(-r * r / (2 * d.sigma * d.sigma)) -
                     d.alpha_i * std::exp(-r * r / (2 * d.s * d.s * d.sigma * d.sigma));
    sum += f * std::cyl_bessel_j(0, k * r) * r * step;
  }
  return sum / (d.sigma * d.sigma);
}

// Where `f` is largest on [0, limit].
double ArgMax(const std::function<double(double)>& f, double limit) {
  double best = 0;
  for (double k = 0; k <= limit; k += limit / 500) {
    if (f(k) > f(best)) best = k;
  }
  return best;
}

constexpr DifferenceOfGaussians kDifferences[] = {
    {1, 1, 0.12, 2},                                                 // equal heights
    {1, 0.25, 0.12, 2},                                              // equal volumes
    {1, 1 / 2.25, 0.2, 1.5}, {1.3, 0.2, 0.08, 3}, {1, 0.1, 0.1, 2},  // between 1/s^4 and 1/s^2
    {1, 0.05, 0.1, 2},                                               // below 1/s^4: largest at 0
};

TEST(DifferenceOfGaussians, TransformIsTheIntegral) {
  for (const auto& d : kDifferences) {
    for (const double k : {0.0, 3.0, 8.0, 20.0}) {
      EXPECT_NEAR(d.Transform(k), NumericTransform(d, k), 2e-4 * (d.alpha_e + d.s * d.s));
    }
  }
}

TEST(DifferenceOfGaussians, SignedMaximumIsWhereTheTransformIsLargest) {
  for (const auto& d : kDifferences) {
    const double found = ArgMax([&](double k) { return NumericTransform(d, k); }, 4 / d.sigma);
    const auto formula = d.SignedMaximum();
    if (d.alpha_i * std::pow(d.s, 4) <= d.alpha_e) {
      EXPECT_FALSE(formula);
      EXPECT_EQ(found, 0);
    } else {
      EXPECT_NEAR(*formula, found, 0.01 / d.sigma);
    }
  }
}

TEST(DifferenceOfGaussians, DominatesWhereItsSquareIsLargestToo) {
  for (double alpha_i = 0.02; alpha_i < 1.2; alpha_i += 0.01) {
    const DifferenceOfGaussians d{1, alpha_i, 0.1, 2};
    // Away from k = 0, where both may be equal: the first sample is 0 itself.
    const double largest = ArgMax([&](double k) { return std::abs(d.Transform(k)); }, 4 / d.sigma);
    EXPECT_EQ(d.SignedMaximumDominates(), largest > 0) << alpha_i;
  }
}

RunConfig Config(Readout readout, double sigma = 0.12, double ratio = 2) {
  RunConfig config;
  config.place_field_values = readout;
  config.place_cell_rf = Draw::Constant(sigma);
  config.surround_scale = Draw::Constant(ratio);
  return config;
}

TEST(ClosedForms, EachReadoutHasTheFormOfItsHeights) {
  const double ln2 = std::log(2), unit = 3 * 0.12 * 0.12;
  const ClosedForms dos = ClosedFormsOf(Config(Readout::kDifferenceOfGaussians));
  EXPECT_NEAR(*dos.wavenumber, std::sqrt(4 * ln2 / unit), 1e-12);
  EXPECT_TRUE(dos.dominates);
  const ClosedForms dog = ClosedFormsOf(Config(Readout::kTrueDifferenceOfGaussians));
  EXPECT_NEAR(*dog.wavenumber, std::sqrt(8 * ln2 / unit), 1e-12);
  EXPECT_FALSE(dog.dominates);
  for (const ClosedForms& forms : {dos, dog}) {
    EXPECT_NEAR(*forms.equal_heights, *dog.wavenumber, 1e-12);
    EXPECT_NEAR(*forms.equal_volumes, *dos.wavenumber, 1e-12);
  }
  RunConfig general = Config(Readout::kGeneralDifferenceOfGaussians);
  general.place_cell_alpha_e = 2;
  general.place_cell_alpha_i = 0.5;
  EXPECT_NEAR(*ClosedFormsOf(general).wavenumber, std::sqrt(2 * std::log(16 * 0.25) / unit), 1e-12);
  // Without a softmax the name says what it is.
  RunConfig plain = Config(Readout::kDifferenceOfGaussians);
  plain.place_field_normalization = Normalization::kNone;
  EXPECT_EQ(ClosedFormsOf(plain).wavenumber, dog.wavenumber);
}

TEST(ClosedForms, AVarianceRatioIsTheSquareOfAWidthRatio) {
  RunConfig config = Config(Readout::kDifferenceOfGaussians, 0.12, 4);
  config.surround_is_variance_ratio = true;
  EXPECT_DOUBLE_EQ(*ClosedFormsOf(config).wavenumber,
                   *ClosedFormsOf(Config(Readout::kDifferenceOfGaussians)).wavenumber);
}

TEST(ClosedForms, ThePublishedFormulaIsThatOfOneDimension) {
  constexpr double kSigma = 0.12, kS = 2;
  // The transform on a line of exp(-x^2/2 sigma^2) - exp(-x^2/2 (s sigma)^2).
  const auto on_a_line = [](double k) {
    double sum = 0;
    for (double x = -3; x <= 3; x += 0.002) {
      sum += (std::exp(-x * x / (2 * kSigma * kSigma)) -
              std::exp(-x * x / (2 * kS * kS * kSigma * kSigma))) *
             std::cos(k * x);
    }
    return sum;
  };
  const auto forms = ClosedFormsOf(Config(Readout::kTrueDifferenceOfGaussians, kSigma, kS));
  EXPECT_NEAR(*forms.published_one_dimensional, ArgMax(on_a_line, 30), 0.1);
}

TEST(ClosedForms, ThereIsNoneWithoutASurroundOrWithDrawnWidths) {
  EXPECT_FALSE(ClosedFormsOf(Config(Readout::kGaussian)).wavenumber);
  EXPECT_FALSE(ClosedFormsOf(Config(Readout::kSoftmaxOfDifferences)).published_one_dimensional);
  RunConfig drawn = Config(Readout::kDifferenceOfGaussians);
  drawn.place_cell_rf = Draw::Uniform(0.06, 0.18);
  EXPECT_FALSE(ClosedFormsOf(drawn).equal_volumes);
}

}  // namespace
}  // namespace gridsweep::theory
