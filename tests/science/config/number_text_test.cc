#include "science/config/number_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace gridsweep::science {
namespace {

// RFC 8785, appendix B, and the edges between JavaScript's three notations.
TEST(NumberText, IsWhatJavaScriptPrints) {
  const struct {
    double value;
    const char* text;
  } cases[] = {
      {0, "0"},
      {-0.0, "0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {1.0 / 3, "0.3333333333333333"},
      {0.0001, "0.0001"},
      {1e-6, "0.000001"},
      {9.5e-7, "9.5e-7"},
      {1e-7, "1e-7"},
      {-1e-7, "-1e-7"},
      {5e-324, "5e-324"},
      {-5e-324, "-5e-324"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {9007199254740992, "9007199254740992"},
      {9007199254740994, "9007199254740994"},
      {333333333.33333329, "333333333.3333333"},
      {0x1p68, "295147905179352830000"},
      {999999999999999900000.0, "999999999999999900000"},
      {1e21, "1e+21"},
      {1e22, "1e+22"},
      {9.999999999999997e22, "9.999999999999997e+22"},
      {1e23, "1e+23"},
      {1424953923781206.2, "1424953923781206.2"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(NumberText(value), text);
}

TEST(NumberText, ReadsBackAsTheSameNumberWithTheFewestDigits) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value) || value == 0) continue;
    const std::string text = NumberText(value);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    std::string digits;  // the significant ones
    for (char c : text.substr(0, text.find('e'))) {
      if (c >= '0' && c <= '9' && !(digits.empty() && c == '0')) digits += c;
    }
    digits.resize(digits.find_last_not_of('0') + 1);
    if (digits.size() < 2) continue;
    char shorter[40];
    std::snprintf(shorter, sizeof(shorter), "%.*e", static_cast<int>(digits.size()) - 2, value);
    ASSERT_NE(std::strtod(shorter, nullptr), value) << text << " and " << shorter;
  }
}

TEST(Tidy, TakesRoundingNoiseAwayAndLeavesWholeNumbersAlone) {
  EXPECT_EQ(Tidy(0.1 + 0.2), 0.3);
  EXPECT_EQ(Tidy(3 * 0.1), 0.3);
  EXPECT_EQ(Tidy(-0.1 - 0.2), -0.3);
  EXPECT_EQ(Tidy(1.1 * 1.1), 1.21);
  EXPECT_EQ(Tidy(9007199254740991), 9007199254740991);
  EXPECT_EQ(Tidy(1234567890123456), 1234567890123456);
  EXPECT_EQ(Tidy(0), 0);
  EXPECT_EQ(Tidy(5e-324), 5e-324);
}

}  // namespace
}  // namespace gridsweep::science
