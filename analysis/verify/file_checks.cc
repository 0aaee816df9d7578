#include "analysis/verify/file_checks.h"

#include <cmath>
#include <system_error>

#include "analysis/result_file.h"
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
      wrong = std::string(numbers.status().message());
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

void CheckFile(const RunFacts& run, const fs::path& artifacts,
               const std::vector<std::string>& metrics, Findings& findings) {
  if (!run.result) return;
  if (!run.result->artifact) {
    return findings.Expect(run.result->outcome != kSucceeded, "artifact", run.run_id,
                           "the run succeeded and names no file");
  }
  const std::string hex = HexOf(*run.result->artifact);
  const fs::path path = artifacts / hex.substr(0, 2) / hex.substr(2, 2) / (hex + ".h5");
  if (!CheckBytes(run, path, findings)) return;
  const auto file = ResultFile::Open(path);
  if (!file.ok()) {
    return findings.Expect(false, "artifact", run.run_id, std::string(file.status().message()));
  }
  const auto config = file->TextAttribute("config"), hash = file->TextAttribute("config_hash");
  findings.Expect(config.ok() && hash.ok() && HashOf(*config) == run.config_hash &&
                      *hash == HexOf(run.config_hash),
                  "file_config", run.run_id, "the file is of another configuration than the run");
  if (run.result->outcome == kSucceeded) CheckScores(run, *file, metrics, findings);
  CheckCurve(run, *file, findings);
}

}  // namespace gridsweep::analysis
