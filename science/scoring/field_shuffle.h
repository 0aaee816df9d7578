// Ratemaps with the fields of a given one at random places: a null for grid scores that keeps the
// fields' shapes and rates. Source: docs/science.md, "Chance" (after Barry and Burgess 2017).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "science/scoring/ratemap.h"

namespace gridsweep::scoring {

// Number i of a sequence of independent uniform ones, between 0 and 1 without either.
using Uniforms = std::function<double(uint64_t i)>;

class FieldShuffler {
 public:
  // `ratemap` [grid.nx, grid.ny], NaN = unvisited. Its fields are those of FindFields, each cut
  // into the parts from which steepest ascent of the smoothed map (SmoothMap) leads to one peak.
  FieldShuffler(std::span<const double> ratemap, const BinGrid& grid);

  int fields() const { return static_cast<int>(fields_.size()); }

  // The same rates in other visited bins. From the largest field to the smallest, each is turned by
  // quarter turns (half turns of an oblong map) and shifted to a place where it is whole within the
  // map, both at random; of ten such draws the first with the least of it on bins that are taken or
  // unvisited. What still is goes to the nearest free bin, the bins next to the field's peak first.
  // The rates outside fields fill the other bins at random.
  std::vector<double> Shuffle(const Uniforms& uniforms) const;

 private:
  struct Bin {
    int x, y;
    double rate;
  };
  using Bins = std::vector<Bin>;
  // Where the bins of field `f` come to lie.
  Bins Place(size_t f, const Uniforms& uniforms, const std::vector<char>& free) const;
  int NearestFree(int x, int y, const std::vector<char>& free) const;

  int nx_, ny_;
  std::vector<char> visited_;
  std::vector<Bins> fields_;  // largest first; bins relative to the peak, nearest first
  std::vector<double> rest_;  // rates outside fields
  Bins by_distance_;          // every shift within the map, nearest first
};

}  // namespace gridsweep::scoring
