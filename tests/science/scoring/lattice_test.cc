#include "science/scoring/lattice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace gridsweep::scoring {
namespace {

using std::numbers::pi;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kSide = 44;

struct Point {
  double x, y;
};

// A lattice of nodes node + i a + j b, |a| = |b| = spacing, 60 or 90 degrees apart, as seen from
// the centre of a box of 44 x 44 bins.
std::vector<double> Lattice(double spacing, double angle, Point node, bool square = false) {
  std::vector<double> map;
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kSide; ++j) {
      const double x = i - 21.5 - node.x, y = j - 21.5 - node.y;
      double sum = 0;
      if (square) {
        const double k = 2 * pi / spacing;
        sum = std::cos(k * (x * std::cos(angle) + y * std::sin(angle))) +
              std::cos(k * (y * std::cos(angle) - x * std::sin(angle)));
      } else {
        for (int w = 0; w < 3; ++w) {
          const double direction = angle + pi / 6 + w * pi / 3;
          sum += std::cos(4 * pi / (std::sqrt(3.0) * spacing) *
                          (x * std::cos(direction) + y * std::sin(direction)));
        }
      }
      map.push_back(std::max(0.0, sum));
    }
  }
  return map;
}

double Apart(double a, double b) {
  const double off = std::abs(a - b);
  return std::min(off, 1 - off);
}

Period PeaksAt(const std::vector<Point>& lags) {
  Period period{kNaN, kNaN, {}, {}};
  period.peaks_bins.fill({kNaN, kNaN});
  period.orientations_rad.fill(kNaN);
  for (size_t k = 0; k < lags.size(); ++k) {
    period.peaks_bins[k] = {lags[k].x, lags[k].y};
    period.orientations_rad[k] = std::atan2(lags[k].y, lags[k].x);
  }
  return period;
}

std::vector<Point> Ring(std::initializer_list<double> degrees) {
  std::vector<Point> lags;
  for (const double d : degrees)
    lags.push_back({10 * std::cos(d * pi / 180), 10 * std::sin(d * pi / 180)});
  return lags;
}

TEST(Lattice, PeaksAreWhereTheirOrientationsPoint) {
  const Period period = GridScorer(kSide).FindPeriod(Lattice(12, 0.3, {1, 2}));
  double sum = 0;
  for (int k = 0; k < 6; ++k) {
    const auto [x, y] = period.peaks_bins[k];
    EXPECT_DOUBLE_EQ(std::atan2(y, x), period.orientations_rad[k]);
    sum += std::hypot(x, y) / 6;
  }
  EXPECT_NEAR(sum, period.period_bins, 1e-12);
}

TEST(OrientationSpread, OfAHexagonIsNoneWhateverItsOrientation) {
  for (const double turn : {0.0, 17.0, 59.0}) {
    const auto period =
        PeaksAt(Ring({turn, turn + 60, turn + 120, turn + 180, turn + 240, turn + 300}));
    EXPECT_NEAR(OrientationSpread(period), 0, 1e-7);
  }
}

TEST(OrientationSpread, IsAboutTheStandardDeviationOfSmallDeviations) {
  // Deviations of +-3 and 0 degrees: variance 6 square degrees.
  const auto period = PeaksAt(Ring({10 + 3, 70 - 3, 130, 190 + 3, 250 - 3, 310}));
  EXPECT_NEAR(OrientationSpread(period) * 180 / pi, std::sqrt(6.0), 0.02);
}

TEST(OrientationSpread, OfASquareIsLarge) {
  const auto period = PeaksAt(Ring({0, 90, 180, 270, 45, 225}));
  // Angles 0, 30, 0, 30, 45, 45 modulo 60: vectors 1, -1, 1, -1, -i, -i of length 1/3 together.
  EXPECT_NEAR(OrientationSpread(period), std::sqrt(2 * std::log(3.0)) / 6, 1e-12);
}

TEST(OrientationSpread, NeedsSixPeaks) {
  EXPECT_TRUE(std::isnan(OrientationSpread(PeaksAt(Ring({0, 60, 120, 180})))));
  EXPECT_TRUE(std::isnan(OrientationSpread(PeaksAt({}))));
}

TEST(OrientationSpread, OfAMapsLatticeIsThatOfItsBins) {
  const GridScorer scorer(kSide);
  EXPECT_LT(OrientationSpread(scorer.FindPeriod(Lattice(14, 0.3, {0, 0}))), 0.05);
  EXPECT_GT(OrientationSpread(scorer.FindPeriod(Lattice(14, 0.3, {0, 0}, true))), 0.15);
}

TEST(GridPhase, IsTheNodesPlaceInItsUnitCell) {
  const GridScorer scorer(kSide);
  for (const double spacing : {10.0, 14.0, 18.0}) {
    for (const double angle : {0.1, 0.5, 0.9}) {
      const Point a = {spacing * std::cos(angle), spacing * std::sin(angle)};
      const Point b = {spacing * std::cos(angle + pi / 3), spacing * std::sin(angle + pi / 3)};
      for (const auto& [x, y] : {std::pair(0.0, 0.0), {0.25, 0.6}, {0.7, 0.1}, {0.5, 0.5}}) {
        const auto map = Lattice(spacing, angle, {x * a.x + y * b.x, x * a.y + y * b.y});
        const GridPhase phase = PhaseOf(map, kSide, scorer.FindPeriod(map));
        SCOPED_TRACE(testing::Message() << spacing << " " << angle << " " << x << " " << y);
        // Peaks lie on whole bins: the axes are good to some hundredths.
        EXPECT_LT(Apart(phase.x, x), 0.08) << phase.x;
        EXPECT_LT(Apart(phase.y, y), 0.08) << phase.y;
        EXPECT_GE(std::min(phase.x, phase.y), 0);
        EXPECT_LT(std::max(phase.x, phase.y), 1);
      }
    }
  }
}

TEST(GridPhase, OfASquareLatticeIsAlongItsSides) {
  const auto map = Lattice(12, 0.2, {3 * std::cos(0.2), 3 * std::sin(0.2)}, true);
  const GridPhase phase = PhaseOf(map, kSide, GridScorer(kSide).FindPeriod(map));
  // The three shortest vectors are a side, a diagonal and a side, or two sides and a diagonal: the
  // node lies a quarter along the first side, and back by as much along a diagonal.
  EXPECT_LT(Apart(phase.x, 0.25), 0.06) << phase.x;
  EXPECT_LT(Apart(phase.y, 0), 0.06) << phase.y;
}

TEST(GridPhase, WithExactAxesIsExactOverWholePeriods) {
  // Peaks at (11, 0) and (0, 11): four periods of 11 bins fill the box, so nothing leaks.
  std::vector<double> map;
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide; ++j)
      map.push_back(7 + std::cos(2 * pi * (i - 21.5 - 2.2) / 11) +
                    std::cos(2 * pi * (j - 21.5 - 7.7) / 11));
  const auto period = PeaksAt({{11, 0}, {-11, 0}, {0, 11}, {0, -11}, {-11, 11}, {11, -11}});
  const GridPhase phase = PhaseOf(map, kSide, period);
  EXPECT_NEAR(phase.x, 0.2, 1e-12);
  EXPECT_NEAR(phase.y, 0.7, 1e-12);
}

TEST(GridPhase, LeavesUnvisitedBinsOut) {
  auto map = Lattice(14, 0.3, {2, 3});
  const Period period = GridScorer(kSide).FindPeriod(map);
  const GridPhase whole = PhaseOf(map, kSide, period);
  for (size_t k = 0; k < map.size(); k += 37) map[k] = kNaN;
  const GridPhase holed = PhaseOf(map, kSide, period);
  EXPECT_LT(Apart(whole.x, holed.x), 0.02);
  EXPECT_LT(Apart(whole.y, holed.y), 0.02);
}

TEST(GridPhase, NeedsALattice) {
  const auto map = Lattice(14, 0.3, {2, 3});
  // One direction alone; peaks in a line.
  EXPECT_TRUE(std::isnan(PhaseOf(map, kSide, PeaksAt({{5, 1}, {-5, -1}})).x));
  const auto line = PeaksAt({{5, 1}, {-5, -1}, {10, 2}, {-10, -2}, {15, 3}, {-15, -3}});
  EXPECT_TRUE(std::isnan(PhaseOf(map, kSide, line).x));
  EXPECT_TRUE(std::isnan(PhaseOf(map, kSide, line).y));
}

}  // namespace
}  // namespace gridsweep::scoring
