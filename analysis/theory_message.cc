#include "analysis/theory_message.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "science/config/parameters.h"
#include "sweepspec/run_config_proto.h"

namespace gridsweep::analysis {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are sent as they lie in memory");

void SetPeak(v1::SpectrumPeak& out, const theory::Peak& peak) {
  out.set_wavenumber(peak.wavenumber);
  out.set_power(peak.power);
  out.set_height(peak.height);
}

void SetClosedForms(v1::ReadoutTheory& out, const theory::ClosedForms& forms) {
  if (forms.wavenumber) out.set_closed_form(*forms.wavenumber);
  out.set_closed_form_dominates(forms.dominates);
  if (forms.equal_heights) out.set_closed_form_equal_heights(*forms.equal_heights);
  if (forms.equal_volumes) out.set_closed_form_equal_volumes(*forms.equal_volumes);
  if (forms.published_one_dimensional) {
    out.set_published_one_dimensional(*forms.published_one_dimensional);
  }
}

// The zero mode from (0, 0) to the middle.
std::vector<double> Centred(const std::vector<double>& spectrum, int res) {
  std::vector<double> centred(spectrum.size());
  for (int i = 0; i < res; ++i) {
    for (int j = 0; j < res; ++j) {
      centred[(i + res / 2) % res * res + (j + res / 2) % res] = spectrum[i * res + j];
    }
  }
  return centred;
}

}  // namespace

std::string FloatBytes(std::span<const double> values) {
  const std::vector<float> floats(values.begin(), values.end());
  std::string bytes(floats.size() * sizeof(float), '\0');
  if (!floats.empty()) std::memcpy(bytes.data(), floats.data(), bytes.size());
  return bytes;
}

v1::ReadoutTheory ToProto(const theory::ReadoutTheory& theory, const science::RunConfig& config,
                          int64_t runs, int res, bool with_maps) {
  v1::ReadoutTheory out;
  *out.mutable_config() = sweepspec::ToProto(config);
  out.set_readout(ReadoutLabel(config));
  out.set_runs(runs);
  out.set_lattice(static_cast<uint32_t>(res));
  out.set_spacing_m(theory.spacing);
  out.set_wavenumber_step(theory.wavenumber_step);
  for (const double power : theory.radial.power) out.add_radial_spectrum(power);
  SetPeak(*out.mutable_maximum(), theory.rings.maximum);
  out.set_ring(v1::ReadoutTheory::RING_NONE);
  if (const auto& local = theory.rings.local) {
    out.set_ring(theory.rings.Predicts() ? v1::ReadoutTheory::RING_PREDICTED
                                         : v1::ReadoutTheory::RING_WEAK);
    SetPeak(*out.mutable_local_maximum(), *local);
    out.set_wavelength_m(theory::Wavelength(local->wavenumber));
    out.set_hexagonal_spacing_m(theory::HexagonalSpacing(local->wavenumber));
  }
  for (const auto& energy : theory.energies) {
    auto& to = *out.add_energies();
    to.set_lattice(std::string(NameOf(energy.lattice)));
    to.set_quadratic(energy.quadratic);
    to.set_cubic(energy.cubic);
  }
  SetClosedForms(out, theory.closed_forms);
  for (const double value : theory.eigenmaps.values) out.add_eigenvalues(value);
  if (with_maps) {
    out.set_sigma(FloatBytes(theory.correlations.sigma));
    out.set_spectrum(FloatBytes(Centred(theory.correlations.spectrum, res)));
    out.set_eigenmaps(FloatBytes(theory.eigenmaps.maps));
  }
  return out;
}

v1::PatternDynamics ToProto(const theory::PatternOptions& options) {
  v1::PatternDynamics out;
  out.set_coupling(options.coupling == theory::Coupling::kOrdered
                       ? v1::PatternDynamics::COUPLING_ORDERED
                       : v1::PatternDynamics::COUPLING_ALONE);
  out.set_activation(options.nonlinearity == theory::Nonlinearity::kTanh ? "tanh" : "relu");
  out.set_units(static_cast<uint32_t>(options.units));
  out.set_step_size(options.step_size);
  out.set_steps(static_cast<uint32_t>(options.steps));
  out.set_seed(options.seed);
  return out;
}

void AddUnit(v1::PatternOutcome& outcome, const theory::LatticeReading& reading) {
  auto& unit = *outcome.add_units();
  unit.set_lattice(std::string(NameOf(reading.lattice)));
  if (!std::isnan(reading.grid_score_60)) unit.set_grid_score_60(reading.grid_score_60);
  if (!std::isnan(reading.grid_score_90)) unit.set_grid_score_90(reading.grid_score_90);
  unit.set_stripedness(reading.stripedness);
  switch (reading.lattice) {
    case theory::Lattice::kHexagonal:
      return outcome.set_hexagonal(outcome.hexagonal() + 1);
    case theory::Lattice::kSquare:
      return outcome.set_square(outcome.square() + 1);
    case theory::Lattice::kStripes:
      return outcome.set_stripes(outcome.stripes() + 1);
    case theory::Lattice::kNone:
      return outcome.set_none(outcome.none() + 1);
  }
}

}  // namespace gridsweep::analysis
