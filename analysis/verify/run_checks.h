// Checks of one run's rows against each other.
#pragma once

#include "analysis/queries/verify_queries.h"
#include "analysis/verify/findings.h"

namespace gridsweep::analysis {

// Checks (the names that findings carry):
//   config_hash      SHA-256 of the canonical configuration, made again
//   config_columns   columns that repeat the configuration agree with it
//   run_state        the run has one state
//   unfinished       the state is one that a run ends in
//   leases           only a leased run has a lease
//   result           SUCCEEDED and DIVERGED runs have a result of that outcome, others none
//   steps            a succeeded run did all its steps, a diverged one no more
//   attempts         numbers 1..attempt; the one that brought the result has its token; of those
//                    that brought one a retry took away all others
//   failures         as many attempts count as failures as the run says, and each of them failed
//   unit_count       Ng units in a succeeded run, none in any other
//   units_contiguous unit numbers 0..unit_count-1, each once
//   unit_values      no value is NaN or infinite
//   rollups          one a metric, equal to a recount of the units
//   run_maxima       the run's largest scores are those of its units
//   fractions        the result has the run's readout, and the numbers of units above the published
//                    thresholds
//   learning_curve   at most 256 points, steps rising, none beyond the last step
// `metrics`: the unit metrics that the schema has.
void CheckRun(const RunFacts& run, const std::vector<std::string>& metrics, Findings& findings);

}  // namespace gridsweep::analysis
