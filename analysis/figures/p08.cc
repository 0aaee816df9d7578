// P8: centre and surround of other heights give hexagons and squares. Both grid scores of
// units against each other by the heights, and the share of units that are either.
#include <absl/strings/str_format.h>

#include <algorithm>
#include <map>

#include "analysis/figures/ask.h"
#include "analysis/figures/panels.h"
#include "analysis/queries/joint_scores.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr std::string_view kHeights = "place_field_values = \"general_difference_of_gaussians\"";
constexpr std::string_view kNearlySolved =
    "place_field_values = \"general_difference_of_gaussians\" AND decoding_error_cm < 15";
constexpr double kCell = 0.05;     // of the scores' lattice
constexpr size_t kMostTiles = 16;  // pairs of heights that have a view of their own

using Heights = std::pair<double, double>;  // of centre and surround

Heights HeightsOf(const v1::GroupValue& centre, const v1::GroupValue& surround) {
  return {NumberOf(centre), NumberOf(surround)};
}

Json JointView(const std::string& title, const std::string& dataset, const std::string& filter,
               int side) {
  Json view = View(title, side, side);
  view["data"] = {{"name", dataset}};
  if (!filter.empty()) view["transform"] = {{{"filter", filter}}};
  Json x = Quantitative("score_60", "grid score, 60°", -0.8, 1.6);
  Json y = Quantitative("score_90", "score, 90°", -0.8, 2.0);
  x["bin"] = y["bin"] = {{"binned", true}, {"step", kCell}};
  x["axis"] = y["axis"] = {{"values", {-0.5, 0, 0.5, 1, 1.5}}};
  const Json colour = {{"field", "units"},
                       {"type", "quantitative"},
                       {"title", "units"},
                       {"scale", {{"type", "log"}, {"scheme", "viridis"}, {"reverse", true}}}};
  const auto rule = [](const char* axis, double at) {
    return Json{{"data", {{"values", {{{"at", at}}}}}},
                {"transform", Json::array()},
                {"mark", {{"type", "rule"}, {"strokeDash", {4, 3}}, {"color", "#aaa"}}},
                {"encoding", {{axis, {{"field", "at"}, {"type", "quantitative"}}}}}};
  };
  view["layer"] = {rule("x", 0.8),
                   rule("y", 1.5),
                   {{"mark", {{"type", "rect"}, {"clip", true}}},
                    {"encoding",
                     {{"x", x},
                      {"x2", {{"field", "score_60_to"}}},
                      {"y", y},
                      {"y2", {{"field", "score_90_to"}}},
                      {"color", colour}}}}};
  return view;
}

// Shares as a table of coloured cells, centre to the right, surround upwards.
Json ShareTable(const std::string& title, const std::string& dataset, const Json& cells) {
  double top = 0.05;
  for (const auto& cell : cells) top = std::max(top, cell["share"].get<double>());
  Json view = {{"title", title}, {"width", {{"step", 38}}}, {"height", {{"step", 38}}}};
  view["data"] = {{"name", dataset}};
  const Json x = {{"field", "alpha_e"},
                  {"type", "ordinal"},
                  {"title", "α_E (centre)"},
                  {"axis", {{"labelAngle", 0}}}};
  const Json y = {{"field", "alpha_i"},
                  {"type", "ordinal"},
                  {"title", "α_I (surround)"},
                  {"sort", "descending"}};
  view["layer"] = {
      {{"mark", {{"type", "rect"}}},
       {"encoding",
        {{"x", x},
         {"y", y},
         {"color",
          {{"field", "share"},
           {"type", "quantitative"},
           {"title", "share of units"},
           {"scale", {{"scheme", {{"name", "blues"}, {"extent", {0, 0.6}}}}, {"domain", {0, top}}}},
           {"legend", {{"format", "~p"}}}}}}}},
      {{"mark", {{"type", "text"}, {"fontSize", 10}}},
       {"encoding",
        {{"x", x},
         {"y", y},
         {"text", {{"field", "share"}, {"type", "quantitative"}, {"format", ".1~%"}}}}}}};
  return view;
}

absl::StatusOr<Json> ShareCells(FigureSource& source, const ShareOf& share) {
  ASSIGN_OR_RETURN(const auto rows, AskShare(source, kNearlySolved,
                                             {"place_cell_alpha_e", "place_cell_alpha_i"}, share));
  Json cells = Json::array();
  for (const auto& row : rows) {
    const auto [alpha_e, alpha_i] = HeightsOf(row.group().key(0), row.group().key(1));
    cells.push_back({{"alpha_e", alpha_e},
                     {"alpha_i", alpha_i},
                     {"share", Rounded(row.fraction())},
                     {"units_above", row.numerator()},
                     {"units", row.denominator()},
                     {"runs", row.group().coverage().selected_runs()}});
  }
  return cells;
}

}  // namespace

DrawnFigure DrawP08(FigureSource& source) {
  v1::Selection where = Narrowed(source.where, kNearlySolved);
  where.add_group_by("place_cell_alpha_e");
  where.add_group_by("place_cell_alpha_i");
  ASSIGN_OR_RETURN(const Selection selection, ParseSelection(where, "where"));
  ASSIGN_OR_RETURN(const auto counts, ReadJointScores(source.snapshot, selection, kCell));
  if (counts.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const Json hexagonal,
                   ShareCells(source, {"grid_score_60", v1::COMPARISON_GT, 0.8}));
  ASSIGN_OR_RETURN(const Json square,
                   ShareCells(source, {"grid_score_90", v1::COMPARISON_GT, 1.5}));
  ASSIGN_OR_RETURN(const auto blind,
                   AskShare(source, kHeights, {}, {"pos_err_target", v1::COMPARISON_GE, 10}));
  Figure figure;
  ASSIGN_OR_RETURN(figure.coverage, AskCoverage(source, kNearlySolved));

  std::map<Heights, int64_t> pairs;
  for (const auto& count : counts) pairs[HeightsOf(count.key[0], count.key[1])] += count.units;
  const bool tiled = pairs.size() <= kMostTiles;
  // With many pairs, all of them together, as pair (0, 0).
  std::map<std::pair<Heights, Heights>, int64_t> cells;
  for (const auto& count : counts) {
    const Heights heights = tiled ? HeightsOf(count.key[0], count.key[1]) : Heights();
    cells[{heights, {count.score_60, count.score_90}}] += count.units;
  }
  Json rows = Json::array();
  int64_t units = 0;
  for (const auto& [place, count] : cells) {
    Json row = Json::object();
    if (tiled) row = {{"alpha_e", place.first.first}, {"alpha_i", place.first.second}};
    row["score_60"] = Rounded(place.second.first);
    row["score_60_to"] = Rounded(place.second.first + kCell);
    row["score_90"] = Rounded(place.second.second);
    row["score_90_to"] = Rounded(place.second.second + kCell);
    row["units"] = count;
    rows.push_back(std::move(row));
    units += count;
  }
  figure.datasets["scores"] = std::move(rows);
  figure.datasets["hexagonal"] = hexagonal;
  figure.datasets["square"] = square;

  figure.title = "P8: both grid scores by the heights of centre and surround";
  figure.notes = {
      StrCat(CoverageText(*figure.coverage), " ",
             CountText(figure.coverage->selected_runs(), units),
             " with both scores are drawn: those of runs with an error below 15 cm."),
      StrCat("The decoder cannot tell whether the task is solved (it errs by 10 cm or more on the "
             "exact target) in ",
             blind.empty() ? 0 : blind[0].numerator(), " of ",
             blind.empty() ? 0 : blind[0].denominator(), " finished runs."),
      "A: units in cells of 0.05 × 0.05; dashed: 0.8 (hexagonal) and 1.5 (square). B, C: share of "
      "all units of those runs.",
      "Targets are normalised: only the ratio α_I / α_E is in them, and pairs of one ratio are one "
      "readout. A perfect square lattice of 30 bins scores 1.25 to 1.51: the cut of 1.5 loses "
      "most."};
  std::vector<Json> joint;
  if (tiled) {
    for (const auto& [heights, count] : pairs) {
      joint.push_back(
          JointView(absl::StrFormat("%sα_E %g, α_I %g (%d units)", joint.empty() ? "A  " : "",
                                    heights.first, heights.second, count),
                    "scores",
                    absl::StrFormat("datum.alpha_e === %.17g && datum.alpha_i === %.17g",
                                    heights.first, heights.second),
                    150));
    }
  } else {
    joint.push_back(
        JointView(StrCat("A  All ", pairs.size(), " pairs of heights"), "scores", "", 330));
  }
  Json joint_view = Tiled(std::move(joint), 4);
  joint_view["resolve"] = {{"scale", {{"color", "shared"}}}};
  figure.view = Above({std::move(joint_view),
                       Beside({ShareTable("B  Hexagonal: score 60° > 0.8", "hexagonal", hexagonal),
                               ShareTable("C  Square: score 90° > 1.5", "square", square)})});
  return figure;
}

}  // namespace gridsweep::analysis
