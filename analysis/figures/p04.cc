// P4: periods are set by the readout's width. Densities of the periods of grid units by
// width, their modes against the width beside the published ones, ratios of successive modes.
#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/compare/published.h"
#include "analysis/figures/ask.h"
#include "analysis/figures/panels.h"
#include "analysis/statistics/density.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr double kBandwidth = 1;  // bins
constexpr int kPoints = 1000;     // of 0 .. 150 bins, as published
constexpr double kLongest = 150;

struct Width {
  std::vector<double> periods;                  // bins
  std::map<int64_t, std::vector<double>> runs;  // the same by run
  double mode = NAN;
};

double MedianOf(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

Json DensityView(const Names& names, double longest) {
  Json view = View("A  Periods of units with a grid score above 0.8", 330, 240);
  view["data"] = {{"name", "density"}};
  view["mark"] = {{"type", "line"}, {"strokeWidth", 1.6}, {"clip", true}};
  view["encoding"] = {{"x", Quantitative("period", "period, bins of 5 cm", 0, longest)},
                      {"y", Quantitative("density", "density, 1/bin")},
                      {"color", Sequential("width", "width σ, m", names)}};
  return view;
}

Json ModeView() {
  Json view = View("B  Mode of the periods", 230, 240);
  Json x = Quantitative("width", "width σ of the place cells, m");
  x["scale"] = {{"zero", false}, {"padding", 10}};
  Json y = Quantitative("period", "period, bins of 5 cm");
  y["scale"] = {{"zero", false}, {"padding", 10}};
  const Json scale = {{"domain", {"this selection", "published", "median of a network"}},
                      {"range", {"#0072b2", "#d55e00", "#999999"}}};
  Json colour = Nominal("source", "", {});
  colour["scale"] = scale;
  colour["legend"] = {{"orient", "bottom"}, {"columns", 1}};
  view["data"] = {{"name", "modes"}};
  // The legend shows the marks that are drawn: a dot, a diamond and a dash.
  Json shape = Nominal("source", "", {});
  shape["scale"] = {{"domain", scale["domain"]},
                    {"range", {"circle", "diamond", "M-1,-0.12H1V0.12H-1Z"}}};
  shape["legend"] = colour["legend"];
  view["mark"] = {{"type", "point"}, {"filled", true}, {"size", 60}, {"opacity", 1}};
  view["encoding"] = {{"x", x}, {"y", y}, {"color", colour}, {"shape", shape}};
  return view;
}

Json RatioView(const Json& ratios) {
  double low_end = 0.8, high_end = 1.8;
  for (const auto& row : ratios) {
    low_end = std::min(low_end, row["ratio"].get<double>() - 0.05);
    high_end = std::max(high_end, row["ratio"].get<double>() + 0.05);
  }
  Json view = View("C  Ratios of successive modes", 200, 240);
  const Json y = Quantitative("ratio", "mode / mode of the next smaller width", low_end, high_end);
  Json low = y;
  low["field"] = "low";
  view["layer"] = {
      {{"data", {{"values", {{{"low", 1.4142}, {"high", 1.7}}}}}},
       {"mark", {{"type", "rect"}, {"color", "#e69f00"}, {"opacity", 0.25}}},
       {"encoding", {{"y", low}, {"y2", {{"field", "high"}}}}}},
      {{"data", {{"values", {{{"low", 0.99}, {"high", 1.15}}}}}},
       {"mark", {{"type", "rect"}, {"color", "#d55e00"}, {"opacity", 0.2}}},
       {"encoding", {{"y", low}, {"y2", {{"field", "high"}}}}}},
      {{"data", {{"name", "ratios"}}},
       {"mark",
        {{"type", "point"}, {"filled", true}, {"size", 45}, {"opacity", 1}, {"color", "#0072b2"}}},
       {"encoding",
        {{"x",
          {{"field", "widths"}, {"type", "nominal"}, {"sort", nullptr}, {"title", "widths σ, m"}}},
         {"y", y}}}}};
  return view;
}

}  // namespace

DrawnFigure DrawP04(FigureSource& source) {
  constexpr std::string_view kDos = "readout = \"DoS\"";
  ASSIGN_OR_RETURN(const auto units,
                   AskGridUnits(source, kDos, {"place_cell_rf"}, {"period_bins"}));
  std::map<double, Width> widths;
  int64_t count = 0;
  std::set<int64_t> runs;
  for (const auto& unit : units) {
    if (!unit.values[0]) continue;
    Width& width = widths[NumberOf(unit.key[0])];
    width.periods.push_back(*unit.values[0]);
    width.runs[unit.run_id].push_back(*unit.values[0]);
    ++count;
    runs.insert(unit.run_id);
  }
  if (widths.empty()) return std::nullopt;

  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kDos));
  const std::vector<double> at = EvenlySpaced(0, kLongest, kPoints);
  Json densities = Json::array(), modes = Json::array(), ratios = Json::array();
  Names names;
  double longest = 0;
  for (auto& [sigma, width] : widths) {
    const auto density = GaussianDensity(width.periods, at, kBandwidth);
    width.mode = at[std::ranges::max_element(density) - density.begin()];
    names.push_back(
        absl::StrFormat("%g (%d units, %d runs)", sigma, width.periods.size(), width.runs.size()));
    longest = std::max(longest, *std::ranges::max_element(width.periods) + 4);
    for (size_t i = 0; i < at.size(); ++i) {
      // Every point where the curve is; its tails are on the axis.
      if (density[i] < 1e-5) continue;
      densities.push_back(
          {{"width", names.back()}, {"period", Rounded(at[i])}, {"density", Rounded(density[i])}});
    }
    for (const auto& [run, periods] : width.runs) {
      modes.push_back({{"source", "median of a network"},
                       {"width", sigma},
                       {"period", Rounded(MedianOf(periods))}});
    }
    modes.push_back(
        {{"source", "this selection"}, {"width", sigma}, {"period", Rounded(width.mode)}});
  }
  for (const auto& published : PublishedDosPeriodModes()) {
    modes.push_back(
        {{"source", "published"}, {"width", published.width}, {"period", published.value}});
  }
  for (auto next = widths.begin(), last = next++; next != widths.end(); last = next++) {
    ratios.push_back({{"widths", absl::StrFormat("%g / %g", next->first, last->first)},
                      {"ratio", Rounded(next->second.mode / last->second.mode)}});
  }

  figure.title = "P4: grid periods by the readout's width";
  figure.notes = {
      StrCat(CoverageText(*figure.coverage), " ",
             CountText(static_cast<int64_t>(runs.size()), count),
             " have a grid score above 0.8 and a period."),
      "A: kernel density, Gaussian kernel of bandwidth 1 bin. B: its largest value on 1,000 points "
      "from 0 to 150 bins; grey: medians of single networks. Published: read off the figure."};
  if (widths.size() > 1) {
    figure.notes.push_back(
        "C: shaded: 0.99 to 1.15, the published range; √2 to 1.7, biological modules. Widths are "
        "neighbours in this selection, whatever their distance: the ratios follow from the widths "
        "that were trained, and so say nothing of modules within a network.");
  }
  figure.datasets["density"] = std::move(densities);
  figure.datasets["modes"] = std::move(modes);
  std::vector<Json> right = {ModeView()};
  if (widths.size() > 1) right.push_back(RatioView(ratios));
  figure.datasets["ratios"] = std::move(ratios);
  figure.view = Above({DensityView(names, std::min(longest, kLongest)), Beside(std::move(right))});
  return figure;
}

}  // namespace gridsweep::analysis
