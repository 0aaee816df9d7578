#include "analysis/verify/run_checks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/verify/canonical_config.h"
#include "common/strings.h"
#include "science/config/metric_registry.h"

namespace gridsweep::analysis {
namespace {

using nlohmann::json;

enum State { kPending, kBackoff, kPaused, kLeased, kSucceeded, kDiverged, kFailed, kCancelled };
constexpr const char* kStateNames[] = {"PENDING",   "BACKOFF",  "PAUSED", "LEASED",
                                       "SUCCEEDED", "DIVERGED", "FAILED", "CANCELLED"};

bool IsFinished(const RunFacts& run) { return run.state == kSucceeded || run.state == kDiverged; }

std::string StateName(const RunFacts& run) {
  if (!run.state) return "without a state";
  return *run.state >= 0 && *run.state <= kCancelled ? kStateNames[*run.state] : "of unknown state";
}

// A configuration value as the columns write it.
std::string ColumnText(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return CanonicalNumber(value.get<double>());
  return value.dump();
}

// The range of a width: a number, "Uniform( a , b )" or "Poisson( r )".
std::optional<std::pair<double, double>> WidthRange(const std::string& text) {
  double a = 0, b = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "Uniform( %lf , %lf )%n", &a, &b, &used) == 2 && used > 0) {
    return std::pair(a, b);
  }
  used = 0;
  if (std::sscanf(text.c_str(), "%lf%n", &a, &used) == 1 && used == static_cast<int>(text.size())) {
    return std::pair(a, a);
  }
  return std::nullopt;
}

void CheckConfig(const RunFacts& run, Findings& findings) {
  const auto canonical = RebuildCanonicalConfig(run.config_json);
  findings.Expect(
      canonical && HashOf(*canonical) == run.config_hash, "config_hash", run.run_id,
      StrCat("config_hash is ", HexOf(run.config_hash), ", the stored configuration hashes to ",
             canonical ? HexOf(HashOf(*canonical)) : "nothing: it is no JSON object"));
  const json config = json::parse(run.config_json, nullptr, false);
  if (!config.is_object()) return;
  static constexpr std::pair<const char*, const char*> kCopies[] = {
      {"rnn_type", "rnn_type"},
      {"activation", "activation"},
      {"ng", "Ng"},
      {"np", "Np"},
      {"seed", "seed"},
      {"place_cell_rf", "place_cell_rf"},
      {"surround_scale", "surround_scale"}};
  for (const auto& [column, name] : kCopies) {
    const std::string stored = run.columns.at(column);
    const std::string expected = config.contains(name) ? ColumnText(config[name]) : "(absent)";
    findings.Expect(
        stored == expected, "config_columns", run.run_id,
        StrCat("column ", column, " is ", stored, ", the configuration has ", expected));
  }
  for (const char* width : {"place_cell_rf", "surround_scale"}) {
    const auto range = WidthRange(run.columns.at(width));
    if (!range) continue;
    const std::string low = run.columns.at(StrCat(width, "_low"));
    const std::string high = run.columns.at(StrCat(width, "_high"));
    findings.Expect(std::stod(low) == range->first && std::stod(high) == range->second,
                    "config_columns", run.run_id,
                    StrCat(width, " is ", run.columns.at(width), " but its range columns say ", low,
                           " to ", high));
  }
  if (config.contains("n_epochs") && config.contains("n_grad_steps_per_epoch")) {
    const auto steps =
        config["n_epochs"].get<int64_t>() * config["n_grad_steps_per_epoch"].get<int64_t>();
    findings.Expect(steps == run.total_steps, "config_columns", run.run_id,
                    StrCat("total_steps is ", run.total_steps, ", the configuration has ", steps));
  }
}

void CheckState(const RunFacts& run, Findings& findings) {
  findings.Expect(run.state && *run.state >= 0 && *run.state <= kCancelled, "run_state", run.run_id,
                  "the run is " + StateName(run));
  findings.Expect(run.state && *run.state >= kSucceeded, "unfinished", run.run_id,
                  "the run is still " + StateName(run));
  findings.Expect(run.lease_attempt.has_value() == (run.state == kLeased), "leases", run.run_id,
                  StrCat("the run is ", StateName(run),
                         run.lease_attempt ? " and has a lease" : " and has no lease"));
  const int64_t expected = run.state == kSucceeded ? 1 : run.state == kDiverged ? 2 : 0;
  const int64_t outcome = run.result ? run.result->outcome : 0;
  static constexpr const char* kOutcomes[] = {"no result", "a succeeded result",
                                              "a diverged result"};
  findings.Expect(outcome == expected, "result", run.run_id,
                  StrCat("the run is ", StateName(run), " and has ",
                         outcome >= 0 && outcome <= 2 ? kOutcomes[outcome] : "an unknown outcome"));
  if (run.result) {
    const bool all = run.result->outcome == 1;
    findings.Expect(all ? run.result->steps == run.total_steps
                        : run.result->steps >= 0 && run.result->steps <= run.total_steps,
                    "steps", run.run_id,
                    StrCat("the result has ", run.result->steps, " steps of ", run.total_steps));
  }
}

void CheckAttempts(const RunFacts& run, Findings& findings) {
  // A lease in force has no row yet.
  const int64_t ended = run.attempt.value_or(0) - (run.state == kLeased ? 1 : 0);
  bool numbered = static_cast<int64_t>(run.attempts.size()) == ended;
  for (size_t i = 0; i < run.attempts.size(); ++i) {
    numbered = numbered && run.attempts[i].attempt == static_cast<int64_t>(i) + 1;
  }
  findings.Expect(numbered, "attempts", run.run_id,
                  StrCat("the run counts ", run.attempt.value_or(0), " attempts, ",
                         run.attempts.size(), " rows are not numbers 1 to ", ended));
  if (run.lease_attempt) {
    findings.Expect(
        run.lease_attempt == run.attempt, "attempts", run.run_id,
        StrCat("the lease is attempt ", *run.lease_attempt, " of ", run.attempt.value_or(0)));
  }
  int64_t with_result = 0;
  bool right = true;
  for (const AttemptFacts& attempt : run.attempts) {
    const bool brought = attempt.outcome == "succeeded" || attempt.outcome == "diverged";
    if (attempt.withdrawn) {
      findings.Expect(brought && !(run.result && attempt.token == run.result->token), "attempts",
                      run.run_id,
                      StrCat("attempt ", attempt.attempt, " (", attempt.outcome,
                             ") has lost a result that it never brought, or that is there"));
      continue;
    }
    if (!brought) continue;
    ++with_result;
    right = right && run.result && attempt.token == run.result->token &&
            attempt.outcome == (run.state == kSucceeded ? "succeeded" : "diverged");
  }
  const bool trained = IsFinished(run) && !(run.result && run.result->reused_from);
  findings.Expect(
      right && with_result == (trained ? 1 : 0), "attempts", run.run_id,
      StrCat("the run is ", StateName(run), "; ", with_result, " of its attempts brought a result",
             right ? "" : ", not the one stored (token or outcome differ)"));
}

// A result that another run was trained for. That run may be gone, or trained anew.
void CheckReuse(const RunFacts& run, Findings& findings) {
  if (!run.result || !run.result->reused_from) return;
  const ResultFacts& result = *run.result;
  findings.Expect(!result.source_config_hash ||
                      (*result.source_config_hash == run.config_hash && result.equals_source),
                  "reuse", run.run_id,
                  StrCat("the result is that of run ", *result.reused_from,
                         ", whose configuration or result differs"));
}

void CheckFailures(const RunFacts& run, Findings& findings) {
  int64_t counted = 0;
  bool failed = true;
  for (const AttemptFacts& attempt : run.attempts) {
    if (!attempt.counted) continue;
    ++counted;
    failed = failed && (attempt.outcome == "failed" || attempt.outcome == "lost");
  }
  findings.Expect(counted == run.failures.value_or(0) && failed, "failures", run.run_id,
                  StrCat("the run counts ", run.failures.value_or(0), " failures, ", counted,
                         " of its attempts do", failed ? "" : ", one of which did not fail"));
}

void CheckUnits(const RunFacts& run, Findings& findings) {
  const json config = json::parse(run.config_json, nullptr, false);
  const auto rows = static_cast<int64_t>(run.units.size());
  const int64_t expected = run.state == kSucceeded && config.is_object() && config.contains("Ng")
                               ? config["Ng"].get<int64_t>()
                               : 0;
  const int64_t stored = run.result ? run.result->unit_count : 0;
  findings.Expect(stored == expected && rows == expected, "unit_count", run.run_id,
                  StrCat("the run is ", StateName(run), ": ", expected, " units expected, ", stored,
                         " reported, ", rows, " stored"));
  if (run.state == kSucceeded) {
    int64_t wrong = -1;
    for (int64_t i = 0; i < rows && wrong < 0; ++i) {
      if (run.units[i] != i) wrong = i;
    }
    findings.Expect(
        wrong < 0, "units_contiguous", run.run_id,
        wrong < 0 ? ""
                  : StrCat("unit ", wrong, " is missing; the next stored is ", run.units[wrong]));
  }
  for (const auto& [metric, values] : run.unit_values) {
    findings.Checked("unit_values", static_cast<int64_t>(values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] && !std::isfinite(*values[i])) {
        findings.Fault("unit_values", run.run_id,
                       StrCat("unit ", run.units[i], " has a ", metric, " that is not finite"));
      }
    }
  }
}

// Counts again: bin k of 402 holds the values with exactly k edges below them.
std::vector<int64_t> CountBins(const std::vector<std::optional<double>>& values) {
  std::vector<double> sorted;
  for (const auto& value : values) {
    if (value) sorted.push_back(*value);
  }
  std::ranges::sort(sorted);
  std::vector<int64_t> bins;
  size_t at = 0;
  for (int hundredths = -200; hundredths <= 200; ++hundredths) {
    const size_t start = at;
    while (at < sorted.size() && sorted[at] <= hundredths / 100.0) ++at;
    bins.push_back(static_cast<int64_t>(at - start));
  }
  bins.push_back(static_cast<int64_t>(sorted.size() - at));
  return bins;
}

void CheckRollup(const RunFacts& run, const std::string& metric, const RollupFacts* rollup,
                 Findings& findings) {
  const auto found = run.unit_values.find(metric);
  if (rollup == nullptr) {
    return findings.Expect(false, "rollups", run.run_id, StrCat("there is no rollup of ", metric));
  }
  const std::vector<std::optional<double>> none;
  const auto& values = found == run.unit_values.end() ? none : found->second;
  std::optional<double> low, high;
  double sum = 0, size = 0;
  int64_t nulls = 0;
  for (const auto& value : values) {
    if (!value) {
      ++nulls;
      continue;
    }
    low = std::min(low.value_or(*value), *value);
    high = std::max(high.value_or(*value), *value);
    sum += *value;
    size += std::abs(*value);
  }
  const auto n = static_cast<int64_t>(values.size());
  std::string wrong;
  if (rollup->n != n) wrong = StrCat("n is ", rollup->n, ", not ", n);
  if (rollup->nulls != nulls) wrong = StrCat("nulls is ", rollup->nulls, ", not ", nulls);
  if (rollup->min != low || rollup->max != high) wrong = "min or max differ";
  // Sums depend on the order of addition in their last digits.
  if (std::abs(rollup->sum - sum) > 1e-9 * size) {
    wrong = StrCat("sum is ", rollup->sum, ", not ", sum);
  }
  if (metric.rfind("grid_score_", 0) == 0) {
    if (!rollup->bins) {
      wrong = "it has no bins";
    } else if (*rollup->bins != CountBins(values)) {
      wrong = "its bins differ from the units counted again";
    }
  }
  findings.Expect(wrong.empty(), "rollups", run.run_id, StrCat("rollup of ", metric, ": ", wrong));
}

void CheckRollups(const RunFacts& run, const std::vector<std::string>& metrics,
                  Findings& findings) {
  if (run.state != kSucceeded) {
    return findings.Expect(run.rollups.empty(), "rollups", run.run_id,
                           StrCat("the run is ", StateName(run), " and has rollups"));
  }
  std::set<std::string> known(metrics.begin(), metrics.end());
  for (const auto& metric : metrics) {
    const auto rollup = std::ranges::find(run.rollups, metric, &RollupFacts::metric);
    CheckRollup(run, metric, rollup == run.rollups.end() ? nullptr : &*rollup, findings);
  }
  for (const RollupFacts& rollup : run.rollups) {
    if (!known.contains(rollup.metric)) {
      findings.Expect(
          false, "rollups", run.run_id,
          StrCat("there is a rollup of ", rollup.metric, ", which is no column of units"));
    }
  }
}

std::optional<double> Largest(const RunFacts& run, const std::string& metric) {
  std::optional<double> largest;
  const auto found = run.unit_values.find(metric);
  if (found == run.unit_values.end()) return largest;
  for (const auto& value : found->second) {
    if (value && (!largest || *value > *largest)) largest = value;
  }
  return largest;
}

void CheckMaxima(const RunFacts& run, Findings& findings) {
  if (!run.result || run.state != kSucceeded) return;
  const auto expect = [&](const char* name, const std::optional<double>& counted) {
    const auto& stored = run.result->metrics.at(name);
    findings.Expect(stored == counted, "run_maxima", run.run_id,
                    StrCat(name, " is ", Shown(stored), ", its units have ", Shown(counted)));
  };
  const auto largest_60 = Largest(run, "grid_score_60");
  expect("max_grid_score_60", largest_60);
  expect("max_grid_score_90", Largest(run, "grid_score_90"));
  const auto& sampled = run.result->metrics.at("max_score_60_1024");
  if (run.units.size() <= 1024) {
    expect("max_score_60_1024", largest_60);
  } else if (sampled) {
    // Which 1024 units were drawn is not stored: it must be some unit's score.
    const auto found = run.unit_values.find("grid_score_60");
    findings.Expect(found != run.unit_values.end() &&
                        std::ranges::find(found->second, sampled) != found->second.end(),
                    "run_maxima", run.run_id,
                    StrCat("max_score_60_1024 is ", Shown(sampled), ", which no unit has"));
  }
}

void CheckFractions(const RunFacts& run, Findings& findings) {
  if (!run.result) return;
  findings.Expect(run.result->has_readout, "fractions", run.run_id,
                  "its result has another readout than the run");
  std::optional<std::vector<int64_t>> counted;
  if (run.state == kSucceeded) {
    counted.emplace(science::kPublishedThresholds.size());
    const auto found = run.unit_values.find("grid_score_60");
    for (size_t i = 0; found != run.unit_values.end() && i < counted->size(); ++i) {
      (*counted)[i] = std::ranges::count_if(found->second, [&](const auto& score) {
        return score && *score > science::kPublishedThresholds[i];
      });
    }
  }
  findings.Expect(run.result->units_above == counted, "fractions", run.run_id,
                  "its result has other numbers of units above the published thresholds than its "
                  "units, counted again");
}

void CheckCurve(const RunFacts& run, Findings& findings) {
  const auto& steps = run.curve_steps;
  const bool in_range = steps.empty() || (steps.front() >= 0 && steps.back() <= run.total_steps);
  findings.Expect(in_range && steps.size() <= 256, "learning_curve", run.run_id,
                  StrCat("the curve has ", steps.size(), " points up to step ",
                         steps.empty() ? 0 : steps.back(), " of ", run.total_steps,
                         "; at most 256 points within the steps are allowed"));
}

}  // namespace

void CheckRun(const RunFacts& run, const std::vector<std::string>& metrics, Findings& findings) {
  CheckConfig(run, findings);
  CheckState(run, findings);
  CheckAttempts(run, findings);
  CheckReuse(run, findings);
  CheckFailures(run, findings);
  CheckUnits(run, findings);
  CheckRollups(run, metrics, findings);
  CheckMaxima(run, findings);
  CheckFractions(run, findings);
  CheckCurve(run, findings);
}

}  // namespace gridsweep::analysis
