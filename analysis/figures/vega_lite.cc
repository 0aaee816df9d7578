#include "analysis/figures/vega_lite.h"

#include <absl/strings/str_format.h>

#include <charconv>
#include <cmath>

#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

constexpr size_t kNoteColumns = 118;  // of a line under the title

// Breaks a note at spaces.
void Wrap(const std::string& note, Json& lines) {
  std::string line;
  for (size_t at = 0; at < note.size();) {
    const size_t space = std::min(note.find(' ', at), note.size());
    const std::string word = note.substr(at, space - at);
    if (!line.empty() && line.size() + 1 + word.size() > kNoteColumns) {
      lines.push_back(line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    at = space + 1;
  }
  if (!line.empty()) lines.push_back(line);
}

// One style for every panel: that of a paper, black on white.
Json Style() {
  return {{"background", "white"},
          {"font", "Liberation Sans, Arial, sans-serif"},
          {"view", {{"stroke", nullptr}}},
          {"axis",
           {{"labelFontSize", 11},
            {"titleFontSize", 12},
            {"titleFontWeight", "normal"},
            {"gridColor", "#ececec"},
            {"domainColor", "#888"},
            {"tickColor", "#888"},
            {"labelLimit", 260}}},
          {"legend",
           {{"labelFontSize", 11},
            {"titleFontSize", 11},
            {"titleFontWeight", "normal"},
            {"labelLimit", 320},
            {"symbolLimit", 40}}},
          {"title",
           {{"anchor", "start"},
            {"fontSize", 13},
            {"fontWeight", "normal"},
            {"subtitleFontSize", 11},
            {"subtitleColor", "#555"},
            {"subtitleLineHeight", 15},
            {"subtitlePadding", 6}}},
          {"concat", {{"spacing", 26}}},
          {"range",
           {{"category",
             {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d",
              "#666666"}}}}};
}

Json Concatenated(const char* how, std::vector<Json> views) {
  return {{how, std::move(views)},
          {"resolve", {{"scale", {{"color", "independent"}, {"shape", "independent"}}}}}};
}

}  // namespace

double Rounded(double value) {
  if (!std::isfinite(value)) return value;
  const std::string text = absl::StrFormat("%.4g", value);
  double rounded = value;
  std::from_chars(text.data(), text.data() + text.size(), rounded);
  return rounded;
}

Json Quantitative(std::string_view field, const std::string& title) {
  return {{"field", field}, {"type", "quantitative"}, {"title", title}};
}

Json Quantitative(std::string_view field, const std::string& title, double low, double high) {
  Json encoding = Quantitative(field, title);
  encoding["scale"] = {{"domain", {low, high}}, {"nice", false}};
  return encoding;
}

Json Nominal(std::string_view field, const std::string& title,
             const std::vector<std::string>& order) {
  Json encoding = {{"field", field}, {"type", "nominal"}, {"sort", order}};
  encoding["title"] = title.empty() ? Json(nullptr) : Json(title);
  return encoding;
}

Json Sequential(std::string_view field, const std::string& title,
                const std::vector<std::string>& order) {
  Json encoding = Nominal(field, title, order);
  encoding["type"] = "ordinal";
  // The pale end of the scheme cannot be seen on white.
  encoding["scale"] = {{"scheme", {{"name", "viridis"}, {"extent", {0.92, 0.0}}}}};
  return encoding;
}

Json View(const std::string& title, int width, int height) {
  return {{"title", title}, {"width", width}, {"height", height}};
}

Json Beside(std::vector<Json> views) { return Concatenated("hconcat", std::move(views)); }
Json Above(std::vector<Json> views) { return Concatenated("vconcat", std::move(views)); }

Json Tiled(std::vector<Json> views, int columns) {
  Json tiled = Concatenated("concat", std::move(views));
  tiled["columns"] = columns;
  tiled["spacing"] = 12;
  return tiled;
}

Json TextView(const std::string& text, int width) {
  Json view = View("", width, 18);
  view.erase("title");
  view["data"] = {{"values", {{{"text", text}}}}};
  view["mark"] = {{"type", "text"}, {"align", "left"}, {"fontSize", 12}, {"fontStyle", "italic"}};
  view["encoding"] = {{"x", {{"value", 0}}}, {"text", {{"field", "text"}, {"type", "nominal"}}}};
  return view;
}

Json HeatMap(const std::string& title, const std::vector<double>& values, int side, int step,
             double low, double high, std::string_view scheme) {
  Json rounded = Json::array();
  for (const double value : values) {
    rounded.push_back(std::isfinite(value) ? Json(Rounded(value)) : Json(nullptr));
  }
  Json view = {{"title", {{"text", title}, {"fontSize", 10}, {"anchor", "middle"}, {"offset", 3}}},
               {"width", {{"step", step}}},
               {"height", {{"step", step}}},
               {"data", {{"values", {{{"value", std::move(rounded)}}}}}},
               {"transform",
                {{{"flatten", {"value"}}},
                 {{"window", {{{"op", "row_number"}, {"as", "index"}}}}},
                 {{"calculate", StrCat("floor((datum.index - 1) / ", side, ")")}, {"as", "x"}},
                 {{"calculate", StrCat("(datum.index - 1) % ", side)}, {"as", "y"}},
                 {{"filter", "datum.value !== null"}}}},
               {"mark", {{"type", "rect"}, {"strokeWidth", 0}}}};
  const Json place = {{"type", "ordinal"}, {"axis", nullptr}, {"scale", {{"padding", 0}}}};
  Json x = place, y = place;
  x["field"] = "x";
  y["field"] = "y";
  y["sort"] = "descending";
  // Bins that are all empty keep their place.
  Json bins = Json::array();
  for (int i = 0; i < side; ++i) bins.push_back(i);
  x["scale"]["domain"] = bins;
  y["scale"]["domain"] = bins;
  view["encoding"] = {{"x", x},
                      {"y", y},
                      {"color",
                       {{"field", "value"},
                        {"type", "quantitative"},
                        {"legend", nullptr},
                        {"scale", {{"domain", {low, high}}, {"scheme", scheme}}}}}};
  return view;
}

Json Document(const std::string& title, const std::vector<std::string>& notes, Json datasets,
              const Json& view) {
  Json lines = Json::array();
  for (const auto& note : notes) Wrap(note, lines);
  Json document = {{"$schema", "https://vega.github.io/schema/vega-lite/v5.json"},
                   {"title",
                    {{"text", title},
                     {"subtitle", std::move(lines)},
                     {"fontSize", 16},
                     {"fontWeight", "bold"},
                     {"offset", 14}}},
                   {"padding", 16},
                   {"config", Style()},
                   {"datasets", std::move(datasets)}};
  document.update(view);
  return document;
}

}  // namespace gridsweep::analysis
