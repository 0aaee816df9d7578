#include "analysis/figures/theory_parts.h"

#include "common/strings.h"
#include "science/config/parameters.h"

namespace gridsweep::analysis {

std::vector<SweepReadouts::Readout> ChooseEvenly(std::vector<SweepReadouts::Readout> readouts,
                                                 size_t most, size_t& count) {
  count = readouts.size();
  if (count <= most) return readouts;
  std::vector<SweepReadouts::Readout> chosen;
  for (size_t i = 0; i < most; ++i) chosen.push_back(readouts[i * (count - 1) / (most - 1)]);
  return chosen;
}

std::string ReadoutText(const science::RunConfig& config) {
  std::string text = StrCat(ReadoutLabel(config), ", σ ", DrawText(config.place_cell_rf), " m");
  if (HasSurround(config.place_field_values)) {
    text += StrCat(", surround ", DrawText(config.surround_scale),
                   config.surround_is_variance_ratio ? " (of variances)" : "");
  }
  return text;
}

Json ThinnedMap(const std::string& title, const std::vector<double>& map, int res, double low,
                double high, std::string_view scheme) {
  std::vector<double> thinned;
  for (int i = 0; i < res; i += 2) {
    for (int j = 0; j < res; j += 2) thinned.push_back(map[static_cast<size_t>(i) * res + j]);
  }
  return HeatMap(title, thinned, (res + 1) / 2, 3, low, high, scheme);
}

}  // namespace gridsweep::analysis
