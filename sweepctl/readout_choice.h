// Which readouts a command is about: those of a sweep file, of key=value
// pairs, or of a stored sweep.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "science/config/run_config.h"
#include "sweepctl/console.h"

namespace gridsweep::sweepctl {

struct ReadoutChoice {
  struct Readout {
    science::RunConfig config;  // a run's that has it, with the smallest seed
    int64_t runs;
  };
  std::vector<Readout> readouts;  // distinct, in the order of the file; or, where there are none,
  std::string sweep;              // a stored sweep, by id or name
};

// `words`: FILE (or -), SWEEP, or PARAMETER=VALUE..., where [A, B] is several
// values. One word is a file where one of that name exists or it ends in .yaml
// or .yml. `runs`: number of draws, for a file with method: random. Notices of
// the file go to stderr. Errors: INVALID_ARGUMENT for a file or value that is
// not valid (which stderr has explained), NOT_FOUND for a file that is missing.
absl::StatusOr<ReadoutChoice> ChooseReadouts(Console& console,
                                             const std::vector<std::string>& words,
                                             std::optional<uint64_t> runs);

}  // namespace gridsweep::sweepctl
