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

// A fraction of networks with a maximum grid score above 0.8, by width or by name.
struct PublishedAtWidth {
  double width;  // m
  double value;
};
struct PublishedByName {
  std::string_view name;
  double value;
};

// Gaussian readouts (661 finished runs, exact): by width, by network over all widths, by
// activation.
std::span<const PublishedAtWidth> PublishedGaussianByWidth();
std::span<const PublishedByName> PublishedGaussianByNetwork();
std::span<const PublishedByName> PublishedGaussianByActivation();

// DoS: the mode of the period in bins, by width (read off a density of bandwidth 1, scores > 0.8).
std::span<const PublishedAtWidth> PublishedDosPeriodModes();

// Participation ratio of the ratemaps of trained relu networks (read off the figure).
std::span<const PublishedByName> PublishedParticipationRatios();

// In the order of the figure.
std::span<const PublishedFamily> PublishedFamilies();
// nullptr for a family that the figure does not have.
const PublishedFamily* FindPublished(std::string_view readout_family);

// Neural predictivity of networks of one kind (Nayebi et al. 2021): how well their units predict
// cells of mouse medial entorhinal cortex, before and after training.
struct PublishedPredictivity {
  std::string_view rnn_type, activation;
  double untrained, trained;
};
inline constexpr std::string_view kPredictivitySource = "Nayebi et al. 2021";

std::span<const PublishedPredictivity> PublishedPredictivities();

}  // namespace gridsweep::analysis
