#include <gtest/gtest.h>

#include "science/config/parameters.h"

namespace gridsweep::science {
namespace {

struct Case {
  Readout readout;
  const char* family;
  bool place_cells = true, surround = true;
};
constexpr Case kCases[] = {
    {Readout::kCartesian, "Cartesian Low Dim", false, false},
    {Readout::kHighDimCartesian, "Cartesian High Dim", false, false},
    {Readout::kPolar, "Polar Low Dim", false, false},
    {Readout::kHighDimPolar, "Polar High Dim", false, false},
    {Readout::kGaussian, "Gaussian", true, false},
    {Readout::kDifferenceOfGaussians, "DoS"},
    {Readout::kTrueDifferenceOfGaussians, "DoG"},
    {Readout::kGeneralDifferenceOfGaussians, "General DoG"},
    {Readout::kSoftmaxOfDifferences, "SoD"},
};

TEST(ReadoutLabel, NamesEveryReadoutWithItsScalesAndFields) {
  const Draw widths[] = {Draw::Constant(0.12), Draw::Uniform(0.06, 0.18)};
  const Draw surrounds[] = {Draw::Constant(2), Draw::Uniform(1.25, 4.5)};
  const Draw fields[] = {Draw::Constant(1), Draw::Constant(3), Draw::Poisson(3)};
  int seen = 0;
  for (const Case& c : kCases) {
    for (const Draw& width : widths) {
      for (const Draw& surround : surrounds) {
        for (const Draw& field : fields) {
          RunConfig config;
          config.place_field_values = c.readout;
          config.place_cell_rf = width;
          config.surround_scale = surround;
          config.n_place_fields_per_cell = field;
          std::string label = c.family;
          // A distribution that the readout does not use changes nothing.
          const bool scales =
              (c.place_cells && width == widths[1]) || (c.surround && surround == surrounds[1]);
          if (scales) label += " multi-scale";
          if (c.place_cells && !(field == fields[0])) label += " multi-field";
          EXPECT_EQ(ReadoutLabel(config), label);
          EXPECT_EQ(ReadoutFamily(config), c.family);
          ++seen;
        }
      }
    }
  }
  EXPECT_EQ(seen, 108);
}

TEST(ReadoutLabel, TheFourPublishedFormsOfDoS) {
  RunConfig config;
  EXPECT_EQ(ReadoutLabel(config), "DoS");
  config.place_cell_rf = Draw::Uniform(0.06, 1);
  EXPECT_EQ(ReadoutLabel(config), "DoS multi-scale");
  config.n_place_fields_per_cell = Draw::Poisson(3);
  EXPECT_EQ(ReadoutLabel(config), "DoS multi-scale multi-field");
  config.place_cell_rf = Draw::Constant(0.12);
  EXPECT_EQ(ReadoutLabel(config), "DoS multi-field");
}

TEST(ReadoutLabel, ADifferenceOfGaussiansWithoutSoftmaxIsWhatItSays) {
  RunConfig config;
  config.place_field_normalization = Normalization::kNone;
  EXPECT_EQ(ReadoutLabel(config), "DoG");
  EXPECT_EQ(ReadoutFamily(config), "DoG");
  // The true one is one whatever the normalization.
  config.place_field_values = Readout::kTrueDifferenceOfGaussians;
  EXPECT_EQ(ReadoutFamily(config), "DoG");
  config.place_field_normalization = Normalization::kGlobal;
  EXPECT_EQ(ReadoutFamily(config), "DoG");
}

}  // namespace
}  // namespace gridsweep::science
