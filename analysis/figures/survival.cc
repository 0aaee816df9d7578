#include "analysis/figures/survival.h"

#include <numeric>

#include "common/strings.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {
namespace {

// Edges k/100 with k = kFirst, kFirst + kStep, .. kLast.
constexpr int kFirst = -50, kLast = 160, kStep = 5;
constexpr int kZeroEdge = 200;  // the edge of 0 among the 401

}  // namespace

std::vector<double> SurvivalScores() {
  std::vector<double> scores;
  for (int k = kFirst; k <= kLast; k += kStep) {
    scores.push_back(science::ScoreEdges()[kZeroEdge + k]);
  }
  return scores;
}

std::vector<double> SurvivalOf(const ScoreBins& bins) {
  const auto units = static_cast<double>(bins.group.coverage().units());
  std::vector<double> shares;
  for (int k = kFirst; k <= kLast; k += kStep) {
    // Bin e holds what is above edge e-1 up to edge e.
    const auto above = bins.units.begin() + kZeroEdge + k + 1;
    shares.push_back(static_cast<double>(std::accumulate(above, bins.units.end(), int64_t{0})) /
                     units);
  }
  return shares;
}

void SurvivalCurves::Add(const std::string& name, const ScoreBins& bins) {
  const auto& coverage = bins.group.coverage();
  names_.push_back(StrCat(name, " (", CountText(coverage.selected_runs(), coverage.units()), ")"));
  const auto scores = SurvivalScores();
  const auto shares = SurvivalOf(bins);
  for (size_t i = 0; i < scores.size(); ++i) {
    rows_.push_back(
        {{"series", names_.back()}, {"score", scores[i]}, {"share", Rounded(shares[i])}});
  }
}

Json SurvivalCurves::Draw(const std::string& title, const std::string& dataset,
                          const std::string& legend, bool ordered, int width, int height) const {
  Json view = View(title, width, height);
  view["data"] = {{"name", dataset}};
  view["transform"] = {{{"filter", "datum.share > 0"}}};
  Json y = Quantitative("share", "share of units above the score");
  y["scale"] = {{"type", "log"}, {"nice", false}};
  y["axis"] = {{"tickCount", 5}, {"format", "~g"}};
  const Json colour =
      ordered ? Sequential("series", legend, names_) : Nominal("series", legend, names_);
  view["layer"] = {{{"data", {{"values", {{{"score", 0.8}}}}}},
                    {"transform", Json::array()},
                    {"mark", {{"type", "rule"}, {"strokeDash", {4, 3}}, {"color", "#999"}}},
                    {"encoding", {{"x", {{"field", "score"}, {"type", "quantitative"}}}}}},
                   {{"mark", {{"type", "line"}, {"strokeWidth", 1.8}, {"clip", true}}},
                    {"encoding",
                     {{"x", Quantitative("score", "grid score (60°), 44 × 44 bins", -0.5, 1.6)},
                      {"y", y},
                      {"color", colour}}}}};
  return view;
}

}  // namespace gridsweep::analysis
