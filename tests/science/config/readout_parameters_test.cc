#include <gtest/gtest.h>

#include "science/config/parameters.h"

namespace gridsweep::science {
namespace {

TEST(ReadoutOf, KeepsTheReadoutAndSetsTheRestAside) {
  RunConfig a, b;
  for (RunConfig* config : {&a, &b}) {
    config->place_field_values = Readout::kGeneralDifferenceOfGaussians;
    config->place_cell_rf = Draw::Uniform(0.06, 0.2);
    config->place_cell_alpha_e = 1;
    config->place_cell_alpha_i = 0.4;
    config->is_periodic = true;
  }
  b.seed = 7;
  b.Ng = 64;
  b.activation = Activation::kTanh;
  b.eval_batches = 9;
  EXPECT_EQ(ReadoutOf(a), ReadoutOf(b));
  EXPECT_EQ(ReadoutOf(b).place_cell_rf, Draw::Uniform(0.06, 0.2));
  EXPECT_EQ(ReadoutOf(b).place_cell_alpha_i, 0.4);
  EXPECT_TRUE(ReadoutOf(b).is_periodic);
  b.Np = 100;
  EXPECT_NE(ReadoutOf(a), ReadoutOf(b));
}

TEST(ReadoutOf, WhatAReadoutDoesNotUseDoesNotTellItApart) {
  RunConfig a, b;
  a.place_field_values = b.place_field_values = Readout::kGaussian;
  b.surround_scale = Draw::Constant(0);
  b.place_cell_alpha_e = 2;
  EXPECT_EQ(ReadoutOf(a), ReadoutOf(b));
  b.place_cell_rf = Draw::Constant(0.2);
  EXPECT_NE(ReadoutOf(a), ReadoutOf(b));
  a.place_field_values = b.place_field_values = Readout::kCartesian;
  EXPECT_EQ(ReadoutOf(a), ReadoutOf(b));
}

TEST(ReadoutOf, NamesAreParameters) {
  for (const std::string_view name : ReadoutParameterNames()) {
    EXPECT_NE(FindParameter(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace gridsweep::science
