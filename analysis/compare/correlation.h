// Correlations of pairs, with 95% intervals. Source: docs/science.md, "Neural predictivity".
#pragma once

#include <span>
#include <utility>

#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::analysis {

// Pearson's and Spearman's coefficient of independent pairs, each with its interval on Fisher's z
// scale; ties have the mean of their ranks. Coefficients are absent for fewer than four pairs, and
// where one side is the same in all; intervals also where a coefficient is 1 or -1, since there the
// scale ends. `of` is left empty.
v1::NeuralPredictivityResponse::Correlation CorrelationOf(
    std::span<const std::pair<double, double>> pairs);

}  // namespace gridsweep::analysis
