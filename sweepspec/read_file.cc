// The top level of a sweep file (W&B's format).
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/printable.h"
#include "common/strings.h"
#include "sweepspec/read.h"
#include "sweepspec/scalar.h"
#include "sweepspec/suggest.h"
#include "sweepspec/sweep_file.h"

namespace gridsweep::sweepspec {
namespace {

using Json = nlohmann::ordered_json;

// Without effect here, kept with the sweep.
const std::vector<std::string_view>& IgnoredKeys() {
  static const std::vector<std::string_view> keys = {
      "program", "project",   "entity", "metric",     "metrics",    "command",
      "job",     "image_uri", "kind",   "apiVersion", "controller", "description"};
  return keys;
}

Json ToJson(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kSequence: {
      Json array = Json::array();
      for (const YamlNode& item : node.items) array.push_back(ToJson(item));
      return array;
    }
    case YamlNode::Kind::kMap: {
      // Its keys differ: to look for each among the others would take the square of their number.
      Json::object_t members;
      for (const YamlEntry& entry : node.entries)
        members.push_back({entry.key, ToJson(entry.value)});
      return members;
    }
    case YamlNode::Kind::kScalar:
      break;
  }
  if (std::holds_alternative<std::monostate>(node.scalar)) return nullptr;
  if (const auto* flag = std::get_if<bool>(&node.scalar)) return *flag;
  if (const auto* integer = std::get_if<int64_t>(&node.scalar)) return *integer;
  if (const auto* number = std::get_if<double>(&node.scalar)) return *number;
  return std::get<std::string>(node.scalar);
}

void ReadMetric(const YamlEntry& entry, Notices& notices) {
  if (entry.value.kind != YamlNode::Kind::kMap) {
    notices.Error(At("metric", entry), "is " + Describe(entry.value) +
                                           "; W&B wants a mapping: metric: {name: ..., goal: "
                                           "minimize}");
    return;
  }
  if (entry.value.Find("name") == nullptr) {
    notices.Error(At("metric", entry), "name is missing; W&B requires it");
  }
  for (const YamlEntry& part : entry.value.entries) {
    const std::string path = "metric." + part.key;
    const std::vector<std::string_view> keys = {"name", "goal", "target", "impute",
                                                "impute_while_running"};
    if (std::find(keys.begin(), keys.end(), part.key) == keys.end()) {
      notices.Error(At(path, part), StrCat("W&B has no such key; metric takes ", Join(keys),
                                           DidYouMean(part.key, keys)));
    }
    if (part.key == "goal" && part.value.text != "minimize" && part.value.text != "maximize") {
      notices.Error(At(path, part.value), Describe(part.value) + " is not minimize or maximize");
    }
  }
}

std::string ReadMethod(const YamlNode& root, Notices& notices) {
  const YamlEntry* entry = root.Find("method");
  if (entry == nullptr) {
    notices.Error({"method", root.line, root.column}, "is missing; it is grid or random");
    return "";
  }
  const auto* method = std::get_if<std::string>(&entry->value.scalar);
  const Where where = At("method", entry->value);
  if (entry->value.kind != YamlNode::Kind::kScalar || method == nullptr) {
    notices.Error(where, Describe(entry->value) + " is not grid or random");
  } else if (*method == "bayes") {
    notices.Error(where,
                  "bayes chooses each run by the results of earlier ones, and Gridsweep fixes all "
                  "runs when a sweep is submitted; use method: random with run_cap");
  } else if (*method == "custom") {
    notices.Error(where,
                  "custom needs a scheduler of your own, which Gridsweep does not run; use method: "
                  "grid, or method: random with run_cap");
  } else if (*method != "grid" && *method != "random") {
    notices.Error(where, Quoted(*method) + " is not grid or random" +
                             DidYouMean(*method, {"grid", "random"}));
  } else {
    return *method;
  }
  return "";
}

class TopLevel {
 public:
  TopLevel(SweepPlan& plan, Notices& notices) : plan_(plan), notices_(notices) {}

  void Read(const YamlNode& root) {
    plan_.method = ReadMethod(root, notices_);
    const YamlEntry* settings = nullptr;
    for (const YamlEntry& entry : root.entries) {
      if (entry.key == "gridsweep") {
        settings = &entry;
      } else {
        ReadKey(entry);
      }
    }
    if (root.Find("parameters") == nullptr) {
      notices_.Error({"parameters", root.line, root.column},
                     "is missing; it holds what the sweep varies, at least place_field_values");
    }
    // After the parameters: it asks which of them are there.
    if (settings != nullptr) ReadSettings(*settings, plan_, notices_);
    if (!ignored_.empty()) {
      notices_.Note(first_ignored_, StrCat(Join(ignored_), ignored_.size() > 1 ? " have" : " has",
                                           " no effect here; kept with the sweep as metadata"));
    }
    plan_.metadata_json = metadata_.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

 private:
  void ReadKey(const YamlEntry& entry) {
    const std::string& key = entry.key;
    const auto& ignored = IgnoredKeys();
    if (key == "method") return;
    if (key == "parameters") {
      ReadParameters(entry, plan_, notices_);
    } else if (key == "name") {
      const auto* name = std::get_if<std::string>(&entry.value.scalar);
      if (entry.value.kind != YamlNode::Kind::kScalar ||
          std::holds_alternative<std::monostate>(entry.value.scalar)) {
        notices_.Error(At(key, entry), "is " + Describe(entry.value) + "; it must be text");
      } else {
        plan_.name = name ? *name : entry.value.text;
        CheckName(At(key, entry.value), plan_.name, notices_);
      }
    } else if (key == "run_cap") {
      const auto cap = ReadWholeNumber(key, entry, 1, INT64_MAX, notices_);
      if (cap) plan_.run_cap = static_cast<uint64_t>(*cap);
      plan_.run_cap_where = At(key, entry.value);
      NoteWandbSpelling(plan_.run_cap_where, entry.value, notices_);
    } else if (key == "early_terminate") {
      notices_.Error(
          At(key, entry),
          "Gridsweep trains every run to its end: stopping early would favour what looks "
          "good early (grid cells come and go in training); remove it, and set n_epochs "
          "for shorter runs");
    } else if (key == "scheduler") {
      notices_.Error(
          At(key, entry),
          "Gridsweep does not run schedulers of other systems; remove it and use method: "
          "grid or random");
    } else if (std::find(ignored.begin(), ignored.end(), key) != ignored.end()) {
      if (key == "metric") ReadMetric(entry, notices_);
      metadata_[key] = ToJson(entry.value);
      if (key != "description") {
        ignored_.push_back(key);
        if (ignored_.size() == 1) first_ignored_ = At(key, entry);
      }
    } else {
      ReadUnknown(entry);
    }
  }

  void ReadUnknown(const YamlEntry& entry) {
    std::vector<std::string_view> keys = {"method", "parameters", "name", "run_cap", "gridsweep"};
    keys.insert(keys.end(), IgnoredKeys().begin(), IgnoredKeys().end());
    std::string message = "no such key; a sweep file takes " + Join(keys);
    if (science::FindParameter(entry.key) != nullptr) {
      message += "; as a parameter it belongs under parameters:";
    } else {
      message += DidYouMean(entry.key, keys);
    }
    notices_.Error(At(entry.key, entry), message);
  }

  SweepPlan& plan_;
  Notices& notices_;
  Json metadata_ = Json::object();
  std::vector<std::string_view> ignored_;
  Where first_ignored_;
};

}  // namespace

Where At(const std::string& path, const YamlEntry& entry) {
  return {path, entry.line, entry.column};
}

Where At(const std::string& path, const YamlNode& node) { return {path, node.line, node.column}; }

void CheckName(const Where& where, const std::string& name, Notices& notices) {
  if (!IsPrintable(name)) {
    notices.Error(where, StrCat("\"", Printable(name),
                                "\": a name with control characters or marks of writing "
                                "direction; leave them out"));
  }
  if (name.size() > kMaxNameBytes) {
    notices.Error(where, StrCat("has ", name.size(), " bytes; a name has at most ", kMaxNameBytes));
  }
}

std::string Describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kSequence:
      return node.items.empty() ? "an empty list" : "a list";
    case YamlNode::Kind::kMap:
      return node.entries.empty() ? "an empty mapping" : "a mapping";
    case YamlNode::Kind::kScalar:
      return ScalarText(node.scalar);
  }
  return "";
}

std::optional<int64_t> ReadWholeNumber(const std::string& path, const YamlEntry& entry, int64_t min,
                                       int64_t max, Notices& notices) {
  std::optional<int64_t> number;
  if (entry.value.kind == YamlNode::Kind::kScalar) {
    if (const auto* integer = std::get_if<int64_t>(&entry.value.scalar)) number = *integer;
    const auto* real = std::get_if<double>(&entry.value.scalar);
    if (real != nullptr && *real == std::floor(*real) && std::abs(*real) <= 9007199254740992.0) {
      number = static_cast<int64_t>(*real);
    }
  }
  const auto* beyond = entry.value.kind == YamlNode::Kind::kScalar && !number
                           ? std::get_if<double>(&entry.value.scalar)
                           : nullptr;
  if (beyond != nullptr && std::isfinite(*beyond) && *beyond == std::floor(*beyond) &&
      max == INT64_MAX) {
    notices.Error(At(path, entry.value), TooLarge(*beyond));
    return std::nullopt;
  }
  if (!number || *number < min || *number > max) {
    notices.Error(
        At(path, entry.value),
        StrCat(Describe(entry.value), " is not a whole number ",
               max == INT64_MAX ? StrCat(">= ", min) : StrCat("from ", min, " to ", max)));
    return std::nullopt;
  }
  return number;
}

std::optional<SweepPlan> ReadSweepFile(const YamlNode& root, Notices& notices) {
  SweepPlan plan;
  plan.where = {"parameters", root.line, root.column};
  if (root.kind != YamlNode::Kind::kMap) {
    notices.Error(At("", root), "a sweep file is a mapping with method and parameters; this is " +
                                    Describe(root));
    return std::nullopt;
  }
  TopLevel(plan, notices).Read(root);
  if (notices.has_errors()) return std::nullopt;
  return plan;
}

}  // namespace gridsweep::sweepspec
