#include "sweepspec/sweep_file.h"

#include <exception>
#include <new>

#include "common/strings.h"
#include "sweepspec/expand.h"
#include "sweepspec/meter.h"
#include "sweepspec/notices.h"
#include "sweepspec/read.h"
#include "sweepspec/yaml_tree.h"

namespace gridsweep::sweepspec {
namespace {

// `read` gives the plan.
template <typename Read>
ExpandResult ExpandPlan(const Read& read, const ExpandOptions& options) {
  ExpandResult result;
  Notices notices;
  try {
    Meter meter(options);
    if (std::optional<SweepPlan> plan = read(notices)) {
      result.sweep = Expand(*std::move(plan), options, meter, notices);
    }
    if (meter.stopped()) result.end = ExpandResult::End::kStopped;
    result.steps = meter.steps();
  } catch (const std::bad_alloc&) {
    notices.Error({}, "not enough memory for a sweep of this size");
    result.end = ExpandResult::End::kOutOfMemory;
  }
  result.notices = notices.Take();
  return result;
}

}  // namespace

ExpandResult ExpandYaml(const std::string& yaml, const ExpandOptions& options) {
  return ExpandPlan(
      [&](Notices& notices) -> std::optional<SweepPlan> {
        const auto root = ParseYaml(yaml, notices);
        return root ? ReadSweepFile(*root, notices) : std::nullopt;
      },
      options);
}

ExpandResult ExpandSpec(const v1::SweepSpec& spec, const ExpandOptions& options) {
  return ExpandPlan([&](Notices& notices) { return ReadSweepSpec(spec, notices); }, options);
}

}  // namespace gridsweep::sweepspec
