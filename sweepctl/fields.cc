#include "sweepctl/fields.h"

#include "science/config/metric_registry.h"
#include "science/config/parameters.h"
#include "sweepctl/run_state.h"

namespace gridsweep::sweepctl {

std::vector<FieldHelp> FilterFields() {
  std::vector<FieldHelp> fields;
  for (const auto& parameter : science::Parameters()) {
    fields.push_back(
        {std::string(parameter.name), parameter.range, std::string(parameter.help), true});
  }
  for (const FieldHelp& field : std::vector<FieldHelp>{
           {"readout", "text", "the readout with its variant: \"DoS multi-scale\"", true},
           {"readout_family", "text", "the readout without it: \"DoS\"", true},
           {"sweep", "a number", "id of the sweep; --sweep takes names too", true},
           {"run", "a number", "id of the run", false},
           {"state", StateNames(), "where the run is", false},
           {"reused", "true or false", "its result is that of a run in another sweep", false},
           {"numerics_id", "text", "hardware and libraries that decide a result's bits", false},
           {"science_version", "a number", "version of the computation that made the result",
            false}}) {
    fields.push_back(field);
  }
  for (const auto& metric : science::Metrics()) {
    if (metric.level != science::MetricLevel::kRun) continue;
    fields.push_back({std::string(metric.name),
                      metric.unit == "1" ? "a number" : std::string(metric.unit),
                      std::string(metric.definition), false});
  }
  fields.push_back({"decoding_error_cm", "cm", "another name of pos_err_published", false});
  return fields;
}

}  // namespace gridsweep::sweepctl
