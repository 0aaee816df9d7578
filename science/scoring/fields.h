// Firing fields of a ratemap, and what is said of a unit by them. Source:
// docs/science.md, "Other metrics of a unit".
#pragma once

#include <span>
#include <vector>

#include "science/scoring/ratemap.h"

namespace gridsweep::scoring {

// The row-major bins of one field, ascending.
using Field = std::vector<int>;

// The bins of a map [nx, ny] that are 4-connected to `start` within `inside`, which holds them.
// They are taken out of `inside`.
Field TakeConnected(int start, int nx, int ny, std::vector<char>& inside);

// Fields of `ratemap` [grid.nx, grid.ny] (NaN = unvisited), ordered by their first bin: 4-connected
// bins with at least 0.3 of the map's maximum, of 200 cm2 or more. A map with negative rates is
// used after subtracting its minimum. None where no rate is above 0.
std::vector<Field> FindFields(std::span<const double> ratemap, const BinGrid& grid);

// Border score (c - d) / (c + d) of Solstad et al. 2008, -1 .. 1: c is the largest share of one
// wall's bins that one field covers; d the mean distance of all field bins to the wall nearest to
// each, weighted by rate, over half of the box's shorter side. A bin is where its centre is. NaN
// without a field. `fields` are those of `ratemap`.
double BorderScore(std::span<const double> ratemap, std::span<const Field> fields,
                   const BinGrid& grid);

}  // namespace gridsweep::scoring
