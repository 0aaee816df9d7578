// What the tables say of a sweep, as it stands, for VerifySweep to judge.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/queries/database.h"

namespace gridsweep::analysis {

struct SweepFacts {
  int64_t sweep_id = 0;
  std::string method;
  int64_t first_run_id = 0;
  int64_t run_count = 0;
};

struct AttemptFacts {
  int64_t attempt;
  std::string token, outcome;
  bool counted;    // as a failure
  bool withdrawn;  // it brought a result that a retry has taken away
};

struct ResultFacts {
  int64_t outcome;  // 1 succeeded, 2 diverged
  std::string token;
  std::optional<std::string> artifact;   // SHA-256, 32 raw bytes
  std::optional<int64_t> artifact_size;  // of the artifacts row
  int64_t unit_count;
  int64_t steps;
  std::map<std::string, std::optional<double>> metrics;  // each of the table's
  bool has_readout;                                      // the run's own, and its family
  // Units above the published thresholds; absent in a run that diverged.
  std::optional<std::vector<int64_t>> units_above;
  std::optional<int64_t> reused_from;                    // the run that was trained
  // Of that run, where it still has a result: raw bytes, and whether the results have the same
  // outcome, artifact, steps, unit count, numerics_id and science_version.
  std::optional<std::string> source_config_hash;
  bool equals_source = false;
};

struct RollupFacts {
  std::string metric;
  int64_t n, nulls;
  std::optional<double> min, max;
  double sum;
  std::optional<std::vector<int64_t>> bins;
};

struct RunFacts {
  int64_t run_id, ordinal;
  std::string config_hash;  // raw bytes
  std::string config_json;  // as jsonb prints it
  // Columns that repeat parts of the configuration, by their names.
  std::map<std::string, std::string> columns;
  int64_t total_steps;
  std::optional<int64_t> state, attempt, failures;  // absent without a run_state row
  std::optional<int64_t> lease_attempt;             // absent without a lease
  std::optional<ResultFacts> result;
  std::vector<AttemptFacts> attempts;  // in order
  std::vector<int64_t> curve_steps;    // in order
  std::vector<RollupFacts> rollups;
  // Units: numbers in order, and for each metric of the table a value a unit.
  std::vector<int64_t> units;
  std::map<std::string, std::vector<std::optional<double>>> unit_values;
};

// NOT_FOUND when there is no such sweep.
absl::StatusOr<SweepFacts> ReadSweepFacts(Snapshot& snapshot, int64_t sweep_id);
// Names of the metrics that the tables have.
struct MetricColumns {
  std::vector<std::string> of_units, of_runs;
};
MetricColumns ReadMetricColumns(Snapshot& snapshot);
// Up to `limit` runs of the sweep with run_id > `after`, in order, with all
// that belongs to them.
std::vector<RunFacts> ReadRunFacts(Snapshot& snapshot, int64_t sweep_id, int64_t after, int limit,
                                   const MetricColumns& metrics);

}  // namespace gridsweep::analysis
