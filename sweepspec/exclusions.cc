#include "sweepspec/exclusions.h"

#include <algorithm>
#include <functional>

namespace gridsweep::sweepspec {

using science::Parameter;
using science::RunConfig;
using science::Value;

size_t Exclusions::ValueHash::operator()(const Value& value) const {
  if (const auto* draw = std::get_if<science::Draw>(&value)) {
    const std::hash<double> hash;
    return hash(draw->a) * 31 + hash(draw->b) + static_cast<size_t>(draw->kind);
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::hash<int64_t>()(*integer);
  if (const auto* number = std::get_if<double>(&value)) return std::hash<double>()(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return std::hash<std::string>()(*text);
  return 0;
}

Exclusions::Exclusions(const SweepPlan& plan) : plan_(plan) {
  for (const Exclusion& exclusion : plan.exclusions) {
    Rule& rule = rules_.emplace_back();
    for (const auto& [parameter, values] : exclusion.terms) {
      Term& term = rule.terms.emplace_back(Term{ColumnOf(*parameter), {}});
      auto& ids = columns_[term.column].ids;
      for (const Value& value : values) {
        term.ids.push_back(ids.emplace(value, static_cast<Id>(ids.size())).first->second);
      }
      std::ranges::sort(term.ids);
      const auto repeated = std::ranges::unique(term.ids);
      term.ids.erase(repeated.begin(), repeated.end());
    }
  }
  for (Column& column : columns_) column.candidates.resize(column.ids.size());
  // A rule is looked at where a point has a value of the term that fewest points have: the one with
  // the smallest part of its parameter's values.
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const auto rarest = std::ranges::min_element(rules_[i].terms, {}, [&](const Term& term) {
      return static_cast<double>(term.ids.size()) /
             static_cast<double>(columns_[term.column].ids.size());
    });
    for (const Id id : rarest->ids) columns_[rarest->column].candidates[id].push_back(i);
  }
}

uint32_t Exclusions::ColumnOf(const Parameter& parameter) {
  for (uint32_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].parameter == &parameter) return i;
  }
  columns_.push_back({&parameter, {}, {}});
  return static_cast<uint32_t>(columns_.size() - 1);
}

bool Exclusions::Matches(const Rule& rule, uint64_t& steps) const {
  for (const Term& term : rule.terms) {
    ++steps;
    if (!std::ranges::binary_search(term.ids, columns_[term.column].current)) return false;
  }
  return true;
}

bool Exclusions::Match(const RunConfig& config, Meter& meter) {
  uint64_t steps = columns_.size();
  for (Column& column : columns_) {
    const auto found = column.ids.find(column.parameter->get(config));
    column.current = found == column.ids.end() ? kOther : found->second;
  }
  bool excluded = false;
  for (const Column& column : columns_) {
    if (column.current == kOther) continue;
    for (const uint32_t i : column.candidates[column.current]) {
      ++steps;
      Rule& rule = rules_[i];
      // One match is enough; which of the others match is of interest until they have once.
      if (excluded && rule.matched) continue;
      if (!Matches(rule, steps)) continue;
      rule.matched = excluded = true;
    }
  }
  meter.Spend(steps);
  return excluded;
}

void Exclusions::NoteIdle(Notices& notices) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i].matched) {
      notices.Note(plan_.exclusions[i].where, "this matches no point of the sweep");
    }
  }
}

}  // namespace gridsweep::sweepspec
