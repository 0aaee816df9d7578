// Sweep files: W&B's format with our settings under `gridsweep:`. Read,
// checked and expanded here, with or without a server.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gridsweep/v1/sweep.pb.h"
#include "science/config/run_config.h"

namespace gridsweep::sweepspec {

// A sweep, read and expanded.
struct ExpandedSweep {
  std::string name;
  std::string method;                // "grid" or "random"
  std::string metadata_json = "{}";  // program, project, metric..., kept without effect
  v1::SweepSettings settings;
  std::optional<int64_t> sampler_seed;   // random only
  std::vector<science::RunConfig> runs;  // in order; empty when a random sweep names no number
  uint64_t run_count = 0;                // of all runs, also those that are not kept in `runs`
  double total_flop = 0;                 // to train them all
  uint64_t collapsed = 0;                // values dropped because they equal another
  uint64_t excluded = 0;                 // points dropped by `exclude`
  bool needs_run_count = false;          // random, and no number of runs was given
};

struct ExpandResult {
  enum class End { kDone, kStopped, kOutOfMemory };
  // Absent when a notice has severity ERROR, and unless `end` is kDone.
  std::optional<ExpandedSweep> sweep;
  std::vector<v1::Notice> notices;
  End end = End::kDone;
  uint64_t steps = 0;  // what it took
};

// Of a sweep's name: it is looked up by an index.
inline constexpr size_t kMaxNameBytes = 255;

// What an expansion may cost. A step is a comparison of a point with a part of `exclude`; a point
// or a draw costs kStepsAPoint. Ten seconds on a slow core; the largest grid that is walked at all
// fits.
inline constexpr uint64_t kStepsAPoint = 100;
inline constexpr uint64_t kMaxSteps = 4'000'000'000;

struct ExpandOptions {
  std::optional<uint64_t> runs = {};  // number of random draws; overrides the file
  uint64_t max_runs = 1'000'000;
  uint64_t keep_runs = UINT64_MAX;  // the first so many are kept
  uint64_t max_steps = kMaxSteps;
  // Called every few milliseconds with the steps since the last call; true ends the expansion.
  std::function<bool(uint64_t steps)> stop = {};
};

// Never throws; every fault is a notice with path, line and column.
ExpandResult ExpandYaml(const std::string& yaml, const ExpandOptions& options = {});
ExpandResult ExpandSpec(const v1::SweepSpec& spec, const ExpandOptions& options = {});

// The ERROR notices as INVALID_ARGUMENT with BadRequest details; `file` may be
// empty. Messages read "file:line:column: path: text".
absl::Status ToStatus(const std::vector<v1::Notice>& notices, const std::string& file);

}  // namespace gridsweep::sweepspec
