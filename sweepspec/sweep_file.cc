#include "sweepspec/sweep_file.h"

#include <exception>
#include <new>

#include "common/strings.h"
#include "sweepspec/expand.h"
#include "sweepspec/notices.h"
#include "sweepspec/read.h"
#include "sweepspec/yaml_tree.h"

namespace gridsweep::sweepspec {
namespace {

ExpandResult Finish(std::optional<SweepPlan> plan, const ExpandOptions& options, Notices& notices) {
  ExpandResult result;
  if (plan) {
    try {
      result.sweep = Expand(std::move(*plan), options, notices);
    } catch (const std::bad_alloc&) {
      notices.Error({}, "not enough memory for a sweep of this size");
    }
  }
  result.notices = notices.Take();
  return result;
}

}  // namespace

ExpandResult ExpandYaml(const std::string& yaml, const ExpandOptions& options) {
  Notices notices;
  std::optional<SweepPlan> plan;
  if (const auto root = ParseYaml(yaml, notices)) plan = ReadSweepFile(*root, notices);
  return Finish(std::move(plan), options, notices);
}

ExpandResult ExpandSpec(const v1::SweepSpec& spec, const ExpandOptions& options) {
  Notices notices;
  return Finish(ReadSweepSpec(spec, notices), options, notices);
}

}  // namespace gridsweep::sweepspec
