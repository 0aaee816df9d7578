#include "analysis/verify/file_checks.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <system_error>

#include "analysis/verify/canonical_config.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSucceeded = 1;

// Whether the file is there and is what its name says.
bool CheckBytes(const RunFacts& run, const fs::path& path, Findings& findings) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  std::string wrong;
  if (error) {
    wrong = StrCat("there is no file ", path.string());
  } else if (!run.result->artifact_size ||
             static_cast<int64_t>(size) != *run.result->artifact_size) {
    wrong = StrCat(path.string(), " has ", size, " bytes, its row says ",
                   run.result->artifact_size.value_or(-1));
  } else if (const auto hash = HashOfFile(path); hash != *run.result->artifact) {
    wrong = StrCat(path.string(), " hashes to ", hash ? HexOf(*hash) : "nothing: it is unreadable");
  }
  findings.Expect(wrong.empty(), "artifact", run.run_id, wrong);
  return wrong.empty();
}

void CheckScores(const RunFacts& run, const ResultFile& file,
                 const std::vector<std::string>& metrics, Findings& findings) {
  for (const std::string& metric : metrics) {
    const auto found = run.unit_values.find(metric);
    if (found == run.unit_values.end()) continue;
    const auto& stored = found->second;
    const auto numbers = file.Numbers("/scores/" + metric);
    std::string wrong;
    if (!numbers.ok()) {
      // Results of before the metric was known are stored as none.
      if (std::ranges::any_of(stored, [](const auto& value) { return value.has_value(); })) {
        wrong = std::string(numbers.status().message());
      }
    } else if (numbers->size() != stored.size()) {
      wrong = StrCat("the file has ", numbers->size(), " values of ", metric, ", the table ",
                     stored.size());
    } else {
      int64_t differ = 0;
      size_t first = 0;
      for (size_t i = 0; i < stored.size(); ++i) {
        const bool same = stored[i] ? (*numbers)[i] == *stored[i] : std::isnan((*numbers)[i]);
        if (!same && differ++ == 0) first = i;
      }
      if (differ > 0) {
        wrong = StrCat(differ, " values of ", metric, " differ from the file's, first of unit ",
                       run.units[first]);
      }
    }
    findings.Expect(wrong.empty(), "file_scores", run.run_id, wrong);
  }
}

std::optional<double> OrNone(double value) {
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

void CheckMetrics(const RunFacts& run, const ResultFile& file, Findings& findings) {
  for (const auto& [metric, stored] : run.result->metrics) {
    const auto in_file = OrNone(file.Metric(metric));
    findings.Expect(stored == in_file, "file_metrics", run.run_id,
                    StrCat(metric, " is ", Shown(stored), ", the file has ", Shown(in_file)));
  }
}

// Counts again what scores of a null say: metrics `prefix` + "fraction_above_...".
void CheckNull(const RunFacts& run, const std::string& prefix, const std::string& summary,
               const std::optional<double>& counted_summary,
               const std::optional<std::vector<double>>& scores, Findings& findings) {
  const auto expect = [&](const std::string& metric, const std::optional<double>& counted) {
    const auto& stored = run.result->metrics.at(metric);
    findings.Expect(
        stored == counted, "chance", run.run_id,
        StrCat(metric, " is ", Shown(stored), ", the file's scores give ", Shown(counted)));
  };
  expect(summary, counted_summary);
  for (const int hundredths : {30, 75, 80, 85, 100, 115}) {
    std::optional<double> fraction;
    if (scores) {
      const auto above =
          std::ranges::count_if(*scores, [&](double score) { return score > hundredths / 100.0; });
      fraction = static_cast<double>(above) / static_cast<double>(scores->size());
    }
    expect(StrCat(prefix, "fraction_above_", hundredths < 100 ? "0" : "", hundredths), fraction);
  }
}

// Those that a null has, ascending.
std::vector<double> Sorted(const std::optional<std::vector<double>>& scores) {
  std::vector<double> sorted;
  for (const double score : scores.value_or(std::vector<double>())) {
    if (!std::isnan(score)) sorted.push_back(score);
  }
  std::ranges::sort(sorted);
  return sorted;
}

void CheckChance(const RunFacts& run, const ResultFile& file, Findings& findings) {
  const auto read = [&](const char* dataset) -> std::optional<std::vector<double>> {
    const auto numbers = file.Numbers(dataset);
    return numbers.ok() ? std::optional(*numbers) : std::nullopt;
  };
  const auto shuffled = read("/chance/grid_score_60");
  const auto untrained = read("/untrained/grid_score_60");
  std::optional<double> p95, largest;
  if (const auto sorted = Sorted(shuffled); !sorted.empty()) {
    // Between the two order statistics round rank 0.95 (n - 1), from 0.
    const double rank = 0.95 * static_cast<double>(sorted.size() - 1), below = std::floor(rank);
    const double low = sorted[static_cast<size_t>(below)];
    const double high = sorted[static_cast<size_t>(std::ceil(rank))];
    p95 = low + (rank - below) * (high - low);
  }
  if (const auto sorted = Sorted(untrained); !sorted.empty()) largest = sorted.back();
  CheckNull(run, "chance_", "chance_score_60_p95", p95, shuffled, findings);
  CheckNull(run, "untrained_", "untrained_max_score_60", largest, untrained, findings);
}

void CheckCurve(const RunFacts& run, const ResultFile& file, Findings& findings) {
  const auto steps = file.Numbers("/learning_curve/step");
  bool good = steps.ok();
  for (size_t i = 0; good && i < steps->size(); ++i) {
    good = (*steps)[i] <= static_cast<double>(run.total_steps) &&
           (i == 0 || (*steps)[i] > (*steps)[i - 1]);
  }
  findings.Expect(good, "file_curve", run.run_id,
                  steps.ok() ? "the file's learning curve is out of order or too long"
                             : std::string(steps.status().message()));
}

}  // namespace

void CheckFile(const RunFacts& run, const fs::path& artifacts, const ResultFiles& files,
               const std::vector<std::string>& metrics, Findings& findings) {
  if (!run.result) return;
  if (!run.result->artifact) {
    return findings.Expect(run.result->outcome != kSucceeded, "artifact", run.run_id,
                           "the run succeeded and names no file");
  }
  const std::string hex = HexOf(*run.result->artifact);
  const fs::path path = artifacts / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5");
  if (!CheckBytes(run, path, findings)) return;
  const auto file = files.OpenPath(path);
  if (!file.ok()) {
    return findings.Expect(false, "artifact", run.run_id, std::string(file.status().message()));
  }
  const auto config = file->TextAttribute("config"), hash = file->TextAttribute("config_hash");
  findings.Expect(config.ok() && hash.ok() && HashOf(*config) == run.config_hash &&
                      *hash == HexOf(run.config_hash),
                  "file_config", run.run_id, "the file is of another configuration than the run");
  if (run.result->outcome == kSucceeded) CheckScores(run, *file, metrics, findings);
  CheckMetrics(run, *file, findings);
  CheckChance(run, *file, findings);
  CheckCurve(run, *file, findings);
}

}  // namespace gridsweep::analysis
