#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "science/config/parameters.h"

namespace gridsweep::science {
namespace {

TEST(Draw, IsPrintedInThePublishedForm) {
  EXPECT_EQ(DrawText(Draw::Uniform(0.06, 0.18)), "Uniform( 0.06 , 0.18 )");
  EXPECT_EQ(DrawText(Draw::Uniform(0.06, 1)), "Uniform( 0.06 , 1.0 )");
  EXPECT_EQ(DrawText(Draw::Uniform(1.25, 4.50)), "Uniform( 1.25 , 4.5 )");
  EXPECT_EQ(DrawText(Draw::Poisson(3)), "Poisson( 3.0 )");
  EXPECT_EQ(DrawText(Draw::Poisson(1e22)), "Poisson( 1e+22 )");
  EXPECT_EQ(DrawText(Draw::Constant(0.12)), "0.12");
  EXPECT_EQ(DrawText(Draw::Constant(1)), "1");
  EXPECT_EQ(DrawText(Draw::Constant(-0.0)), "0");
}

TEST(Draw, IsReadWithAnyBlanks) {
  for (const char* text : {"Uniform( 0.06 , 0.18 )", "Uniform(0.06,0.18)", " Uniform (0.06 ,0.18) ",
                           "Uniform(\t6e-2 , +0.180)"}) {
    EXPECT_EQ(ParseDraw(text), Draw::Uniform(0.06, 0.18)) << text;
  }
  for (const char* text : {"Poisson( 3.0 )", "Poisson(3)", "  Poisson( +3 )  "}) {
    EXPECT_EQ(ParseDraw(text), Draw::Poisson(3)) << text;
  }
  EXPECT_EQ(ParseDraw("0.12"), Draw::Constant(0.12));
  EXPECT_EQ(ParseDraw(" -1 "), Draw::Constant(-1));
}

TEST(Draw, IsNotReadFromOtherText) {
  for (const char* text : {"",
                           " ",
                           "Uniform",
                           "Uniform(",
                           "Uniform( 0.1 )",
                           "Uniform( 0.1 , )",
                           "Uniform( 0.1 0.2 )",
                           "Uniform( 0.1 , 0.2",
                           "Uniform( 0.1 , 0.2 ) x",
                           "Uniform( 0.1 , 0.2 , 0.3 )",
                           "uniform( 0.1 , 0.2 )",
                           "Poisson( 3.0 , 1 )",
                           "Poisson()",
                           "Uniform( nan , 1 )",
                           "Poisson( inf )",
                           "Normal( 0 , 1 )",
                           "0.1 0.2",
                           "0.1x",
                           "nan",
                           "1e999",
                           "++1"}) {
    EXPECT_EQ(ParseDraw(text), std::nullopt) << text;
  }
}

TEST(Draw, SurvivesItsText) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> mantissa(-1, 1);
  std::uniform_int_distribution<int> exponent(-300, 300);
  const auto number = [&] { return std::ldexp(mantissa(random), exponent(random)); };
  for (int i = 0; i < 10'000; ++i) {
    const double a = number(), b = number();
    for (const Draw& draw : {Draw::Constant(a), Draw::Uniform(a, b), Draw::Poisson(a)}) {
      ASSERT_EQ(ParseDraw(DrawText(draw)), draw) << DrawText(draw);
    }
  }
}

TEST(Draw, KnowsTheBoundsOfWhatIsDrawn) {
  EXPECT_EQ(Draw::Constant(0.3).Low(), 0.3);
  EXPECT_EQ(Draw::Constant(0.3).High(), 0.3);
  EXPECT_EQ(Draw::Uniform(0.1, 0.3).Low(), 0.1);
  EXPECT_EQ(Draw::Uniform(0.1, 0.3).High(), 0.3);
  EXPECT_EQ(Draw::Poisson(3).Low(), 1);  // 1 + Poisson(3) fields
}

}  // namespace
}  // namespace gridsweep::science
