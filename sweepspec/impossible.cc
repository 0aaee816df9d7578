#include "sweepspec/impossible.h"

#include <algorithm>
#include <set>

#include "common/strings.h"
#include "sweepspec/suggest.h"

namespace gridsweep::sweepspec {
namespace {

using science::ConfigError;
using science::Parameter;
using science::RunConfig;

constexpr size_t kShown = 3;
constexpr size_t kMaxPartials = 10'000;
constexpr size_t kMaxExcludeText = 1'000;

std::string YamlText(const science::Value& value) {
  const auto* draw = std::get_if<science::Draw>(&value);
  // A comma inside braces would end the value.
  if (draw && draw->kind != science::Draw::Kind::kConstant) {
    return StrCat("'", DrawText(*draw), "'");
  }
  return ValueText(value);
}

using Rows = std::vector<std::vector<std::string>>;

// Joins rows that differ in column `column` alone: [a, 1], [a, 2] -> [a, "1\n2"].
Rows MergeColumn(const Rows& rows, size_t column) {
  Rows merged;
  for (const auto& row : rows) {
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const auto& other) {
      for (size_t i = 0; i < row.size(); ++i) {
        if (i != column && row[i] != other[i]) return false;
      }
      return true;
    });
    if (same == merged.end()) {
      merged.push_back(row);
    } else {
      (*same)[column] += "\n" + row[column];
    }
  }
  return merged;
}

// "a" as it is, "a\nb" as [a, b].
std::string OneOrList(const std::string& lines) {
  if (lines.find('\n') == std::string::npos) return lines;
  std::string list = "[";
  for (char c : lines) {
    if (c == '\n') {
      list += ", ";
    } else {
      list += c;
    }
  }
  return list + "]";
}

}  // namespace

std::string PointText(const RunConfig& config, const std::vector<const Parameter*>& parameters) {
  std::string text = "{";
  for (const Parameter* parameter : parameters) {
    if (text.size() > 1) text += ", ";
    text += StrCat(parameter->name, ": ", YamlText(parameter->get(config)));
  }
  return text + "}";
}

ImpossiblePoints::ImpossiblePoints(const SweepPlan& plan) : plan_(plan) {
  for (const Axis& axis : plan.axes) {
    if (axis.values.size() > 1 || axis.distribution) varying_.push_back(axis.parameter);
  }
}

std::vector<const Parameter*> ImpossiblePoints::Causes(const ConfigError& error) const {
  std::set<std::string_view> names(error.together_with.begin(), error.together_with.end());
  names.insert(error.parameter);
  // A default that follows another parameter is that one's doing.
  const auto follows = [&](std::string_view name, std::initializer_list<std::string_view> others) {
    if (names.contains(name) && !plan_.given.contains(name)) names.insert(others);
  };
  follows("place_field_loss", {"place_field_normalization", "place_field_values"});
  follows("place_field_normalization", {"place_field_values"});
  follows("Np", {"place_field_values"});
  std::vector<const Parameter*> causes;
  for (const Parameter* parameter : varying_) {
    if (names.contains(parameter->name)) causes.push_back(parameter);
  }
  return causes;
}

void ImpossiblePoints::ReportShared(const RunConfig& config, const std::vector<ConfigError>& errors,
                                    Notices& notices) const {
  for (const ConfigError& error : errors) {
    if (!InEveryPoint(error)) continue;
    std::optional<Where> where = SetAt(plan_, error.parameter, config);
    if (!where) {
      where = Unset(plan_, error.parameter);
      for (std::string_view other : error.together_with) {
        const auto at = SetAt(plan_, other, config);
        if (!at) continue;
        where->line = at->line;
        where->column = at->column;
        break;
      }
    }
    notices.Error(*where, error.message);
  }
}

void ImpossiblePoints::Add(const RunConfig& config, const std::vector<ConfigError>& errors) {
  ++count_;
  if (first_.size() < kShown) {
    first_.push_back(StrCat(PointText(config, varying_), ": ", errors.front().parameter, " ",
                            errors.front().message));
  }
  // Without its first error the point is still impossible if another remains,
  // so the exclusion of any one of them drops it.
  std::vector<std::string_view> names;
  std::vector<std::string> values;
  for (const Parameter* parameter : Causes(errors.front())) {
    names.push_back(parameter->name);
    values.push_back(YamlText(parameter->get(config)));
  }
  auto& [rows, seen] = partial_[names];
  if (partials_ < kMaxPartials && seen.insert(values).second) {
    rows.push_back(std::move(values));
    ++partials_;
  }
}

std::string ImpossiblePoints::ExcludeText() const {
  std::string text = "exclude: [";
  bool first = true;
  for (const auto& [names, partial] : partial_) {
    Rows rows = partial.rows;
    if (rows.size() <= 200) {
      for (size_t column = names.size(); column-- > 0;) rows = MergeColumn(rows, column);
    }
    for (const auto& row : rows) {
      if (!first) text += ", ";
      first = false;
      text += "{";
      for (size_t i = 0; i < names.size(); ++i) {
        text += StrCat(i > 0 ? ", " : "", names[i], ": ", OneOrList(row[i]));
      }
      text += "}";
      if (text.size() > kMaxExcludeText) return text + ", ...";
    }
  }
  return text + "]";
}

std::string ImpossiblePoints::Message(uint64_t total) const {
  std::string text = StrCat(count_, " of ", total, " runs cannot be. ",
                            count_ > first_.size() ? "The first: " : "");
  for (size_t i = 0; i < first_.size(); ++i) text += StrCat(i > 0 ? "; " : "", first_[i]);
  if (count_ == total) return text + ". No run is left: mend the values";
  return text + ". To leave them out, add under gridsweep: " + ExcludeText();
}

}  // namespace gridsweep::sweepspec
