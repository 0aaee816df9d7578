#include "science/theory/readout_theory.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <numeric>

#include "science/config/number_text.h"
#include "science/config/parameters.h"

namespace gridsweep::theory {
namespace {

constexpr int64_t kMaxCells = 2'048;

absl::Status CheckTheory(const science::RunConfig& config) {
  if (!IsPlaceCellReadout(config.place_field_values)) {
    return absl::InvalidArgumentError(
        "place_field_values: no place cells, so no correlations that depend on distance alone");
  }
  if (config.box_width_in_m != config.box_height_in_m) {
    return absl::InvalidArgumentError(
        absl::StrCat("box_height_in_m: ", science::NumberText(config.box_height_in_m),
                     " is not box_width_in_m, ", science::NumberText(config.box_width_in_m),
                     "; the theory needs a square box"));
  }
  if (config.Np > kMaxCells) {
    return absl::InvalidArgumentError(absl::StrCat("Np: ", config.Np, " is more than ", kMaxCells));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ReadoutTheory> PredictLattice(const science::RunConfig& config,
                                             const TheoryOptions& options) {
  if (const absl::Status status = CheckTheory(config); !status.ok()) return status;
  const Responses responses = RespondOnLattice(config, options.res);
  const double step = responses.wavenumber_step();
  ReadoutTheory theory{.spacing = responses.spacing(),
                       .wavenumber_step = step,
                       .correlations = Correlate(responses),
                       .radial = {},
                       .rings = {},
                       .closed_forms = ClosedFormsOf(config),
                       .energies = {},
                       .eigenmaps = {}};
  const std::vector<double>& spectrum = theory.correlations.spectrum;
  // Of one cell, or 0/0 in fields too narrow for the lattice. The sum of Sigma
  // is its transform's zero mode, beside which the rest is rounding.
  const std::vector<double>& sigma = theory.correlations.sigma;
  if (!(*std::ranges::max_element(spectrum) >
        1e-12 * std::accumulate(sigma.begin(), sigma.end(), 0.0))) {
    return absl::InvalidArgumentError(
        absl::StrCat("place_cell_rf: ", DrawText(config.place_cell_rf), ": the outputs of ",
                     config.Np, " cells do not vary on the lattice"));
  }
  theory.radial = AverageOverDirections(spectrum, options.res, step);
  theory.rings = FindRings(theory.radial);
  if (theory.rings.local) {
    theory.energies = LatticeEnergies(spectrum, options.res, step, theory.rings.local->wavenumber);
  }
  if (options.eigenmaps > 0) theory.eigenmaps = TopEigenmaps(responses, options.eigenmaps);
  return theory;
}

}  // namespace gridsweep::theory
