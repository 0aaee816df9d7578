// One parameter of `parameters:`, as W&B describes distributions.
#include <algorithm>
#include <cmath>

#include "common/strings.h"
#include "sweepspec/read.h"
#include "sweepspec/suggest.h"

namespace gridsweep::sweepspec {
namespace {

using science::Parameter;
using science::ParameterKind;

std::vector<std::string_view> DistributionNames() {
  std::vector<std::string_view> names = {"categorical", "categorical_w_probabilities", "constant"};
  for (const auto& kind : DistributionKinds()) names.push_back(kind.name);
  return names;
}

class AxisReader {
 public:
  AxisReader(const Parameter& parameter, const std::string& path, const YamlEntry& entry, bool grid,
             Notices& notices)
      : parameter_(parameter),
        entry_(entry),
        node_(entry.value),
        path_(path),
        grid_(grid),
        notices_(notices) {}

  std::optional<Axis> Read() {
    axis_.parameter = &parameter_;
    axis_.where = At(path_, entry_);
    if (node_.kind != YamlNode::Kind::kMap) {
      Error(StrCat("is ", Describe(node_), "; write value: X for one value or values: [X, Y]"));
      return std::nullopt;
    }
    const std::string kind = Kind();
    if (kind.empty()) return std::nullopt;
    if (kind == "constant") {
      ReadConstant();
    } else if (kind == "categorical" || kind == "categorical_w_probabilities") {
      ReadCategorical(kind);
    } else {
      ReadDistribution(kind);
    }
    if (failed_) return std::nullopt;
    return std::move(axis_);
  }

 private:
  void Error(std::string message) { ErrorAt(axis_.where, std::move(message)); }
  void ErrorAt(const Where& where, std::string message) {
    notices_.Error(where, std::move(message));
    failed_ = true;
  }

  bool IsWhole(std::string_view key) const {
    const YamlEntry* entry = node_.Find(key);
    return entry != nullptr && std::holds_alternative<int64_t>(entry->value.scalar);
  }

  // The distribution's name, said or implied; "" after an error.
  std::string Kind() {
    if (const YamlEntry* named = node_.Find("distribution")) return NamedKind(named->value);
    if (node_.Find("values")) {
      return node_.Find("probabilities") ? "categorical_w_probabilities" : "categorical";
    }
    if (node_.Find("min") || node_.Find("max")) {
      if (const YamlEntry* q = node_.Find("q")) {
        ErrorAt(At(path_ + ".q", *q),
                "needs a distribution: add distribution: q_uniform (or q_log_uniform_values)");
        return "";
      }
      return IsWhole("min") && IsWhole("max") ? "int_uniform" : "uniform";
    }
    if (node_.Find("value")) return "constant";
    Error("says no value: write value: X, values: [X, Y], or min and max");
    return "";
  }

  std::string NamedKind(const YamlNode& named) {
    const Where where = At(path_ + ".distribution", named);
    const auto* name = std::get_if<std::string>(&named.scalar);
    const auto names = DistributionNames();
    if (named.kind != YamlNode::Kind::kScalar || name == nullptr) {
      ErrorAt(where, StrCat(Describe(named), " is not one of ", Join(names)));
      return "";
    }
    if (*name == "log_uniform" || *name == "inv_log_uniform" || *name == "q_log_uniform") {
      ErrorAt(where, StrCat(*name,
                            " takes min and max as exponents of e, and W&B itself refuses "
                            "it by now; use ",
                            *name, "_values with the values themselves"));
      return "";
    }
    if (std::find(names.begin(), names.end(), *name) == names.end()) {
      ErrorAt(where,
              StrCat(Quoted(*name), " is not one of ", Join(names), DidYouMean(*name, names)));
      return "";
    }
    return *name;
  }

  // Whether all of `required` are there and no key but these and `optional`.
  bool CheckKeys(std::string_view kind, const std::vector<std::string_view>& required,
                 const std::vector<std::string_view>& optional) {
    for (std::string_view key : required) {
      if (node_.Find(key) == nullptr) Error(StrCat(kind, " needs ", key));
    }
    for (const YamlEntry& part : node_.entries) {
      const auto has = [&](const std::vector<std::string_view>& keys) {
        return std::find(keys.begin(), keys.end(), part.key) != keys.end();
      };
      if (part.key == "distribution" || has(required) || has(optional)) continue;
      std::vector<std::string_view> allowed = required;
      allowed.insert(allowed.end(), optional.begin(), optional.end());
      ErrorAt(At(path_ + "." + part.key, part),
              StrCat("has no place in a ", kind, " parameter, which takes ", Join(allowed),
                     DidYouMean(part.key, allowed)));
    }
    return !failed_;
  }

  void NoteNumberThatWandbReadsAsText(const Where& where, const YamlNode& node) {
    if (noted_) return;  // once a parameter
    noted_ = NoteWandbSpelling(where, node, notices_);
  }

  void AddValue(const std::string& path, const YamlNode& node) {
    const Where where = At(path, node);
    if (node.kind != YamlNode::Kind::kScalar) {
      ErrorAt(where, StrCat("is ", Describe(node), ", not a single value"));
      return;
    }
    NoteNumberThatWandbReadsAsText(where, node);
    ParsedValue parsed = ParseValue(parameter_, node.scalar);
    if (!parsed.error.empty()) {
      ErrorAt(where, std::move(parsed.error));
    } else {
      axis_.values.push_back({std::move(parsed.value), where});
    }
  }

  void ReadConstant() {
    if (CheckKeys("constant", {"value"}, {})) {
      AddValue(path_ + ".value", node_.Find("value")->value);
    }
  }

  void ReadCategorical(const std::string& kind) {
    const bool weighted = kind == "categorical_w_probabilities";
    if (weighted ? !CheckKeys(kind, {"values", "probabilities"}, {})
                 : !CheckKeys(kind, {"values"}, {})) {
      return;
    }
    const YamlNode& values = node_.Find("values")->value;
    if (values.kind != YamlNode::Kind::kSequence || values.items.empty()) {
      ErrorAt(At(path_ + ".values", values),
              StrCat("is ", Describe(values), "; write a list of values: [X, Y]"));
      return;
    }
    for (size_t i = 0; i < values.items.size(); ++i) {
      AddValue(StrCat(path_, ".values[", i, "]"), values.items[i]);
    }
    if (weighted) ReadProbabilities(values.items.size());
  }

  void ReadProbabilities(size_t count) {
    const YamlEntry& entry = *node_.Find("probabilities");
    const Where where = At(path_ + ".probabilities", entry);
    if (grid_) {
      ErrorAt(where, "a grid takes every value once; use method: random, or leave them out");
      return;
    }
    if (entry.value.kind != YamlNode::Kind::kSequence || entry.value.items.size() != count) {
      ErrorAt(where, StrCat("must be a list as long as values: ", count));
      return;
    }
    double sum = 0;
    for (const YamlNode& item : entry.value.items) {
      const auto number = Number(item);
      if (!number || *number < 0) {
        ErrorAt(At(where.path, item), StrCat(Describe(item), " is not a number >= 0"));
        return;
      }
      NoteNumberThatWandbReadsAsText(At(where.path, item), item);
      axis_.probabilities.push_back(*number);
      sum += *number;
    }
    if (!(std::abs(sum - 1) <= 1e-6)) ErrorAt(where, StrCat("add up to ", sum, ", not to 1"));
    for (double& probability : axis_.probabilities) probability /= sum;
  }

  static std::optional<double> Number(const YamlNode& node) {
    std::optional<double> number;
    if (const auto* integer = std::get_if<int64_t>(&node.scalar)) {
      number = static_cast<double>(*integer);
    } else if (const auto* real = std::get_if<double>(&node.scalar)) {
      number = *real;
    }
    if (node.kind != YamlNode::Kind::kScalar || !number || !std::isfinite(*number)) {
      return std::nullopt;
    }
    return number;
  }

  void ReadNumber(std::string_view key, double& field) {
    const YamlEntry* entry = node_.Find(key);
    if (entry == nullptr) return;
    const Where where = At(StrCat(path_, ".", key), entry->value);
    if (const auto number = Number(entry->value)) {
      field = *number;
      NoteNumberThatWandbReadsAsText(where, entry->value);
    } else {
      ErrorAt(where, StrCat(Describe(entry->value), " is not a number"));
    }
  }

  void ReadDistribution(const std::string& name) {
    const auto kinds = DistributionKinds();
    const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                   [&](const DistributionKind& k) { return k.name == name; });
    if (!CheckKeys(name, kind->required, kind->optional)) return;
    Distribution distribution;
    distribution.kind = kind->kind;
    ReadNumber("min", distribution.min);
    ReadNumber("max", distribution.max);
    ReadNumber("mu", distribution.mu);
    ReadNumber("sigma", distribution.sigma);
    ReadNumber("a", distribution.a);
    ReadNumber("b", distribution.b);
    ReadNumber("q", distribution.q);
    if (failed_) return;
    if (const auto fault = CheckDistribution(distribution); !fault.message.empty()) {
      const YamlEntry* at = node_.Find(fault.key);
      ErrorAt(at ? At(StrCat(path_, ".", fault.key), at->value) : axis_.where, fault.message);
    } else if (parameter_.kind == ParameterKind::kBool ||
               parameter_.kind == ParameterKind::kChoice) {
      Error(StrCat(name, " draws numbers, and ", parameter_.name, " is ", parameter_.range,
                   "; use values: [...]"));
    } else if (!grid_ && parameter_.kind == ParameterKind::kInt &&
               !DrawsWholeNumbers(distribution)) {
      Error(StrCat(name, " draws fractions, and ", parameter_.name,
                   " is a whole number; use int_uniform, or a q_ distribution with a whole q"));
    } else if (!grid_) {
      axis_.distribution = distribution;
    } else {
      ReadGridRange(name, distribution);
    }
  }

  void ReadGridRange(const std::string& name, const Distribution& distribution) {
    const auto values = GridValues(distribution, kMaxValues);
    if (!values) {
      Error(StrCat(name,
                   " has no end of values, so a grid cannot list them; use values: [...], "
                   "q_uniform, int_uniform, or method: random"));
      return;
    }
    if (values->size() > kMaxValues) {
      Error(StrCat("more than ", kMaxValues, " values; use a larger q, or method: random"));
      return;
    }
    for (double value : *values) {
      ParsedValue parsed = ParseValue(parameter_, value);
      if (!parsed.error.empty()) {
        Error(std::move(parsed.error));
        return;
      }
      axis_.values.push_back({std::move(parsed.value), axis_.where});
    }
  }

  const Parameter& parameter_;
  const YamlEntry& entry_;
  const YamlNode& node_;
  const std::string path_;
  const bool grid_;
  Notices& notices_;
  Axis axis_;
  bool failed_ = false;
  bool noted_ = false;
};

}  // namespace

std::optional<Axis> ReadAxis(const Parameter& parameter, const std::string& path,
                             const YamlEntry& entry, bool grid, Notices& notices) {
  return AxisReader(parameter, path, entry, grid, notices).Read();
}

bool NoteWandbSpelling(const Where& where, const YamlNode& node, Notices& notices) {
  if (node.wandb_spelling.empty()) return false;
  notices.Note(where, StrCat(node.text, " is a number here, but text to W&B; ", node.wandb_spelling,
                             " is the same number to both"));
  return true;
}

}  // namespace gridsweep::sweepspec
