// P11: participation ratio of the ratemaps against published neural predictivity, by network
// and activation, trained and untrained, with their correlation.
#include <absl/strings/str_format.h>

#include <algorithm>

#include "analysis/compare/neural_predictivity.h"
#include "analysis/compare/published.h"
#include "analysis/figures/ask.h"
#include "analysis/figures/panels.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr char kHere[] = "this selection";
constexpr char kPublished[] = "published (relu)";

Json PointOf(const v1::NeuralPredictivityResponse::Row& row, bool trained) {
  const auto& side = trained ? row.trained() : row.untrained();
  Json point = {{"network", row.rnn_type()},
                {"activation", row.activation()},
                {"source", kHere},
                {"predictivity", side.published()},
                {"ratio", Rounded(side.ours().mean())},
                {"runs", side.ours().n()}};
  if (side.ours().has_sem()) {
    point["low"] = Rounded(side.ours().mean() - side.ours().sem());
    point["high"] = Rounded(side.ours().mean() + side.ours().sem());
  }
  return point;
}

Json PredictivityView(const std::string& title, const std::string& dataset, const Names& networks,
                      const Names& activations) {
  Json view = View(title, 290, 250);
  view["data"] = {{"name", dataset}};
  const char* axis = "participation ratio of the smoothed ratemaps";
  const Json x = Quantitative("ratio", axis);
  Json y = Quantitative("predictivity", "published neural predictivity");
  y["scale"] = {{"zero", false}, {"padding", 14}};
  const Json colour = Nominal("network", "network", networks);
  const Json here = {{{"filter", StrCat("datum.source === '", kHere, "'")}}};
  const Json published = {{{"filter", StrCat("datum.source !== '", kHere, "'")}}};
  view["layer"] = {{{"transform", here},
                    {"mark", {{"type", "rule"}, {"strokeWidth", 1.5}}},
                    {"encoding",
                     {{"y", y},
                      {"x", Quantitative("low", axis)},
                      {"x2", {{"field", "high"}}},
                      {"color", colour}}}},
                   {{"transform", here},
                    {"mark", {{"type", "point"}, {"filled", true}, {"size", 60}, {"opacity", 1}}},
                    {"encoding",
                     {{"y", y},
                      {"x", x},
                      {"color", colour},
                      {"shape", Nominal("activation", "activation", activations)}}}},
                   {{"transform", published},
                    {"mark",
                     {{"type", "point"},
                      {"shape", "diamond"},
                      {"size", 60},
                      {"strokeWidth", 1.8},
                      {"opacity", 1}}},
                    {"encoding", {{"y", y}, {"x", x}, {"color", colour}}}}};
  return view;
}

std::string CoefficientText(const char* name, double value, bool has_interval,
                            const v1::Interval& interval) {
  return has_interval
             ? absl::StrFormat("%s %.2f [%.2f, %.2f]", name, value, interval.low(), interval.high())
             : absl::StrFormat("%s %.2f", name, value);
}

// "trained: Pearson 0.91 [0.62, 0.98], Spearman ... over 5 rows".
std::string CorrelationText(const v1::NeuralPredictivityResponse::Correlation& correlation) {
  const std::string rows = StrCat(correlation.n(), correlation.n() == 1 ? " network" : " networks");
  if (!correlation.has_pearson() || !correlation.has_spearman()) {
    return StrCat(correlation.of(), ": too few (", rows, ")");
  }
  return StrCat(
      correlation.of(), ": ",
      CoefficientText("Pearson", correlation.pearson(), correlation.has_pearson_interval(),
                      correlation.pearson_interval()),
      ", ",
      CoefficientText("Spearman", correlation.spearman(), correlation.has_spearman_interval(),
                      correlation.spearman_interval()),
      " (", rows, ")");
}

}  // namespace

DrawnFigure DrawP11(FigureSource& source) {
  v1::NeuralPredictivityRequest request;
  *request.mutable_where() = source.where;
  ASSIGN_OR_RETURN(const PredictivityQuestion question, ParsePredictivity(request));
  ASSIGN_OR_RETURN(const auto answer, AnswerPredictivity(source.snapshot, question));
  Names networks, activations;
  const auto note = [](Names& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  Json trained = Json::array(), untrained = Json::array();
  for (const auto& row : answer.rows()) {
    for (const bool is_trained : {true, false}) {
      const auto& side = is_trained ? row.trained() : row.untrained();
      if (!side.has_published() || !side.ours().has_mean()) continue;
      note(networks, row.rnn_type());
      note(activations, row.activation());
      (is_trained ? trained : untrained).push_back(PointOf(row, is_trained));
    }
  }
  if (trained.empty() && untrained.empty()) return std::nullopt;
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, ""));
  for (const auto& published : PublishedPredictivities()) {
    for (const auto& [network, ratio] : PublishedParticipationRatios()) {
      if (published.activation != "relu" || published.rnn_type != network) continue;
      note(networks, std::string(network));
      trained.push_back({{"network", network},
                         {"activation", "relu"},
                         {"source", kPublished},
                         {"predictivity", published.trained},
                         {"ratio", ratio}});
    }
  }
  std::string correlations =
      "Correlation of the two over networks and activations, 95% intervals; ";
  for (const auto& correlation : answer.correlations()) {
    correlations +=
        StrCat(&correlation == &answer.correlations(0) ? "" : "; ", CorrelationText(correlation));
  }
  figure.title = "P11: participation ratio against neural predictivity";
  figure.notes = {
      CoverageText(*figure.coverage),
      StrCat("Ratios: mean over runs ± standard error. Predictivity: ", answer.published_source(),
             ". Open diamonds: participation ratios of the published relu networks, read off the "
             "figure."),
      correlations + ".", "Panels B and C of the poster: not reproduced: data not public here."};
  std::vector<Json> views = {PredictivityView("A  Trained", "trained", networks, activations)};
  if (!untrained.empty()) {
    views.push_back(PredictivityView("Untrained", "untrained", networks, activations));
  }
  figure.datasets["trained"] = std::move(trained);
  figure.datasets["untrained"] = std::move(untrained);
  Json beside = Beside(std::move(views));
  beside["resolve"]["scale"] = {{"color", "shared"}, {"shape", "shared"}};
  figure.view =
      Above({std::move(beside), TextView("B, C  not reproduced: data not public here", 400)});
  return figure;
}

}  // namespace gridsweep::analysis
