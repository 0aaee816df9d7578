#include "science/integrator/network_inputs.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "science/integrator/device.h"

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

// y(p_1), where there is room for more with the head-direction activity beside it.
void GiveStart(const Walks& walks, const ReadoutMap& readout, const HeadDirectionCells& directions,
               at::Tensor& start) {
  if (start.size(1) == readout.outputs()) {
    readout.Targets(walks.start, start.data_ptr<float>());
    return;
  }
  const at::Tensor place = at::empty({walks.batch, readout.outputs()});
  const at::Tensor direction = at::empty({walks.batch, directions.cells()});
  readout.Targets(walks.start, place.data_ptr<float>());
  directions.Respond(walks.start_heading, direction.data_ptr<float>());
  at::cat_out(start, {place, direction}, 1);
}

}  // namespace

void GiveWalks(const Walks& walks, const ReadoutMap& readout, const HeadDirectionCells& directions,
               Network& network) {
  const at::Tensor inputs = HostSideOf(network.inputs());
  if (inputs.size(1) == 2) {
    std::ranges::copy(walks.velocity, inputs.data_ptr<float>());
  } else {
    SpeedAndTurn(walks, inputs.data_ptr<float>());
  }
  network.inputs().copy_(inputs);

  at::Tensor start = HostSideOf(network.start());
  GiveStart(walks, readout, directions, start);
  network.start().copy_(start);
}

}  // namespace gridsweep::integrator
