// What a network is told of the walks. Private to science/integrator (includes
// LibTorch).
#pragma once

#include "science/integrator/head_direction_cells.h"
#include "science/integrator/network.h"
#include "science/integrator/readout.h"
#include "science/integrator/trajectory.h"

namespace gridsweep::integrator {

// Fills the inputs and the start of `network` (float32), which has room for as many
// steps and walks as there are. Inputs of step k are the velocity v_k, in
// BaninoLSTM (|v_k|, cos, sin of theta_{k+1} - theta_k); the start is y(p_1), in
// BaninoLSTM with the head-direction activity at theta_1 beside it.
void GiveWalks(const Walks& walks, const ReadoutMap& readout, const HeadDirectionCells& directions,
               Network& network);

}  // namespace gridsweep::integrator
