#include <absl/strings/ascii.h>

#include <algorithm>

#include "analysis/figures/figure.h"
#include "analysis/figures/panels.h"
#include "common/strings.h"

namespace gridsweep::analysis {

std::span<const Panel> Panels() {
  static constexpr Panel kPanels[] = {
      {"p01", "finished runs", DrawP01, nullptr},
      {"p02", "finished runs with DoS readouts", DrawP02, nullptr},
      {"p03", "runs with place cells, in any state", nullptr, ComputeP03},
      {"p04", "units with a grid score above 0.8 in finished runs with DoS readouts", DrawP04,
       nullptr},
      {"p05", "finished runs with DoS readouts of several scales or fields", DrawP05, nullptr},
      {"p06", "finished runs with Gaussian readouts", DrawP06, nullptr},
      {"p07", "finished runs with a loss and scored units", DrawP07, nullptr},
      {"p08", "finished runs with general DoG readouts and an error below 15 cm", DrawP08, nullptr},
      {"p09", "runs with place cells, in any state", nullptr, ComputeP09},
      {"p10", "finished runs with DoS readouts and two numbers of units (Ng)", DrawP10, nullptr},
      {"p11",
       "finished runs of a published network and activation (RNN to UGRNN) with a participation "
       "ratio of their ratemaps",
       DrawP11, nullptr},
      {"p12", "units with a grid score above 0.8 in finished runs with DoS readouts", DrawP12,
       nullptr},
  };
  return kPanels;
}

const Panel* FindPanel(std::string_view id) {
  std::string wanted = absl::AsciiStrToLower(ToAbsl(id));
  if (wanted.size() == 2) wanted = StrCat("p0", wanted.substr(1));
  const auto panels = Panels();
  const auto found = std::ranges::find(panels, wanted, &Panel::id);
  return found == panels.end() ? nullptr : &*found;
}

absl::Status NothingToDraw(const Panel& panel) {
  return absl::NotFoundError(StrCat("nothing to draw for ", panel.id, ": it needs ", panel.needs,
                                    ", and the selection has none; sweeps/", panel.id,
                                    "/small.yaml makes them"));
}

}  // namespace gridsweep::analysis
