#include "sweepspec/meter.h"

#include "common/strings.h"
#include "sweepspec/points.h"

namespace gridsweep::sweepspec {

std::string Meter::TooManySteps() const {
  return StrCat("to expand it takes more than ", Thousands(options_.max_steps),
                " steps: a point is ", kStepsAPoint,
                ", each comparison of a point with a part of `exclude` one more. Use fewer values, "
                "or fewer partial points in exclude");
}

}  // namespace gridsweep::sweepspec
