// P11: participation ratio by network, of ratemaps of trained relu networks, beside the
// published ones.
#include <algorithm>

#include "analysis/compare/published.h"
#include "analysis/figures/ask.h"
#include "analysis/figures/panels.h"
#include "analysis/queries/summarize.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {

namespace {

Json RatioView(const Names& networks) {
  Json view = View("A  Participation ratio", 320, static_cast<int>(networks.size()) * 30);
  view["data"] = {{"name", "ratios"}};
  const Json y = Nominal("network", "", networks);
  const char* axis = "participation ratio of the smoothed ratemaps";
  const auto by_source = [](const Json& range) {
    return Json{{"field", "source"},
                {"type", "nominal"},
                {"title", nullptr},
                {"scale", {{"domain", {"this selection", "published"}}, {"range", range}}},
                {"legend", {{"orient", "bottom"}}}};
  };
  view["layer"] = {
      {{"transform", {{{"filter", "isValid(datum.low)"}}}},
       {"mark", {{"type", "rule"}, {"strokeWidth", 1.5}, {"color", "#0072b2"}}},
       {"encoding", {{"y", y}, {"x", Quantitative("low", axis)}, {"x2", {{"field", "high"}}}}}},
      {{"mark", {{"type", "point"}, {"size", 55}, {"strokeWidth", 2}, {"opacity", 1}}},
       {"encoding",
        {{"y", y},
         {"x", Quantitative("ratio", axis)},
         {"color", by_source({"#0072b2", "#d55e00"})},
         {"shape", by_source({"circle", "diamond"})}}}},
      {{"transform", {{{"filter", "isValid(datum.count)"}}}},
       {"mark", {{"type", "text"}, {"align", "left"}, {"fontSize", 10}, {"color", "#555"}}},
       {"encoding",
        {{"y", y}, {"x", {{"value", 330}}}, {"text", {{"field", "count"}, {"type", "nominal"}}}}}}};
  return view;
}

}  // namespace

DrawnFigure DrawP11(FigureSource& source) {
  constexpr std::string_view kTrained = "activation = \"relu\" AND n_epochs > 0";
  v1::SummarizeRequest request;
  *request.mutable_where() = Narrowed(source.where, kTrained);
  request.mutable_where()->add_group_by("rnn_type");
  request.set_metric("participation_ratio_ratemaps");
  ASSIGN_OR_RETURN(const SummarizeQuestion question, ParseSummarize(request));
  ASSIGN_OR_RETURN(const auto summary, AnswerSummarize(source.snapshot, question));
  Names networks;
  for (const auto& published : PublishedParticipationRatios())
    networks.emplace_back(published.name);
  Json rows = Json::array();
  bool some = false;
  for (const auto& row : summary.rows()) {
    if (!row.has_mean()) continue;
    some = true;
    const std::string network = TextOf(row.group().key(0));
    if (std::ranges::find(networks, network) == networks.end()) networks.push_back(network);
    rows.push_back({{"network", network},
                    {"source", "this selection"},
                    {"ratio", Rounded(row.mean())},
                    {"low", Rounded(row.min())},
                    {"high", Rounded(row.max())},
                    {"count", StrCat(row.count(), row.count() == 1 ? " run" : " runs")}});
  }
  if (!some) return std::nullopt;
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kTrained));
  for (const auto& published : PublishedParticipationRatios()) {
    rows.push_back(
        {{"network", published.name}, {"source", "published"}, {"ratio", published.value}});
  }
  figure.datasets["ratios"] = std::move(rows);
  figure.title = "P11: participation ratio of ratemaps by network";
  figure.notes = {
      CoverageText(*figure.coverage),
      "Trained relu networks, all readouts: mean over runs, lines from the lowest to the highest "
      "run. Published: read off the figure.",
      "Panels B and C of the poster: not reproduced: data not public here."};
  figure.view =
      Above({RatioView(networks), TextView("B, C  not reproduced: data not public here", 400)});
  return figure;
}

}  // namespace gridsweep::analysis
