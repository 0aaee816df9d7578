// Where a readout's activity says the animal is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "science/integrator/readout.h"
#include "science/integrator/trajectory.h"

namespace gridsweep::integrator {

// Distance in metres; in a periodic box the shortest way round.
double Distance(const Box& box, Vec2 a, Vec2 b);

// Decodes rows of readout activity, [n, outputs] float32.
class Decoder {
 public:
  // Keeps a reference to `readout`.
  Decoder(const science::RunConfig& config, const ReadoutMap& readout);

  // True when three of the place cells vote by their fields' centres; otherwise
  // (Cartesian and polar readouts) the map of the position is inverted.
  bool votes() const { return readout_.place_cells() != nullptr; }

  // The published rule. Of place cells the 3 most active vote, for
  // true_difference_of_gaussians the 3 least active ones. Ties of activity: the
  // lower index. Of cells with several fields, the combination of one field a
  // cell with the smallest summed variance (the first in lexicographic order, the
  // cells by rank). The vote is the mean of the centres. In periodic boxes the
  // variance is that of the wrapped distances, the mean the circular one.
  // Linear maps are inverted by their pseudo-inverse; the angle of high_dim_polar is
  // the preferred one of the most active cell of the second half.
  Vec2 Published(const float* activity) const;
  // The 3 most active cells, whatever the readout. Precondition: votes().
  Vec2 MostActive(const float* activity) const;

 private:
  Vec2 Vote(const float* activity, bool least) const;
  Vec2 Linear(const float* activity) const;
  Vec2 Polar(const float* activity) const;

  Box box_;
  const ReadoutMap& readout_;
  science::Readout kind_;
  int64_t outputs_;
  std::vector<double> inverse_;        // pseudo-inverse of A: [outputs, 2], or of a: [outputs / 2]
  std::vector<int64_t> field_counts_;  // fields of each cell
};

}  // namespace gridsweep::integrator
