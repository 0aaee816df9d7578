#include "science/scoring/fields.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace gridsweep::scoring {
namespace {

constexpr double kShareOfMaximum = 0.3;
constexpr double kSmallestFieldM2 = 0.02;

// What is subtracted from the rates: the map's minimum where it is negative.
double Floor(std::span<const double> ratemap) {
  double lowest = 0;
  for (const double rate : ratemap)
    if (rate < lowest) lowest = rate;
  return lowest;
}

}  // namespace

Field TakeConnected(int start, int nx, int ny, std::vector<char>& inside) {
  Field field = {start};
  inside[start] = false;
  for (size_t next = 0; next < field.size(); ++next) {
    const int i = field[next] / ny, j = field[next] % ny;
    const auto visit = [&](int x, int y) {
      if (x < 0 || y < 0 || x >= nx || y >= ny || !inside[x * ny + y]) return;
      inside[x * ny + y] = false;
      field.push_back(x * ny + y);
    };
    visit(i - 1, j);
    visit(i + 1, j);
    visit(i, j - 1);
    visit(i, j + 1);
  }
  std::ranges::sort(field);
  return field;
}

std::vector<Field> FindFields(std::span<const double> ratemap, const BinGrid& grid) {
  const double floor = Floor(ratemap);
  double highest = 0;
  for (const double rate : ratemap)
    if (rate - floor > highest) highest = rate - floor;
  std::vector<Field> fields;
  if (highest == 0) return fields;

  std::vector<char> inside(ratemap.size());
  for (size_t bin = 0; bin < ratemap.size(); ++bin)
    inside[bin] = ratemap[bin] - floor >= kShareOfMaximum * highest;
  const double bin_m2 = (grid.x_edges.back() - grid.x_edges.front()) / grid.nx *
                        (grid.y_edges.back() - grid.y_edges.front()) / grid.ny;
  // Eight bins of 5 x 5 cm2 are a field, however the product is rounded.
  const double smallest = kSmallestFieldM2 / bin_m2 * (1 - 1e-9);
  for (size_t bin = 0; bin < inside.size(); ++bin) {
    if (!inside[bin]) continue;
    Field field = TakeConnected(static_cast<int>(bin), grid.nx, grid.ny, inside);
    if (static_cast<double>(field.size()) >= smallest) fields.push_back(std::move(field));
  }
  return fields;
}

double BorderScore(std::span<const double> ratemap, std::span<const Field> fields,
                   const BinGrid& grid) {
  if (fields.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto to_wall = [](const std::vector<double>& edges, int bin) {
    const double centre = (edges[bin] + edges[bin + 1]) / 2;
    return std::min(centre - edges.front(), edges.back() - centre);
  };
  const double floor = Floor(ratemap);
  double covered = 0, weight = 0, distance = 0;
  for (const Field& field : fields) {
    std::array<int, 4> touched{};
    for (const int bin : field) {
      const int i = bin / grid.ny, j = bin % grid.ny;
      touched[0] += i == 0;
      touched[1] += i == grid.nx - 1;
      touched[2] += j == 0;
      touched[3] += j == grid.ny - 1;
      const double rate = ratemap[bin] - floor;
      weight += rate;
      distance += rate * std::min(to_wall(grid.x_edges, i), to_wall(grid.y_edges, j));
    }
    covered = std::max({covered, static_cast<double>(std::max(touched[0], touched[1])) / grid.ny,
                        static_cast<double>(std::max(touched[2], touched[3])) / grid.nx});
  }
  const double half_side = std::min(grid.x_edges.back() - grid.x_edges.front(),
                                    grid.y_edges.back() - grid.y_edges.front()) /
                           2;
  const double depth = distance / weight / half_side;
  return (covered - depth) / (covered + depth);
}

}  // namespace gridsweep::scoring
