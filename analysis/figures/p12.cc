// P12: biological properties of grid-like units, each tested by width: modules (a dip test of
// the periods), orientations (spread and Rayleigh's test), phases (Rayleigh's test on each axis).
#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "analysis/figures/ask.h"
#include "analysis/figures/panels.h"
#include "analysis/statistics/circular.h"
#include "analysis/statistics/dip.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr size_t kFewest = 10;        // values that are tested
constexpr size_t kMostDipped = 2000;  // values of a drawn sample
constexpr int kDraws = 1000;
constexpr size_t kMostPoints = 2000;
constexpr double kSixth = std::numbers::pi / 3;

// Values of one width's grid units and the networks that they are of.
struct Values {
  std::vector<double> all;
  std::map<int64_t, std::vector<double>> by_run;
  void Add(int64_t run, double value) {
    all.push_back(value);
    by_run[run].push_back(value);
  }
};

struct WidthUnits {
  Values period, orientation, phase_x, phase_y;
  std::set<int64_t> runs;
};

std::vector<double> Times(const std::vector<double>& values, double factor) {
  std::vector<double> scaled;
  for (const double value : values) scaled.push_back(value * factor);
  return scaled;
}

std::string PText(double p) { return p < 0.001 ? "p < 0.001" : absl::StrFormat("p = %.3f", p); }

// A row of the table of tests; `statistic` is left out where there are too few values.
void AddTest(Json& tests, const std::string& width, const char* what, const Values& values,
             const char* symbol, double statistic, double p) {
  Json row = {{"width", width},
              {"test", what},
              {"units", values.all.size()},
              {"runs", values.by_run.size()}};
  std::string text = absl::StrFormat("σ %s m, %s: ", width, what);
  if (values.all.size() < kFewest) {
    text += "too few units";
  } else {
    row["statistic"] = Rounded(statistic);
    row["p"] = Rounded(p);
    text += absl::StrFormat("%s = %.3g, %s", symbol, statistic, PText(p));
  }
  row["text"] = StrCat(text, " (",
                       CountText(static_cast<int64_t>(values.by_run.size()),
                                 static_cast<int64_t>(values.all.size())),
                       ")");
  tests.push_back(std::move(row));
}

void AddRayleigh(Json& tests, const std::string& width, const char* what, const Values& values,
                 double to_angle) {
  const double r = values.all.empty() ? NAN : ResultantLength(Times(values.all, to_angle));
  AddTest(tests, width, what, values, "R", r,
          RayleighPValue(r, static_cast<double>(values.all.size())));
}

void AddTests(Json& tests, const std::string& width, const WidthUnits& units) {
  double dip = NAN, p = NAN;
  if (units.period.all.size() >= kFewest) {
    dip = Dip(units.period.all);
    // A dip shrinks as one over the root of the number of values.
    const size_t drawn = std::min(units.period.all.size(), kMostDipped);
    const double scale =
        std::sqrt(static_cast<double>(units.period.all.size()) / static_cast<double>(drawn));
    p = DipPValue(dip * scale, static_cast<int64_t>(drawn), kDraws, 0);
  }
  AddTest(tests, width, "one mode of periods (dip)", units.period, "D", dip, p);
  AddRayleigh(tests, width, "orientations, modulo 60° (Rayleigh)", units.orientation, 6);
  AddRayleigh(tests, width, "phases, first axis (Rayleigh)", units.phase_x, 2 * std::numbers::pi);
  AddRayleigh(tests, width, "phases, second axis (Rayleigh)", units.phase_y, 2 * std::numbers::pi);
}

Json HistogramView(const std::string& title, const char* dataset, const std::string& axis,
                   double step, const Names& widths) {
  Json view = View(title, 300, 170);
  view["data"] = {{"name", dataset}};
  view["mark"] = {{"type", "bar"}, {"binSpacing", 1}};
  Json x = Quantitative("value", axis);
  x["bin"] = {{"step", step}};
  view["encoding"] = {{"x", x},
                      {"y", {{"aggregate", "sum"}, {"field", "units"}, {"title", "units"}}},
                      {"color", Sequential("width", "width σ, m", widths)}};
  return view;
}

// Counts of values in cells of `step`: {width, value (the middle), units}.
void AddHistogram(Json& rows, const std::string& width, const std::vector<double>& values,
                  double step) {
  std::map<int64_t, int64_t> cells;
  for (const double value : values) ++cells[static_cast<int64_t>(std::floor(value / step))];
  for (const auto& [cell, units] : cells) {
    rows.push_back({{"width", width},
                    {"value", Rounded((static_cast<double>(cell) + 0.5) * step)},
                    {"units", units}});
  }
}

}  // namespace

DrawnFigure DrawP12(FigureSource& source) {
  constexpr std::string_view kDos = "readout = \"DoS\"";
  ASSIGN_OR_RETURN(const auto units,
                   AskGridUnits(source, kDos, {"place_cell_rf"},
                                {"period_bins", "orientation_rad", "phase_x", "phase_y"}));
  if (units.empty()) return std::nullopt;
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kDos));
  std::map<double, WidthUnits> widths;
  std::set<int64_t> runs;
  Json phases = Json::array();
  const size_t every = (units.size() + kMostPoints - 1) / kMostPoints;
  for (size_t i = 0; i < units.size(); ++i) {
    const auto& unit = units[i];
    const double sigma = NumberOf(unit.key[0]);
    WidthUnits& width = widths[sigma];
    runs.insert(unit.run_id);
    if (unit.values[0]) width.period.Add(unit.run_id, *unit.values[0]);
    if (unit.values[1]) {
      width.orientation.Add(unit.run_id, std::fmod(*unit.values[1], kSixth));
    }
    if (!unit.values[2] || !unit.values[3]) continue;
    width.phase_x.Add(unit.run_id, *unit.values[2]);
    width.phase_y.Add(unit.run_id, *unit.values[3]);
    if (i % every == 0) {
      phases.push_back({{"width", absl::StrFormat("%g", sigma)},
                        {"x", Rounded(*unit.values[2])},
                        {"y", Rounded(*unit.values[3])}});
    }
  }
  Names names;
  Json periods = Json::array(), orientations = Json::array(), spreads = Json::array();
  Json tests = Json::array();
  for (const auto& [sigma, width] : widths) {
    names.push_back(absl::StrFormat("%g", sigma));
    AddHistogram(periods, names.back(), width.period.all, 1);
    AddHistogram(orientations, names.back(), Times(width.orientation.all, 60 / kSixth), 5);
    for (const auto& [run, angles] : width.orientation.by_run) {
      if (angles.size() < 3) continue;
      const double deviation = CircularDeviation(ResultantLength(Times(angles, 6))) / 6;
      spreads.push_back({{"width", names.back()},
                         {"run", run},
                         {"units", angles.size()},
                         {"spread", Rounded(deviation * 60 / kSixth)}});
    }
    AddTests(tests, names.back(), width);
  }

  figure.title = "P12: modules, orientations and phases of grid-like units";
  figure.notes = {
      StrCat(CoverageText(*figure.coverage), " ",
             CountText(static_cast<int64_t>(runs.size()), static_cast<int64_t>(units.size())),
             " with a grid score above 0.8."),
      "Periods: Hartigan's dip D against one shared mode, p from 1,000 uniform samples. "
      "Orientations (smallest angle of the six peaks, modulo 60°; of irregular peaks it is biased "
      "towards 0) and phases (share of the unit "
      "cell): Rayleigh's test against a uniform spread, R the mean's length. Units of one network "
      "are not independent: small p values are too small. Below 10 units nothing is tested.",
      "Spread: circular standard deviation of a network's orientations, networks with three grid "
      "units or more; cells of one biological module share theirs within a few degrees."};
  if (every > 1) figure.notes.push_back(StrCat("Phases: every ", every, "th unit is drawn."));
  Json spread_view = View("C  Spread of orientations within a network", 300, 170);
  spread_view["data"] = {{"name", "spreads"}};
  spread_view["mark"] = {{"type", "point"}, {"size", 40}, {"strokeWidth", 1.8}, {"opacity", 0.9}};
  spread_view["encoding"] = {{"x", Quantitative("units", "grid units of the network")},
                             {"y", Quantitative("spread", "circular deviation, degrees")},
                             {"color", Sequential("width", "width σ, m", names)}};
  Json phase_view = View("D  Phases", 170, 170);
  phase_view["data"] = {{"name", "phases"}};
  phase_view["mark"] = {{"type", "point"}, {"size", 16}, {"opacity", 0.6}};
  phase_view["encoding"] = {{"x", Quantitative("x", "first axis, share of the unit cell", 0, 1)},
                            {"y", Quantitative("y", "second axis", 0, 1)},
                            {"color", Sequential("width", "width σ, m", names)}};
  Json test_view = View("Tests", 600, static_cast<int>(tests.size()) * 17);
  test_view["data"] = {{"name", "tests"}};
  test_view["mark"] = {{"type", "text"}, {"align", "left"}, {"fontSize", 11}};
  test_view["encoding"] = {
      {"x", {{"value", 0}}},
      {"y", {{"field", "text"}, {"type", "nominal"}, {"sort", nullptr}, {"axis", nullptr}}},
      {"text", {{"field", "text"}, {"type", "nominal"}}}};
  figure.datasets["periods"] = std::move(periods);
  figure.datasets["orientations"] = std::move(orientations);
  figure.datasets["spreads"] = std::move(spreads);
  figure.datasets["phases"] = std::move(phases);
  figure.datasets["tests"] = std::move(tests);
  Json tiled =
      Tiled({HistogramView("A  Periods", "periods", "period, bins of 5 cm", 1, names),
             HistogramView("B  Orientations", "orientations", "orientation, degrees", 5, names),
             std::move(spread_view), std::move(phase_view)},
            2);
  tiled["resolve"]["scale"]["color"] = "shared";
  figure.view = Above({std::move(tiled), std::move(test_view)});
  return figure;
}

}  // namespace gridsweep::analysis
