// P7: what follows from training details. Every run's loss against percentiles of its units'
// two grid scores, by network, dropout and batch size.
#include <absl/strings/str_format.h>

#include <algorithm>
#include <set>

#include "analysis/figures/ask.h"
#include "analysis/figures/panels.h"
#include "analysis/queries/run_scores.h"
#include "analysis/queries/selection.h"
#include "common/group_value.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr int64_t kMostRuns = 5000;

struct Percentile {
  double quantile;
  const char* name;
};
constexpr Percentile kPercentiles[] = {{0.5, "median"}, {0.95, "95th percentile"}, {1, "maximum"}};

// "BaninoLSTM, dropout 0.5".
std::string SeriesOf(const std::vector<v1::GroupValue>& key) {
  const std::string mode = GroupValueText(key[1]);
  return mode == "published"
             ? GroupValueText(key[0]) + ", no dropout"
             : StrCat(GroupValueText(key[0]), ", ", mode, " dropout ", GroupValueText(key[2]));
}

Json ScatterView(const std::string& title, const std::string& score, const std::string& axis,
                 const Percentile& percentile, const Names& series, const Names& batches) {
  Json view = View(title, 200, 170);
  view["data"] = {{"name", "runs"}};
  view["transform"] = {{{"filter", StrCat("datum.score === '", score, "' && datum.percentile === '",
                                          percentile.name, "'")}}};
  view["mark"] = {{"type", "point"}, {"size", 40}, {"strokeWidth", 1.8}, {"opacity", 0.9}};
  Json x = Quantitative("loss", "training loss, last step");
  x["scale"] = {{"zero", false}, {"padding", 8}};
  Json y = Quantitative("value", axis);
  y["scale"] = {{"zero", false}, {"padding", 8}};
  view["encoding"] = {{"x", x},
                      {"y", y},
                      {"color", Nominal("series", "network, dropout", series)},
                      {"shape", Nominal("batch_size", "batch size", batches)}};
  return view;
}

}  // namespace

DrawnFigure DrawP07(FigureSource& source) {
  v1::Selection where = source.where;
  for (const char* field : {"rnn_type", "dropout_mode", "readout_dropout", "batch_size"}) {
    where.add_group_by(field);
  }
  ASSIGN_OR_RETURN(const Selection selection, ParseSelection(where, "where"));
  std::vector<double> quantiles;
  for (const auto& percentile : kPercentiles) quantiles.push_back(percentile.quantile);
  ASSIGN_OR_RETURN(const auto runs,
                   ReadRunScores(source.snapshot, selection, quantiles, kMostRuns));
  if (runs.empty()) return std::nullopt;
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, ""));

  std::set<std::string> series;
  std::set<double> sizes;
  Json rows = Json::array();
  for (const auto& run : runs) {
    series.insert(SeriesOf(run.key));
    sizes.insert(NumberOf(run.key[3]));
    for (size_t i = 0; i < std::size(kPercentiles); ++i) {
      for (const bool hexagonal : {true, false}) {
        rows.push_back({{"run", run.run_id},
                        {"series", SeriesOf(run.key)},
                        {"batch_size", GroupValueText(run.key[3])},
                        {"loss", Rounded(run.loss)},
                        {"score", hexagonal ? "60°" : "90°"},
                        {"percentile", kPercentiles[i].name},
                        {"value", Rounded((hexagonal ? run.score_60 : run.score_90)[i])}});
      }
    }
  }
  figure.datasets["runs"] = std::move(rows);
  Names batches;
  for (const double size : sizes) batches.push_back(absl::StrFormat("%g", size));
  const Names names(series.begin(), series.end());
  std::vector<Json> views;
  for (const char* score : {"60°", "90°"}) {
    for (const auto& percentile : kPercentiles) {
      views.push_back(ScatterView(absl::StrFormat("%sscore %s, %s",
                                                  views.empty()       ? "A  "
                                                  : views.size() == 3 ? "B  "
                                                                      : "",
                                                  score, percentile.name),
                                  score, absl::StrFormat("grid score %s", score), percentile, names,
                                  batches));
    }
  }
  figure.title = "P7: scores against the loss, by training details";
  figure.notes = {
      StrCat(CoverageText(*figure.coverage), " ", runs.size(),
             runs.size() == 1 ? " run is drawn" : " runs are drawn", ": a point is one run."),
      "Percentiles are over the run's units that have a score. The loss includes weight "
      "decay; losses of other networks, batch sizes and readouts are on other scales."};
  Json tiled = Tiled(std::move(views), 3);
  tiled["resolve"]["scale"] = {{"color", "shared"}, {"shape", "shared"}};
  figure.view = std::move(tiled);
  return figure;
}

}  // namespace gridsweep::analysis
