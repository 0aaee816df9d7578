#include "sweepspec/points.h"

#include <algorithm>

namespace gridsweep::sweepspec {
namespace {

bool Matches(const Exclusion& exclusion, const science::RunConfig& config) {
  for (const auto& [parameter, values] : exclusion.terms) {
    const science::Value value = parameter->get(config);
    if (std::find(values.begin(), values.end(), value) == values.end()) return false;
  }
  return true;
}

}  // namespace

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

Points::Points(const SweepPlan& plan) : plan_(plan), matched_(plan.exclusions.size(), 0) {}

void Points::Complete(science::RunConfig& config) const {
  ApplyDependentDefaults(config,
                         [this](std::string_view name) { return plan_.given.contains(name); });
}

bool Points::Excluded(const science::RunConfig& config) {
  bool excluded = false;
  for (size_t i = 0; i < plan_.exclusions.size(); ++i) {
    if (!Matches(plan_.exclusions[i], config)) continue;
    ++matched_[i];
    excluded = true;
  }
  return excluded;
}

void Points::NoteIdleExclusions(Notices& notices) const {
  for (size_t i = 0; i < plan_.exclusions.size(); ++i) {
    if (matched_[i] == 0) {
      notices.Note(plan_.exclusions[i].where, "this matches no point of the sweep");
    }
  }
}

}  // namespace gridsweep::sweepspec
