#include "sweepctl/sweep_summary.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <cmath>

#include "common/strings.h"
#include "science/config/parameters.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::sweepctl {
namespace {

constexpr size_t kShownRuns = 5;
constexpr size_t kShownParameters = 8;

std::string HoursText(double hours) {
  return hours >= 1000 ? WithCommas(std::llround(hours)) : absl::StrFormat("%.3g", hours);
}

}  // namespace

v1::ValidateSweepResponse Summarize(const sweepspec::ExpandResult& result) {
  v1::ValidateSweepResponse answer;
  answer.set_valid(result.sweep.has_value());
  for (const auto& notice : result.notices) *answer.add_notices() = notice;
  if (!result.sweep) return answer;
  answer.set_run_count(result.sweep->runs.size());
  answer.set_collapsed(result.sweep->collapsed);
  answer.set_excluded(result.sweep->excluded);
  double flop = 0;
  for (const auto& run : result.sweep->runs) flop += science::TrainingFlop(run);
  answer.set_total_flop(flop);
  for (size_t i = 0; i < std::min(kShownRuns, result.sweep->runs.size()); ++i) {
    *answer.add_first_configs() = sweepspec::ToProto(result.sweep->runs[i]);
  }
  return answer;
}

std::vector<std::string> DifferingParameters(const std::vector<science::RunConfig>& runs) {
  std::vector<std::string> names;
  for (const auto& parameter : science::Parameters()) {
    const bool differs = std::any_of(runs.begin(), runs.end(), [&](const auto& run) {
      return parameter.get(run) != parameter.get(runs.front());
    });
    if (differs) names.emplace_back(parameter.name);
  }
  return names;
}

std::string ParameterText(const science::RunConfig& config, const std::string& parameter) {
  const science::Parameter* found = science::FindParameter(parameter);
  return found == nullptr ? "-" : science::ValueText(found->get(config));
}

std::string SummaryText(const Console& console, const std::string& file,
                        const v1::ValidateSweepResponse& answer,
                        const std::vector<science::RunConfig>& runs, double gflops) {
  std::string text = StrCat(file, ": ", Styled(console, "32;1", "valid"), ", ",
                            answer.run_count() == 0 ? "number of runs not given (--runs N)"
                            : answer.run_count() == 1
                                ? "1 run"
                                : WithCommas(static_cast<int64_t>(answer.run_count())) + " runs",
                            "\n");
  if (answer.collapsed() > 0) {
    text += StrCat("  collapsed  ", answer.collapsed(), " values that equal another\n");
  }
  if (answer.excluded() > 0) {
    text += StrCat("  excluded   ", answer.excluded(), " points by `exclude`\n");
  }
  if (answer.run_count() == 0) return text;
  const double seconds = answer.total_flop() / (gflops * 1e9);
  text += StrCat("  cost       ", absl::StrFormat("%.3g", answer.total_flop()),
                 " flop to train: ", HoursText(seconds / 3600), " h on one core (",
                 HoursText(seconds / static_cast<double>(answer.run_count()) / 3600),
                 " h a run), at an assumed ", absl::StrFormat("%g", gflops), " Gflop/s\n");
  std::vector<std::string> names = DifferingParameters(runs);
  const size_t differing = names.size();
  if (names.size() > kShownParameters) names.resize(kShownParameters);
  std::vector<Column> columns = {{"RUN", true}, {"READOUT"}};
  for (const auto& name : names) columns.push_back({name});
  std::vector<std::vector<Cell>> rows;
  for (size_t i = 0; i < std::min(kShownRuns, runs.size()); ++i) {
    rows.push_back({Number(static_cast<int64_t>(i)), Text(science::ReadoutLabel(runs[i]))});
    for (const auto& name : names) rows.back().push_back(Text(ParameterText(runs[i], name)));
  }
  text += "\n" + AlignedTable(console, columns, rows);
  const auto total = static_cast<int64_t>(answer.run_count());
  if (total > static_cast<int64_t>(rows.size())) {
    text += StrCat("... and ", WithCommas(total - static_cast<int64_t>(rows.size())), " more");
    if (differing > names.size()) {
      text += StrCat("; ", differing - names.size(), " more parameters differ");
    }
    text += "\n";
  }
  return text;
}

}  // namespace gridsweep::sweepctl
