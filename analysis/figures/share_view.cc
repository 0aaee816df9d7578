#include "analysis/figures/share_view.h"

#include <algorithm>

#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr char kHere[] = "this selection";
constexpr char kPublished[] = "published";
// An axis ends this far above its highest point: an interval of two runs would flatten the points.
constexpr double kRoomForIntervals = 2.5;

constexpr char kHereColour[] = "#0072b2";
constexpr char kPublishedColour[] = "#d55e00";

// Circles for what was found here, diamonds for what was published.
Json BySource(const ShareRows& rows, const char* here, const char* published) {
  return {{"field", "source"},
          {"type", "nominal"},
          {"title", nullptr},
          {"scale", {{"domain", {kHere, kPublished}}, {"range", {here, published}}}},
          {"legend", rows.HasPublished() ? Json({{"orient", "bottom"}}) : Json(nullptr)}};
}

Json Shape(const ShareRows& rows) { return BySource(rows, "circle", "diamond"); }
Json Colour(const ShareRows& rows) { return BySource(rows, kHereColour, kPublishedColour); }

Json IsHere() { return {{{"filter", StrCat("datum.source === '", kHere, "'")}}}; }

}  // namespace

void ShareRows::Add(const Json& group, const v1::FractionResponse::Row& row,
                    const std::string& series) {
  Json point = {{"group", group}};
  if (!series.empty()) point["series"] = series;
  point["source"] = kHere;
  point["fraction"] = Rounded(row.fraction());
  if (row.has_interval()) {
    point["low"] = Rounded(row.interval().low());
    point["high"] = Rounded(row.interval().high());
  }
  point["count"] = StrCat(row.numerator(), " of ", row.denominator());
  rows_.push_back(std::move(point));
}

void ShareRows::AddPublished(const Json& group, double fraction, const std::string& series) {
  Json point = {{"group", group}};
  if (!series.empty()) point["series"] = series;
  point["source"] = kPublished;
  point["fraction"] = fraction;
  rows_.push_back(std::move(point));
  has_published_ = true;
}

double ShareRows::Highest() const {
  double highest = 0;
  for (const auto& row : rows_) highest = std::max(highest, row["fraction"].get<double>());
  return highest;
}

Json SharesByName(const std::string& title, const std::string& dataset, const ShareRows& rows,
                  const std::vector<std::string>& groups, const std::string& axis) {
  constexpr int kWidth = 250;
  Json view = View(title, kWidth, static_cast<int>(groups.size()) * 26);
  view["data"] = {{"name", dataset}};
  Json y = Nominal("group", "", groups);
  y["scale"] = {{"domain", groups}};
  const Json x = Quantitative("fraction", axis, 0, 1);
  view["layer"] = {
      {{"transform", IsHere()},
       {"mark", {{"type", "rule"}, {"strokeWidth", 1.5}, {"color", kHereColour}}},
       {"encoding",
        {{"y", y}, {"x", Quantitative("low", axis, 0, 1)}, {"x2", {{"field", "high"}}}}}},
      {{"mark", {{"type", "point"}, {"size", 55}, {"strokeWidth", 2}, {"opacity", 1}}},
       {"encoding", {{"y", y}, {"x", x}, {"color", Colour(rows)}, {"shape", Shape(rows)}}}},
      {{"transform", IsHere()},
       {"mark", {{"type", "text"}, {"align", "left"}, {"fontSize", 10}, {"color", "#555"}}},
       {"encoding",
        {{"y", y},
         {"x", {{"value", kWidth + 10}}},
         {"text", {{"field", "count"}, {"type", "nominal"}}}}}}};
  return view;
}

Json SharesByNumber(const std::string& title, const std::string& dataset, const ShareRows& rows,
                    const std::string& group_axis, const std::string& axis,
                    const std::optional<Json>& series, int width, int height) {
  Json view = View(title, width, height);
  view["data"] = {{"name", dataset}};
  Json x = Quantitative("group", group_axis);
  x["scale"] = {{"zero", false}, {"padding", 12}};
  const double top = std::min(1.0, std::max(0.01, kRoomForIntervals * rows.Highest()));
  const Json y = Quantitative("fraction", axis, 0, top);
  const Json colour = series ? *series : Colour(rows);
  const Json size = {{"type", "point"}, {"size", 40}, {"strokeWidth", 2}, {"opacity", 1}};
  view["layer"] = {
      {{"transform", IsHere()},
       {"mark", {{"type", "line"}, {"strokeWidth", 1.5}}},
       {"encoding", {{"x", x}, {"y", y}, {"color", colour}}}},
      {{"transform", IsHere()},
       {"mark", {{"type", "rule"}, {"strokeWidth", 1.5}, {"opacity", 0.5}, {"clip", true}}},
       {"encoding",
        {{"x", x},
         {"y", Quantitative("low", axis, 0, top)},
         {"y2", {{"field", "high"}}},
         {"color", colour}}}},
      {{"mark", size},
       {"encoding", {{"x", x}, {"y", y}, {"color", colour}, {"shape", Shape(rows)}}}}};
  return view;
}

}  // namespace gridsweep::analysis
