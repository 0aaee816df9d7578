// Parts of Vega-Lite 5 documents, as the panels use them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gridsweep::analysis {

// Keeps the order in which keys were written.
using Json = nlohmann::ordered_json;

// An encoding of a field by a number; `title` has the unit, as in "error, cm".
Json Quantitative(std::string_view field, const std::string& title);
// The same with a fixed domain.
Json Quantitative(std::string_view field, const std::string& title, double low, double high);
// An encoding by name, in the order of `order`; no title where it is empty.
Json Nominal(std::string_view field, const std::string& title,
             const std::vector<std::string>& order);
// Colours for things in an order, such as widths or thresholds: light to dark.
Json Sequential(std::string_view field, const std::string& title,
                const std::vector<std::string>& order);

// A view's size and headline. The view's mark or layers are added by the caller.
Json View(const std::string& title, int width, int height);
// Views under a headline, with scales of their own.
Json Beside(std::vector<Json> views);              // hconcat
Json Above(std::vector<Json> views);               // vconcat
Json Tiled(std::vector<Json> views, int columns);  // concat

// A line of text on its own, for what a figure cannot show.
Json TextView(const std::string& text, int width);

// A square map as rectangles of `step` pixels: values [side * side], first index
// x to the right, second y upwards; NaN is left white. `scheme` colours from
// `low` to `high`. Values are rounded to four digits.
Json HeatMap(const std::string& title, const std::vector<double>& values, int side, int step,
             double low, double high, std::string_view scheme);

// A whole document: a title, notes below it broken into lines, data sets by
// name, one view.
Json Document(const std::string& title, const std::vector<std::string>& notes, Json datasets,
              const Json& view);

// `value` with four significant digits: pictures need no more.
double Rounded(double value);

}  // namespace gridsweep::analysis
