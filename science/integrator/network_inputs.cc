#include "science/integrator/network_inputs.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gridsweep::integrator {
namespace {

// [steps * batch, 3]
void SpeedAndTurn(const Walks& walks, float* inputs) {
  const auto batch = static_cast<size_t>(walks.batch);
  for (size_t row = 0; row < walks.headings.size(); ++row) {
    const double before = row < batch ? walks.start_heading[row] : walks.headings[row - batch];
    const double turn = walks.headings[row] - before;
    inputs[3 * row] = walks.step_length[row];
    inputs[3 * row + 1] = static_cast<float>(std::cos(turn));
    inputs[3 * row + 2] = static_cast<float>(std::sin(turn));
  }
}

}  // namespace

void GiveWalks(const Walks& walks, const ReadoutMap& readout, const HeadDirectionCells& directions,
               Network& network) {
  float* inputs = network.inputs().data_ptr<float>();
  if (network.inputs().size(1) == 2) {
    std::ranges::copy(walks.velocity, inputs);
  } else {
    SpeedAndTurn(walks, inputs);
  }

  float* start = network.start().data_ptr<float>();
  if (network.start().size(1) == readout.outputs()) {
    readout.Targets(walks.start, start);
    return;
  }
  const at::Tensor place = at::empty({walks.batch, readout.outputs()});
  const at::Tensor direction = at::empty({walks.batch, directions.cells()});
  readout.Targets(walks.start, place.data_ptr<float>());
  directions.Respond(walks.start_heading, direction.data_ptr<float>());
  at::cat_out(network.start(), {place, direction}, 1);
}

}  // namespace gridsweep::integrator
