#include "sweepspec/points.h"

namespace gridsweep::sweepspec {
uint64_t SaturatingProduct(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

std::string Thousands(uint64_t number) {
  if (number == UINT64_MAX) return "more than 10^19";
  std::string text = std::to_string(number);
  for (int i = static_cast<int>(text.size()) - 3; i > 0; i -= 3) text.insert(i, 1, ',');
  return text;
}

void Points::Complete(science::RunConfig& config) const {
  ApplyDependentDefaults(config,
                         [this](std::string_view name) { return plan_.given.contains(name); });
}

bool Points::Excluded(const science::RunConfig& config) {
  const bool excluded = exclusions_.Match(config, meter_);
  if (excluded) ++sweep_.excluded;
  return excluded;
}

void Points::Add(const science::RunConfig& config) {
  ++sweep_.run_count;
  sweep_.total_flop += science::TrainingFlop(config);
  if (sweep_.runs.size() < options_.keep_runs) sweep_.runs.push_back(config);
}

}  // namespace gridsweep::sweepspec
