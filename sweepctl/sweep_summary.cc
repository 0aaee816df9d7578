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
// Of a published run's evaluation: 200 walks of 50 steps.
constexpr int64_t kPublishedPositions = 10'000;

// "12 days", "3.4 h": two digits at least, all of large numbers.
std::string Amount(double value, const char* unit) {
  return StrCat(value < 10     ? absl::StrFormat("%.2g", value)
                : value < 1e15 ? WithCommas(std::llround(value))
                               : absl::StrFormat("%.2g", value),
                " ", unit);
}

// What training `run` keeps in memory at the least, in bytes: recurrent weights and readout with
// their gradients and the optimizer's moments, and hidden states, outputs and targets of a batch.
double LeastTrainingBytes(const science::RunConfig& run) {
  const auto ng = static_cast<double>(run.Ng), np = static_cast<double>(run.Np);
  const double copies = run.optimizer == science::Optimizer::kAdam ? 4 : 2;
  const double steps =
      static_cast<double>(run.batch_size) * static_cast<double>(run.sequence_length);
  return sizeof(float) * (copies * (ng * ng + ng * np) + steps * (ng + 2 * np));
}

std::string BytesText(double bytes) {
  const std::pair<double, const char*> units[] = {{0x1p80, "YiB"}, {0x1p70, "ZiB"}, {0x1p60, "EiB"},
                                                  {0x1p50, "PiB"}, {0x1p40, "TiB"}, {0x1p30, "GiB"},
                                                  {0x1p20, "MiB"}};
  for (const auto& [size, unit] : units) {
    if (bytes >= size) return Amount(bytes / size, unit);
  }
  return "1 MiB";
}

}  // namespace

std::string CostText(double seconds) {
  constexpr double kMinute = 60, kHour = 3600, kDay = 86'400, kYear = 365.25 * kDay;
  if (seconds < 1.5 * kMinute) return Amount(seconds, "s");
  if (seconds < 1.5 * kHour) return Amount(seconds / kMinute, "min");
  if (seconds < 2 * kDay) return Amount(seconds / kHour, "h");
  if (seconds < 2 * kYear) return Amount(seconds / kDay, "days");
  return Amount(seconds / kYear, "years");
}

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
                 " flop to train: ", CostText(seconds), " on one core (",
                 CostText(seconds / static_cast<double>(answer.run_count())),
                 " a run), at an assumed ", absl::StrFormat("%g", gflops), " Gflop/s\n");
  double memory = 0;
  for (const auto& run : runs) memory = std::max(memory, LeastTrainingBytes(run));
  double positions = kPublishedPositions;
  for (const auto& run : runs) {
    positions = std::min(positions, static_cast<double>(run.batch_size) *
                                        static_cast<double>(run.eval_sequence_length) *
                                        static_cast<double>(run.eval_batches));
  }
  if (memory > 0) text += StrCat("  memory     at least ", BytesText(memory), " a run\n");
  if (positions < kPublishedPositions) {
    text += StrCat("  evaluation at ", WithCommas(std::llround(positions)),
                   " positions (published: ", WithCommas(kPublishedPositions),
                   "): ratemaps of 44 x 44 bins have gaps, and scores\n             are not to be "
                   "compared with those of fuller maps; eval_batches adds positions\n");
  }
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
