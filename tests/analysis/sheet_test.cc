#include "analysis/sheet/ratemap_sheet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "analysis/sheet/canvas.h"
#include "tests/analysis/picture.h"

namespace gridsweep::analysis {
namespace {

std::vector<float> Waves(int side, double k) {
  std::vector<float> map;
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) {
      map.push_back(static_cast<float>(std::cos(k * i) + std::cos(k * (0.5 * i + 0.866 * j)) +
                                       std::cos(k * (0.5 * i - 0.866 * j))));
    }
  }
  return map;
}

// The legend's share of pixels: each end of its colours, and its patch of grey.
constexpr int kLegendEnd = 7, kLegendPatch = 7 * 7;

TEST(Canvas, RoundTripsThroughPng) {
  Canvas canvas(30, 20, {255, 255, 255});
  canvas.Fill(28, 18, 10, 10, {1, 2, 3});  // the rest is outside
  const auto png = canvas.Png();
  ASSERT_TRUE(png.ok());
  const Picture picture = Decode(*png);
  EXPECT_EQ(picture.width, 30);
  EXPECT_EQ(picture.height, 20);
  EXPECT_EQ(picture.At(29, 19), (Rgb{1, 2, 3}));
  EXPECT_EQ(picture.At(27, 19), (Rgb{255, 255, 255}));
  EXPECT_EQ(picture.Count({1, 2, 3}), 4);
}

TEST(Canvas, DrawsLettersFromTheirPixels) {
  Canvas canvas(12, 8, {255, 255, 255});
  canvas.Text(0, 0, "L-", 1, {0, 0, 0});
  const Picture picture = Decode(*canvas.Png());
  EXPECT_EQ(picture.Count({0, 0, 0}), 7 + 4 + 5);
  EXPECT_EQ(picture.At(0, 0), (Rgb{0, 0, 0}));
  EXPECT_EQ(picture.At(4, 0), (Rgb{255, 255, 255}));
}

TEST(RatemapSheet, ShowsExtremesAndUnvisitedBinsWhereTheyLie) {
  std::vector<float> map(20 * 20, 0.5f);
  map[0] = NAN;           // x 0, y 0: bottom left
  map[19 * 20] = 1;       // x 19, y 0: bottom right
  map[19 * 20 + 19] = 0;  // x 19, y 19: top right
  const auto png =
      DrawRatemapSheet("sweep 3 quickstart", 20,
                       {{.run_id = 1, .unit = 2, .heading = "DoS", .score = {}, .ratemap = map}});
  ASSERT_TRUE(png.ok()) << png.status().ToString();
  const Picture picture = Decode(*png);
  constexpr int kBin = 6 * 6;  // pixels of a bin of a 20 x 20 map
  EXPECT_EQ(picture.Count({216, 216, 216}), kBin + kLegendPatch);
  EXPECT_EQ(picture.Count({253, 231, 37}), kBin + kLegendEnd);
  EXPECT_EQ(picture.Count({68, 1, 84}), kBin + kLegendEnd);
  const int left = 16, right = 16 + 20 * 6 - 1, bottom = picture.height - 16 - 7 - 12 - 1;
  EXPECT_EQ(picture.At(left, bottom), (Rgb{216, 216, 216}));
  EXPECT_EQ(picture.At(right, bottom), (Rgb{253, 231, 37}));
  EXPECT_EQ(picture.At(right, bottom - 19 * 6), (Rgb{68, 1, 84}));
}

TEST(RatemapSheet, AConstantOrSilentMapIsDrawnInOneColour) {
  const auto png = DrawRatemapSheet("sweep 3 quickstart", 20,
                                    {{.run_id = 1,
                                      .unit = 0,
                                      .heading = "DoS",
                                      .score = {},
                                      .ratemap = std::vector<float>(400, 3)},
                                     {.run_id = 1,
                                      .unit = 1,
                                      .heading = "DoS",
                                      .score = {},
                                      .ratemap = std::vector<float>(400, NAN)}});
  ASSERT_TRUE(png.ok());
  const Picture picture = Decode(*png);
  EXPECT_EQ(picture.Count({68, 1, 84}), 120 * 120 + kLegendEnd);
  EXPECT_EQ(picture.Count({216, 216, 216}), 120 * 120 + kLegendPatch);
}

TEST(RatemapSheet, GrowsWithItsGroups) {
  std::vector<Tile> tiles;
  for (int i = 0; i < 14; ++i) {
    tiles.push_back({.run_id = 100 + i,
                     .unit = static_cast<uint32_t>(37 * i),
                     .heading = i % 3 == 0   ? "DoS multi-scale"
                                : i % 3 == 1 ? "Gaussian"
                                             : "Polar High Dim",
                     .score = i == 5 ? std::nullopt : std::optional(1.3 - 0.11 * i),
                     .ratemap = Waves(44, 0.3 + 0.03 * i)});
    if (i >= 0) tiles.back().autocorrelogram = Waves(87, 0.2 + 0.03 * i);
  }
  const auto png = DrawRatemapSheet("sweep 3 quickstart", 44, tiles);
  ASSERT_TRUE(png.ok());
  // For a look: GRIDSWEEP_KEEP_SHEET=file.
  if (const char* keep = std::getenv("GRIDSWEEP_KEEP_SHEET")) std::ofstream(keep) << *png;
  const Picture all = Decode(*png);
  tiles.resize(1);
  const Picture one = Decode(*DrawRatemapSheet("sweep 3 quickstart", 44, tiles));
  EXPECT_GT(one.width, 44 * 3 + 87);
  EXPECT_EQ(all.width, 2 * 16 + 5 * (44 * 3 + 4 + 87 + 12) - 12);
  EXPECT_GT(all.height, 3 * 44 * 3);
  EXPECT_FALSE(DrawRatemapSheet("sweep 3 quickstart", 44, {}).ok());
}

}  // namespace
}  // namespace gridsweep::analysis
