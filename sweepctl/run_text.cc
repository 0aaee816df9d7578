#include "sweepctl/run_text.h"

#include <absl/strings/str_format.h>

#include <limits>

#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "sweepctl/progress_view.h"
#include "sweepctl/run_state.h"

namespace gridsweep::sweepctl {
namespace {

double Metric(const v1::Run& run, const char* name) {
  const auto found = run.metrics().find(name);
  return found == run.metrics().end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

std::string ProgressText(const v1::Run& run) {
  if (run.state() != v1::RUN_STATE_LEASED || !run.has_progress()) return "";
  const auto& progress = run.progress();
  return StrCat(PhaseText(progress.phase()), " ", progress.step(), "/", progress.total_steps());
}

}  // namespace

Listing RunListing() {
  Listing listing;
  listing.columns = {{"RUN", true},
                     {"SWEEP", true},
                     {"STATE"},
                     {"READOUT"},
                     {"RNN"},
                     {"ACTIVATION"},
                     {"SEED", true},
                     {"ERROR CM", true},
                     {"MAX SCORE", true},
                     {"PROGRESS"},
                     {"WORKER"},
                     {"FINISHED"},
                     {"ORDINAL", true, true},
                     {"NG", true, true},
                     {"ATTEMPT", true, true},
                     {"FAILURES", true, true},
                     {"CONFIG HASH", false, true}};
  return listing;
}

void AddRun(Listing& listing, const v1::Run& run) {
  const auto& config = run.config();
  listing.rows.push_back({Number(run.run_id()),
                          Number(run.sweep_id()),
                          Text(StateText(run.state())),
                          Text(run.readout()),
                          Text(config.rnn_type()),
                          Text(config.activation()),
                          Number(config.seed()),
                          Real(Metric(run, "pos_err_published"), 1),
                          Real(Metric(run, "max_grid_score_60")),
                          Text(ProgressText(run)),
                          Text(run.worker()),
                          Time(run.finished_at()),
                          Number(run.ordinal()),
                          Number(config.ng()),
                          Number(run.attempt()),
                          Number(run.failures()),
                          {run.config_hash().substr(0, 12), run.config_hash()}});
  listing.items.push_back(ToJson(run));
  listing.names.push_back(std::to_string(run.run_id()));
}

const std::vector<std::string>& UnitMetricNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const auto& metric : science::Metrics()) {
      if (metric.level == science::MetricLevel::kUnit) result.emplace_back(metric.name);
    }
    return result;
  }();
  return names;
}

}  // namespace gridsweep::sweepctl
