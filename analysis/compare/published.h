// What was published, as numbers to compare with.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace gridsweep::analysis {

// One readout family of the published figure (Schaeffer et al. 2022): finished
// runs, the fraction of them with a decoding error below 10 cm, and of those the
// fraction with a maximum grid score above 0.8. Read off the figure, +-0.01.
struct PublishedFamily {
  std::string_view readout_family;
  int runs;
  double solved;
  double has_grid;
  // Units with grid score > 0.8, read off a survival curve: "about". Of the other families it is
  // known to be under 0.002.
  std::optional<double> units_above = std::nullopt;
};

// In the order of the figure.
std::span<const PublishedFamily> PublishedFamilies();
// nullptr for a family that the figure does not have.
const PublishedFamily* FindPublished(std::string_view readout_family);

}  // namespace gridsweep::analysis
