#include "analysis/queries/basis.h"

#include <vector>

#include "common/status.h"
#include "common/strings.h"
#include "sweepspec/suggest.h"

namespace gridsweep::analysis {

absl::StatusOr<const science::Metric*> ResolveMetric(const std::string& name,
                                                     const std::string& path) {
  if (const auto* metric = science::FindMetric(name.empty() ? "grid_score_60" : name)) {
    return metric;
  }
  std::vector<std::string_view> names = {"decoding_error_cm"};
  for (const auto& metric : science::Metrics()) names.push_back(metric.name);
  return InvalidField(path, StrCat("there is no metric \"", name, "\"", sweepspec::DidYouMean(name, names),
                                   "; `sweepctl metrics` lists them"));
}

v1::Basis MakeBasis(Snapshot& snapshot, const science::Metric& metric, const std::string& source) {
  v1::Basis basis;
  basis.set_metric(std::string(metric.name));
  basis.set_definition(std::string(metric.definition));
  basis.set_unit(std::string(metric.unit));
  basis.set_exact(true);
  basis.set_source(source);
  const auto rows = snapshot.Exec("select (extract(epoch from now()) * 1000000)::bigint");
  const int64_t micros = AsInt(rows[0][0]);
  basis.mutable_as_of()->set_seconds(micros / 1'000'000);
  basis.mutable_as_of()->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
  return basis;
}

}  // namespace gridsweep::analysis
