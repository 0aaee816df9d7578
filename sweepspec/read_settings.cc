// `gridsweep:`, our own settings in a W&B file.
#include <absl/time/time.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/duration.h"
#include "common/http_post.h"
#include "common/strings.h"
#include "sweepspec/read.h"
#include "sweepspec/suggest.h"

namespace gridsweep::sweepspec {
namespace {

using science::Parameter;

constexpr int64_t kMaxSeeds = 1'000'000;
// The sweep's own settings are 32- and 16-bit columns in the database.
constexpr int64_t kMaxInt32 = 2147483647, kMaxInt16 = 32767;

const std::vector<std::string_view>& Keys() {
  static const std::vector<std::string_view> keys = {
      "seeds",     "runs",         "sampler_seed",        "exclude",
      "priority",  "max_parallel", "max_attempts",        "reuse",
      "resources", "labels",       "checkpoint_interval", "notify"};
  return keys;
}

class SettingsReader {
 public:
  SettingsReader(SweepPlan& plan, Notices& notices) : plan_(plan), notices_(notices) {}

  void Read(const YamlEntry& entry) {
    const std::string& key = entry.key;
    const std::string path = "gridsweep." + key;
    const auto number = [&](int64_t min, int64_t max) {
      return ReadWholeNumber(path, entry, min, max, notices_);
    };
    if (key == "seeds") {
      ReadSeeds(path, entry);
    } else if (key == "runs") {
      ReadRuns(path, entry);
    } else if (key == "sampler_seed") {
      plan_.sampler_seed = number(0, INT64_MAX);
      if (plan_.method == "grid") notices_.Note(At(path, entry), "has no effect on a grid");
    } else if (key == "exclude") {
      ReadExclude(path, entry);
    } else if (key == "priority") {
      if (const auto n = number(-kMaxInt32, kMaxInt32)) {
        plan_.settings.set_priority(static_cast<int32_t>(*n));
      }
    } else if (key == "max_parallel") {
      if (const auto n = number(0, kMaxInt32)) {
        plan_.settings.set_max_parallel(static_cast<uint32_t>(*n));
      }
    } else if (key == "max_attempts") {
      if (const auto n = number(1, kMaxInt16)) {
        plan_.settings.set_max_attempts(static_cast<uint32_t>(*n));
      }
    } else if (key == "labels") {
      ReadLabels(path, entry);
    } else if (key == "reuse") {
      ReadReuse(path, entry);
    } else if (key == "resources") {
      ReadResources(path, entry);
    } else if (key == "checkpoint_interval") {
      ReadCheckpointInterval(path, entry);
    } else if (key == "notify") {
      ReadNotify(path, entry);
    } else {
      notices_.Error(At(path, entry), StrCat("no such setting; gridsweep takes ", Join(Keys()),
                                             DidYouMean(key, Keys())));
    }
  }

 private:
  void ReadSeeds(const std::string& path, const YamlEntry& entry) {
    const auto seeds = ReadWholeNumber(path, entry, 1, kMaxSeeds, notices_);
    const bool has_seed = std::any_of(plan_.axes.begin(), plan_.axes.end(), [](const Axis& axis) {
      return axis.parameter->name == "seed";
    });
    if (has_seed) {
      notices_.Error(At(path, entry),
                     "parameters.seed names the seeds already; keep one of the two");
    }
    if (seeds) plan_.seeds = static_cast<uint32_t>(*seeds);
    plan_.seeds_where = At(path, entry);
  }

  void ReadRuns(const std::string& path, const YamlEntry& entry) {
    const auto runs = ReadWholeNumber(path, entry, 1, INT64_MAX, notices_);
    if (plan_.method == "grid") {
      notices_.Error(At(path, entry),
                     "is the number of random draws, and this sweep is a grid; run_cap keeps the "
                     "first points of a grid");
    } else if (plan_.run_cap) {
      notices_.Error(At(path, entry), "means the same as run_cap; keep one of the two");
    } else if (runs) {
      plan_.run_cap = static_cast<uint64_t>(*runs);
      plan_.run_cap_where = At(path, entry);
    }
  }

  void ReadCheckpointInterval(const std::string& path, const YamlEntry& entry) {
    const auto* text = std::get_if<std::string>(&entry.value.scalar);
    absl::Duration interval;
    if (entry.value.kind != YamlNode::Kind::kScalar || text == nullptr ||
        !absl::ParseDuration(*text, &interval) || interval < kShortestCheckpointInterval ||
        interval > kLongestCheckpointInterval) {
      notices_.Error(At(path, entry.value), Describe(entry.value) +
                                                " is no time between checkpoints; write 1s to "
                                                "720h, for example 90s or 5m");
      return;
    }
    *plan_.settings.mutable_checkpoint_interval() = gridsweep::ToProto(interval);
  }

  void ReadNotify(const std::string& path, const YamlEntry& entry) {
    const auto* url = std::get_if<std::string>(&entry.value.scalar);
    if (entry.value.kind != YamlNode::Kind::kScalar || url == nullptr) {
      notices_.Error(At(path, entry.value),
                     Describe(entry.value) + " is no address; write https://HOST/PATH");
    } else if (const std::string fault = HttpUrlFault(*url); !fault.empty()) {
      notices_.Error(At(path, entry.value), fault + "; write https://HOST/PATH");
    } else {
      plan_.settings.set_notify_url(*url);
    }
  }

  void ReadResources(const std::string& path, const YamlEntry& entry) {
    if (entry.value.kind != YamlNode::Kind::kMap) {
      notices_.Error(At(path, entry), StrCat("is ", Describe(entry.value),
                                             "; write resources: {class: gpu, memory: 8GiB}"));
      return;
    }
    static const std::vector<std::string_view> kNames = {"class", "memory"};
    static const std::vector<std::string_view> kClasses = {"any", "cpu", "gpu"};
    v1::Resources& resources = *plan_.settings.mutable_resources();
    for (const YamlEntry& need : entry.value.entries) {
      const YamlNode& value = need.value;
      const Where where = At(StrCat(path, ".", need.key), value);
      if (need.key == "class") {
        if (std::find(kClasses.begin(), kClasses.end(), value.text) == kClasses.end()) {
          notices_.Error(where, StrCat(Describe(value), " is not one of ", Join(kClasses),
                                       DidYouMean(value.text, kClasses)));
        } else {
          resources.set_resource_class(value.text);
        }
      } else if (need.key == "memory") {
        const std::optional<uint64_t> bytes = ReadBytes(value);
        if (!bytes) {
          notices_.Error(where, Describe(value) +
                                    " is no size of memory; write bytes or a whole number of MiB, "
                                    "GiB or TiB, up to 1024TiB, for example 8GiB");
        } else {
          resources.set_memory_bytes(*bytes);
        }
      } else {
        notices_.Error(
            At(StrCat(path, ".", need.key), need),
            StrCat("no such resource; there are ", Join(kNames), DidYouMean(need.key, kNames)));
      }
    }
  }

  // Of a scalar: 4096, 512MiB, 8 GiB; nothing for what is no size or beyond the largest.
  static std::optional<uint64_t> ReadBytes(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::kScalar) return std::nullopt;
    uint64_t number = 0;
    const char* const end = node.text.data() + node.text.size();
    const auto [rest, error] = std::from_chars(node.text.data(), end, number);
    if (error != std::errc()) return std::nullopt;
    std::string_view unit(rest, static_cast<size_t>(end - rest));
    if (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
    const int shift = unit.empty()    ? 0
                      : unit == "MiB" ? 20
                      : unit == "GiB" ? 30
                      : unit == "TiB" ? 40
                                      : -1;
    if (shift < 0 || number > kMaxMemoryBytes >> shift) return std::nullopt;
    return number << shift;
  }

  void ReadReuse(const std::string& path, const YamlEntry& entry) {
    const auto* reuse = std::get_if<bool>(&entry.value.scalar);
    if (entry.value.kind != YamlNode::Kind::kScalar || reuse == nullptr) {
      notices_.Error(At(path, entry.value), Describe(entry.value) + " is not true or false");
    } else {
      plan_.settings.set_reuse(*reuse);
    }
  }

  void ReadLabels(const std::string& path, const YamlEntry& entry) {
    if (entry.value.kind != YamlNode::Kind::kMap) {
      notices_.Error(At(path, entry),
                     StrCat("is ", Describe(entry.value), "; write labels: {name: value}"));
      return;
    }
    for (const YamlEntry& label : entry.value.entries) {
      if (label.value.kind != YamlNode::Kind::kScalar) {
        notices_.Error(At(path + "." + label.key, label), "a label's value is text");
      } else {
        CheckName(At(path, label), label.key, notices_);
        CheckName(At(path, label.value), label.value.text, notices_);
        (*plan_.settings.mutable_labels())[label.key] = label.value.text;
      }
    }
  }

  void ReadExclude(const std::string& path, const YamlEntry& entry) {
    if (entry.value.kind != YamlNode::Kind::kSequence) {
      notices_.Error(At(path, entry),
                     StrCat("is ", Describe(entry.value),
                            "; it is a list of partial points: [{Np: 2, activation: tanh}]"));
      return;
    }
    for (size_t i = 0; i < entry.value.items.size(); ++i) {
      ReadExclusion(StrCat(path, "[", i, "]"), entry.value.items[i]);
    }
  }

  void ReadExclusion(const std::string& path, const YamlNode& node) {
    if (node.kind != YamlNode::Kind::kMap || node.entries.empty()) {
      notices_.Error(At(path, node), StrCat("is ", Describe(node),
                                            "; a partial point names parameters and values, for "
                                            "example {Np: 2, activation: [relu, tanh]}"));
      return;
    }
    Exclusion exclusion;
    exclusion.where = At(path, node);
    for (const YamlEntry& term : node.entries) {
      const Parameter* parameter = science::FindParameter(term.key);
      if (parameter == nullptr) {
        notices_.Error(At(path + "." + term.key, term),
                       notices_.full() ? "" : UnknownParameter(term.key));
        continue;
      }
      auto& [key, values] = exclusion.terms.emplace_back();
      key = parameter;
      if (term.value.kind == YamlNode::Kind::kSequence && !term.value.items.empty()) {
        for (const YamlNode& item : term.value.items) ReadTerm(path, *parameter, item, values);
      } else {
        ReadTerm(path, *parameter, term.value, values);
      }
    }
    plan_.exclusions.push_back(std::move(exclusion));
  }

  void ReadTerm(const std::string& path, const Parameter& parameter, const YamlNode& node,
                std::vector<science::Value>& values) {
    const Where where = At(StrCat(path, ".", parameter.name), node);
    if (node.kind != YamlNode::Kind::kScalar) {
      notices_.Error(where, StrCat("is ", Describe(node), ", not a value"));
      return;
    }
    ParsedValue parsed = ParseValue(parameter, node.scalar);
    if (parsed.error.empty()) {
      values.push_back(std::move(parsed.value));
    } else {
      notices_.Error(where, std::move(parsed.error));
    }
  }

  SweepPlan& plan_;
  Notices& notices_;
};

}  // namespace

void ReadSettings(const YamlEntry& entry, SweepPlan& plan, Notices& notices) {
  if (entry.value.kind != YamlNode::Kind::kMap) {
    notices.Error(At("gridsweep", entry),
                  StrCat("is ", Describe(entry.value), "; it is a mapping of ", Join(Keys())));
    return;
  }
  SettingsReader reader(plan, notices);
  for (const YamlEntry& setting : entry.value.entries) reader.Read(setting);
}

}  // namespace gridsweep::sweepspec
