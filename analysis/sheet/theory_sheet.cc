#include "analysis/sheet/theory_sheet.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/sheet/canvas.h"
#include "analysis/sheet/heat_map.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr Rgb kBar = {126, 150, 178};
constexpr Rgb kRingBar = {222, 130, 34};
constexpr Rgb kFormula = {190, 30, 45};
constexpr Rgb kPublished = {60, 60, 60};
constexpr int kMargin = 16;
constexpr int kGap = 12;
constexpr int kRowGap = 20;
constexpr int kTile = 110;  // about the side of a map, pixels
constexpr int kPlotWidth = 200;
constexpr int kPlotBars = 20;
constexpr int kMaxEigenmaps = 12;
constexpr double kDecades = 4;
constexpr int kText = 7;           // height of a line of text
constexpr int kLabel = kText + 4;  // a line and the space below it
constexpr int kHeading = 2 * kText + 9;

int ScaleOf(int side) { return std::max(1, (kTile + side / 2) / side); }

void DrawTile(Canvas& canvas, int x, int y, const std::string& label, int side,
              std::span<const float> map, double low, double high) {
  canvas.Text(x, y, label, 1, kFaint);
  DrawMap(canvas, x, y + kLabel, side, ScaleOf(side), map, low, high);
}

// The modes up to `reach` in each direction, zero mode in the middle without a value.
std::vector<float> LowModes(const std::vector<double>& spectrum, int res, int reach) {
  std::vector<float> modes;
  for (int i = -reach; i <= reach; ++i) {
    for (int j = -reach; j <= reach; ++j) {
      modes.push_back(static_cast<float>(spectrum[(i + res) % res * res + (j + res) % res]));
    }
  }
  modes[modes.size() / 2] = std::numeric_limits<float>::quiet_NaN();
  return modes;
}

// Bars of |Sigma~| by wavenumber, the ring's in another colour, and a line at
// each closed form.
void DrawPlot(Canvas& canvas, int x, int y, int height, const theory::ReadoutTheory& theory) {
  const std::vector<double>& power = theory.radial.power;
  const int bars = std::min(kPlotBars, static_cast<int>(power.size()));
  const double width = static_cast<double>(kPlotWidth) / bars;
  canvas.Text(x, y, "spectrum by k, 4 decades", 1, kFaint);
  y += kLabel;
  canvas.Fill(x, y + height, kPlotWidth, 1, kInk);
  for (int m = 0; m < bars; ++m) {
    const double k = theory.radial.step * (m + 1);
    const bool ring = theory.rings.local && theory.rings.local->wavenumber == k;
    const double decades = std::log10(power[m] / theory.rings.maximum.power) + kDecades;
    if (!(decades > 0)) continue;
    const int top = static_cast<int>(std::lround(decades / kDecades * height));
    const int left = static_cast<int>(m * width), right = static_cast<int>((m + 1) * width);
    canvas.Fill(x + left, y + height - top, right - left - 1, top, ring ? kRingBar : kBar);
  }
  const auto mark = [&](const std::optional<double>& k, Rgb colour, int dash) {
    if (!k) return;
    const double at = (*k / theory.radial.step - 0.5) * width;
    if (at >= kPlotWidth) return;
    for (int dy = 0; dy < height; dy += 2 * dash) {
      canvas.Fill(x + static_cast<int>(at), y + dy, 2, std::min(dash, height - dy), colour);
    }
  };
  mark(theory.closed_forms.wavenumber, kFormula, height);
  mark(theory.closed_forms.published_one_dimensional, kPublished, 3);
  const std::string last = absl::StrFormat("%.0f rad/m", theory.radial.step * bars);
  canvas.Text(x, y + height + 4, absl::StrFormat("%.1f", theory.radial.step), 1, kFaint);
  canvas.Text(x + kPlotWidth - Canvas::TextWidth(last, 1), y + height + 4, last, 1, kFaint);
}

std::string Verdict(const theory::ReadoutTheory& theory) {
  const auto& local = theory.rings.local;
  if (!local) return "no ring: the spectrum is largest at its lowest mode, no lattice is predicted";
  const std::string where = absl::StrFormat(
      "k %.2f rad/m, wavelength %.3f m, hexagonal spacing %.3f m", local->wavenumber,
      theory::Wavelength(local->wavenumber), theory::HexagonalSpacing(local->wavenumber));
  if (theory.rings.Predicts()) return StrCat("ring at ", where);
  return absl::StrFormat("weak ring, %.1f%% of the maximum at k %.2f, at %s", 100 * local->height,
                         theory.rings.maximum.wavenumber, where);
}

int MapSide(const TheoryRow& row) { return row.res * ScaleOf(row.res); }

int StripHeight(const TheoryRow& row) { return 2 * kLabel + MapSide(row) + kGap; }

int HeightOf(const TheoryRow& row) {
  return kHeading + kLabel + 2 * kLabel + std::max(MapSide(row), kTile) + kGap +
         static_cast<int>(row.patterns.size()) * StripHeight(row);
}

int EigenmapsOf(const TheoryRow& row) {
  return std::min(kMaxEigenmaps, static_cast<int>(row.theory.eigenmaps.values.size()));
}

int WidthOf(const TheoryRow& row) {
  const int left = MapSide(row) + kGap + kTile + 2 * kGap + kPlotWidth;
  return std::max(
      left + EigenmapsOf(row) * (MapSide(row) + kGap),
      std::max(Canvas::TextWidth(row.heading, 2), Canvas::TextWidth(Verdict(row.theory), 1)));
}

std::vector<float> ToFloats(std::span<const double> values) {
  return {values.begin(), values.end()};
}

void DrawPredictions(Canvas& canvas, int y, const TheoryRow& row) {
  const theory::ReadoutTheory& theory = row.theory;
  int x = kMargin;
  const auto sigma = ToFloats(theory.correlations.sigma);
  const auto [low, high] = Range(sigma);
  DrawTile(canvas, x, y, "Sigma by lag", row.res, sigma, low, high);
  x += MapSide(row) + kGap;
  const int reach = std::min(13, (row.res - 1) / 2);
  const auto modes = LowModes(theory.correlations.spectrum, row.res, reach);
  DrawTile(canvas, x, y, absl::StrFormat("spectrum to %.0f", theory.radial.step * reach),
           2 * reach + 1, modes, 0, Range(modes).second);
  x += kTile + kGap;
  DrawPlot(canvas, x, y, kTile - kLabel, theory);
  x += kPlotWidth + kGap;
  const size_t size = static_cast<size_t>(row.res) * row.res;
  for (int m = 0; m < EigenmapsOf(row); ++m) {
    const auto map = ToFloats({&theory.eigenmaps.maps[m * size], size});
    const auto range = Range(map);
    DrawTile(canvas, x, y, absl::StrFormat("eigen %d: %.3g", m + 1, theory.eigenmaps.values[m]),
             row.res, map, range.first, range.second);
    x += MapSide(row) + kGap;
  }
}

void DrawRow(Canvas& canvas, int y, const TheoryRow& row) {
  canvas.Text(kMargin, y, row.heading, 2, kInk);
  canvas.Fill(kMargin, y + 2 * kText + 5, canvas.width() - 2 * kMargin, 1, kRule);
  y += kHeading;
  canvas.Text(kMargin, y, Verdict(row.theory), 1, kInk);
  y += kLabel + 4;
  DrawPredictions(canvas, y, row);
  y += 2 * kLabel - 4 + std::max(MapSide(row), kTile) + kGap;
  for (const PatternStrip& strip : row.patterns) {
    canvas.Text(kMargin, y, strip.caption, 1, kInk);
    int x = kMargin;
    for (const auto& unit : strip.units) {
      if (x + MapSide(row) > canvas.width() - kMargin) break;
      const auto [low, high] = Range(unit.map);
      DrawTile(canvas, x, y + kLabel, unit.label, row.res, unit.map, low, high);
      x += MapSide(row) + kGap;
    }
    y += StripHeight(row);
  }
}

void DrawLegend(Canvas& canvas, int y) {
  int x = kMargin;
  const auto text = [&](const char* words) {
    canvas.Text(x, y, words, 1, kFaint);
    x += Canvas::TextWidth(words, 1) + 6;
  };
  const auto patch = [&](Rgb colour, int width) {
    canvas.Fill(x, y, width, kText, colour);
    x += width + 6;
  };
  text("each map: min");
  DrawColourBar(canvas, x, y, 80, kText);
  x += 86;
  text("max (spectrum from 0)   ");
  patch(kNoValue, kText);
  text("zero mode, taken off   ");
  patch(kRingBar, kText);
  text("ring   ");
  patch(kFormula, 2);
  text("closed form   ");
  patch(kPublished, 2);
  text("dashed: formula as published, of one dimension");
}

}  // namespace

absl::StatusOr<std::string> DrawTheorySheet(const std::vector<TheoryRow>& rows) {
  if (rows.empty()) return absl::InvalidArgumentError("no readout to draw");
  int width = 700, height = kMargin;  // 700: the legend's
  for (const TheoryRow& row : rows) {
    width = std::max(width, WidthOf(row));
    height += HeightOf(row) + kRowGap;
  }
  Canvas canvas(width + 2 * kMargin, height + kText + kMargin, kBackground);
  int y = kMargin;
  for (const TheoryRow& row : rows) {
    DrawRow(canvas, y, row);
    y += HeightOf(row) + kRowGap;
  }
  DrawLegend(canvas, y);
  return canvas.Png();
}

}  // namespace gridsweep::analysis
