"""The mutations: each a formula made wrong by one sign, factor or index, and the test that must see it."""

from typing import NamedTuple


class Mutation(NamedTuple):
    name: str
    file: str
    old: str  # occurs once in the file
    new: str
    test: str  # target and binary


SCORING, GRID, INTEGRATOR = "science/scoring/", "scoring_test", "science/integrator/"
THEORY = "science/theory/"
NETWORK = "integrator_network_test"

MUTATIONS = [
    # Grid scores and periods.
    Mutation("score-60-adds-the-troughs", SCORING + "grid_scorer.cc",
             "std::min(c.at_60, c.at_120) - std::max", "std::min(c.at_60, c.at_120) + std::max", GRID),
    Mutation("score-60-takes-the-larger-peak", SCORING + "grid_scorer.cc",
             "std::min(c.at_60, c.at_120)", "std::max(c.at_60, c.at_120)", GRID),
    Mutation("score-90-without-the-half", SCORING + "grid_scorer.cc",
             "(c.at_45 + c.at_135) / 2", "(c.at_45 + c.at_135)", GRID),
    Mutation("ring-regularised-ten-times", SCORING + "rotation.cc", "area * 1e-5", "area * 1e-4", GRID),
    Mutation("ring-centred-with-the-other-sign", SCORING + "rotation.cc",
             ".at_60 = (pair(a, 5, 2) - mean * sum_60)", ".at_60 = (pair(a, 5, 2) + mean * sum_60)", GRID),
    Mutation("period-error-of-a-sample", SCORING + "period.cc",
             "std::sqrt(squares / count)", "std::sqrt(squares / (count - 1))", "scoring_golden_test"),
    Mutation("orientation-with-swapped-axes", SCORING + "period.cc",
             "std::atan2(peaks[k].y, peaks[k].x)", "std::atan2(peaks[k].x, peaks[k].y)", "scoring_golden_test"),
    Mutation("five-nearest-peaks", SCORING + "period.cc", "kNearest = 6", "kNearest = 5", GRID),
    # Ratemaps and unit metrics.
    Mutation("bins-with-swapped-axes", SCORING + "ratemap.cc", "i * ny + j", "j * nx + i", GRID),
    Mutation("bins-closed-on-the-right", SCORING + "ratemap.cc", "std::upper_bound", "std::lower_bound", GRID),
    Mutation("regression-that-trains-in-one-margin", SCORING + "map_regression.cc",
             "!near_[a][bin] && !near_[b][bin]", "folds_[bin] != a && !near_[b][bin]", GRID),
    Mutation("regression-centred-with-the-other-sign", SCORING + "map_regression.cc",
             "left.rowwise() -= means;", "left.rowwise() += means;", GRID),
    Mutation("information-in-nats", SCORING + "unit_metrics.cc", "std::log2(ratio)", "std::log(ratio)", GRID),
    # Walks.
    Mutation("walk-turns-into-the-wall", INTEGRATOR + "trajectory.cc",
             "Sign(angle) * (kPi / 2 - std::abs(angle))", "-Sign(angle) * (kPi / 2 - std::abs(angle))",
             "integrator_trajectory_test"),
    Mutation("walk-without-the-time-step-in-its-turns", INTEGRATOR + "trajectory.cc",
             "kSecondsPerStep * kTurnSd * random.Normal", "kTurnSd * random.Normal",
             "integrator_trajectory_test"),
    Mutation("heading-without-the-walls-turn", INTEGRATOR + "trajectory.cc",
             "walks.headings[row] = heading;", "walks.headings[row] = heading - wall.turn;",
             "integrator_trajectory_test"),
    Mutation("velocity-of-the-step-before", INTEGRATOR + "trajectory.cc",
             "const size_t row = (t - 1) * batch + b;",
             "const size_t row = t % static_cast<uint64_t>(steps) * batch + b;",
             "integrator_trajectory_test"),
    Mutation("turn-to-the-next-step", INTEGRATOR + "network_inputs.cc",
             "row < batch ? walks.start_heading[row] : walks.headings[row - batch]",
             "walks.start_heading[row % batch]", "integrator_network_inputs_test"),
    Mutation("shuffle-that-leaves-the-last-in-place", INTEGRATOR + "training_walks.cc",
             "random.Words(i)[0] * (i + 1) >> 32", "random.Words(i)[0] * i >> 32",
             "integrator_training_walks_test"),
    # Readouts.
    Mutation("field-without-the-two", INTEGRATOR + "place_cells.cc",
             "1 / (2 * width * width)", "1 / (width * width)", "integrator_place_cells_test"),
    Mutation("surround-by-variance", INTEGRATOR + "place_cells.cc",
             "? ratio : ratio * ratio", "? ratio * ratio : ratio", "integrator_place_cells_test"),
    Mutation("softmaxes-added", INTEGRATOR + "place_cells.cc",
             "Load(z + i) * scale - Load(surround + i)", "Load(z + i) * scale + Load(surround + i)",
             "integrator_place_cells_test"),
    Mutation("poisson-without-the-one", INTEGRATOR + "place_cells.cc", "return 1 + count;",
             "return count > 0 ? count : 1;", "integrator_place_cells_test"),
    # Losses.
    Mutation("loss-gradient-without-the-mean", INTEGRATOR + "loss.cc",
             "const float scale = weight / sum * per_row;", "const float scale = weight / sum;",
             "integrator_loss_test"),
    Mutation("squared-error-gradient-without-the-two", INTEGRATOR + "loss.cc",
             "2.0f / static_cast<float>(n)", "1.0f / static_cast<float>(n)", "integrator_loss_test"),
    # Networks and their initial weights.
    Mutation("glorot-of-one-fan", INTEGRATOR + "initializers.cc",
             "const double fans = static_cast<double>(rows + columns)",
             "const double fans = static_cast<double>(2 * rows)", "integrator_initializers_test"),
    Mutation("orthogonal-without-the-signs-of-r", INTEGRATOR + "initializers.cc",
             "q * r.diagonal().sign()", "q", "integrator_initializers_test"),
    Mutation("forget-bias-on-the-input-gate", INTEGRATOR + "weights.cc",
             "bias.narrow(0, units, units).fill_(1)", "bias.narrow(0, 0, units).fill_(1)",
             "integrator_weights_test"),
    Mutation("gradient-of-the-next-state", INTEGRATOR + "recurrent_layer.cc",
             "mask.defined() ? dropped_ : values_.previous", "mask.defined() ? dropped_ : values_.output",
             NETWORK),
    Mutation("gru-keeps-the-candidate", INTEGRATOR + "gru_cell.cc",
             "at::lerp_out(step.next_h, gate.c, step.h, gate.z)",
             "at::lerp_out(step.next_h, step.h, gate.c, gate.z)", NETWORK),
    Mutation("gru-resets-before-the-kernel", INTEGRATOR + "gru_cell.cc",
             "at::mul_out(d_state.c, d.c, gate.r)", "d_state.c.copy_(d.c)", NETWORK),
    Mutation("lstm-forgets-by-the-input-gate", INTEGRATOR + "lstm_cell.cc",
             "at::mul_out(step.next_c, gate.f, step.c)", "at::mul_out(step.next_c, gate.i, step.c)", NETWORK),
    Mutation("ugrnn-without-the-one", INTEGRATOR + "ugrnn_cell.cc",
             "gate.g.add_(1).sigmoid_()", "gate.g.sigmoid_()", NETWORK),
    Mutation("dropout-not-scaled", INTEGRATOR + "dropout.cc", "1 / (1 - rate)", "1.0",
             "integrator_dropout_test"),
    Mutation("state-dropped-on-its-way-back-only", INTEGRATOR + "recurrent_layer.cc",
             "at::mul_out(h, step.h, mask)", "h.copy_(step.h)", NETWORK),
    # Decoding.
    Mutation("vote-of-the-least-for-all", INTEGRATOR + "decoder.cc",
             "least ? -activity[i] : activity[i]", "least ? activity[i] : -activity[i]",
             "integrator_decoder_test"),
    Mutation("pseudo-inverse-with-the-other-sign", INTEGRATOR + "decoder.cc",
             "xx * yy - xy * xy", "xx * yy + xy * xy", "integrator_decoder_test"),
    Mutation("distance-of-another-geometry", INTEGRATOR + "decoder.cc",
             "d.x * d.x + d.y * d.y", "d.x * d.x - d.y * d.y", "integrator_decoder_test"),
    # Theory.
    Mutation("closed-form-of-one-dimension", THEORY + "closed_form.cc",
             "s * s * s * s * alpha_i / alpha_e", "s * s * s * alpha_i / alpha_e", "theory_test"),
    Mutation("surround-without-its-volume", THEORY + "closed_form.cc",
             "alpha_i * s * s * std::exp", "alpha_i * s * std::exp", "theory_test"),
    Mutation("lattice-period-of-the-box", THEORY + "correlations.cc",
             "/ (res * spacing())", "/ side", "theory_test"),
    Mutation("spectrum-of-one-of-two-cells", THEORY + "correlations.cc",
             "(power[i * res + j] + power[opposite]) / 2", "power[i * res + j]", "theory_test"),
    Mutation("spacing-without-the-two", THEORY + "ring.cc",
             "4 * std::numbers::pi / (std::numbers::sqrt3", "2 * std::numbers::pi / (std::numbers::sqrt3",
             "theory_test"),
    Mutation("cubic-energy-of-a-square", THEORY + "lattice_energy.cc",
             "value * value * value", "value * value", "theory_test"),
    Mutation("pattern-without-decay", THEORY + "pattern_formation.cc",
             "convolved_[i] - maps_[i]", "convolved_[i] + maps_[i]", "theory_test"),
    Mutation("units-inhibited-by-those-before", THEORY + "pattern_formation.cc",
             "Eigen::Upper", "Eigen::Lower", "theory_test"),
]
