#include "sweepspec/plan.h"

#include "common/strings.h"

namespace gridsweep::sweepspec {

std::optional<Where> SetAt(const SweepPlan& plan, std::string_view parameter,
                           const science::RunConfig& config) {
  for (const Axis& axis : plan.axes) {
    if (axis.parameter->name != parameter) continue;
    const science::Value value = axis.parameter->get(config);
    for (const AxisValue& given : axis.values) {
      if (given.value == value) return given.where;
    }
    return axis.where;
  }
  return std::nullopt;
}

Where Unset(const SweepPlan& plan, std::string_view parameter) {
  return {
      plan.where.path.empty() ? std::string(parameter) : StrCat(plan.where.path, ".", parameter),
      plan.where.line, plan.where.column};
}

}  // namespace gridsweep::sweepspec
