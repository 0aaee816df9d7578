// Ratemaps as one picture: a tile a unit, grouped under headings.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gridsweep::analysis {

struct Tile {
  int64_t run_id;
  uint32_t unit;
  std::string heading;  // tiles of one heading stand together
  std::optional<double> score;
  std::vector<float> ratemap = {};          // [nbins * nbins], first index x; NaN = never visited
  std::vector<float> autocorrelogram = {};  // [(2 nbins - 1)^2], or empty
};

// `title` stands above all. Colours: each map from its own minimum (dark blue) to its maximum
// (yellow), autocorrelograms from -1 to 1; never visited bins light grey. x runs to the right, y
// upwards. Headings come in the order in which they first appear; a legend of the colours stands
// below. The picture as PNG bytes. Errors: INVALID_ARGUMENT without tiles.
absl::StatusOr<std::string> DrawRatemapSheet(const std::string& title, int nbins,
                                             const std::vector<Tile>& tiles);

}  // namespace gridsweep::analysis
