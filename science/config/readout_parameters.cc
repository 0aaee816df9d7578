// A configuration with everything but its readout set aside.
#include <array>

#include "science/config/parameters.h"

namespace gridsweep::science {

std::span<const std::string_view> ReadoutParameterNames() {
  static constexpr std::array<std::string_view, 12> kNames = {"place_field_values",
                                                              "place_field_normalization",
                                                              "Np",
                                                              "place_cell_rf",
                                                              "surround_scale",
                                                              "surround_is_variance_ratio",
                                                              "place_cell_alpha_e",
                                                              "place_cell_alpha_i",
                                                              "n_place_fields_per_cell",
                                                              "box_width_in_m",
                                                              "box_height_in_m",
                                                              "is_periodic"};
  return kNames;
}

RunConfig ReadoutOf(const RunConfig& config) {
  RunConfig readout;
  for (const std::string_view name : ReadoutParameterNames()) {
    const Parameter& parameter = *FindParameter(name);
    parameter.set(readout, parameter.get(config));
  }
  const RunConfig unused;
  if (!IsPlaceCellReadout(readout.place_field_values)) {
    readout.place_cell_rf = unused.place_cell_rf;
    readout.n_place_fields_per_cell = unused.n_place_fields_per_cell;
  }
  if (!HasSurround(readout.place_field_values)) {
    readout.surround_scale = unused.surround_scale;
    readout.surround_is_variance_ratio = unused.surround_is_variance_ratio;
  }
  if (readout.place_field_values != Readout::kGeneralDifferenceOfGaussians) {
    readout.place_cell_alpha_e = readout.place_cell_alpha_i = std::nullopt;
  }
  return readout;
}

}  // namespace gridsweep::science
