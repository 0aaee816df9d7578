#include "analysis/compare/published.h"

namespace gridsweep::analysis {

std::span<const PublishedFamily> PublishedFamilies() {
  static constexpr PublishedFamily kFamilies[] = {
      {"Cartesian Low Dim", 2516, 0.65, 0.00},
      {"Cartesian High Dim", 3793, 0.54, 0.00},
      {"Polar High Dim", 1171, 0.72, 0.24},
      {"Gaussian", 1265, 0.90, 0.08},
      {"DoG", 1103, 0.17, 0.16},
      {"DoS", 1689, 0.93, 0.91, 0.02},
      {"SoD", 71, 1.00, 0.04},
  };
  return kFamilies;
}

const PublishedFamily* FindPublished(std::string_view readout_family) {
  for (const PublishedFamily& family : PublishedFamilies()) {
    if (family.readout_family == readout_family) return &family;
  }
  return nullptr;
}

}  // namespace gridsweep::analysis
