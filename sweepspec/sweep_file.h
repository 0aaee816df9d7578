// Sweep files: W&B's format with our settings under `gridsweep:`. Read,
// checked and expanded here, with or without a server.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
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
  uint64_t collapsed = 0;                // values dropped because they equal another
  uint64_t excluded = 0;                 // points dropped by `exclude`
  bool needs_run_count = false;          // random, and no number of runs was given
};

struct ExpandResult {
  // Absent when a notice has severity ERROR.
  std::optional<ExpandedSweep> sweep;
  std::vector<v1::Notice> notices;
};

// Of a sweep's name: it is looked up by an index.
inline constexpr size_t kMaxNameBytes = 255;

struct ExpandOptions {
  std::optional<uint64_t> runs;  // number of random draws; overrides the file
  uint64_t max_runs = 1'000'000;
};

// Never throws; every fault is a notice with path, line and column.
ExpandResult ExpandYaml(const std::string& yaml, const ExpandOptions& options = {});
ExpandResult ExpandSpec(const v1::SweepSpec& spec, const ExpandOptions& options = {});

// The ERROR notices as INVALID_ARGUMENT with BadRequest details; `file` may be
// empty. Messages read "file:line:column: path: text".
absl::Status ToStatus(const std::vector<v1::Notice>& notices, const std::string& file);

}  // namespace gridsweep::sweepspec
