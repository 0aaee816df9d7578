// Theories and patterns as messages.
#pragma once

#include <span>
#include <string>

#include "gridsweep/v1/analysis.pb.h"
#include "science/config/run_config.h"
#include "science/theory/lattice_class.h"
#include "science/theory/pattern_formation.h"
#include "science/theory/readout_theory.h"

namespace gridsweep::analysis {

v1::ReadoutTheory ToProto(const theory::ReadoutTheory& theory, const science::RunConfig& config,
                          int64_t runs, int res, bool with_maps);

// Every default written out.
v1::PatternDynamics ToProto(const theory::PatternOptions& options);

// Adds one unit, and counts it.
void AddUnit(v1::PatternOutcome& outcome, const theory::LatticeReading& reading);

// float32 as it lies in memory, little endian.
std::string FloatBytes(std::span<const double> values);

}  // namespace gridsweep::analysis
