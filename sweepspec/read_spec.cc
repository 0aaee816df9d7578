// A v1::SweepSpec: a grid given as data.
#include <nlohmann/json.hpp>

#include "common/duration.h"
#include "common/http_post.h"
#include "common/strings.h"
#include "sweepspec/proto_fields.h"
#include "sweepspec/read.h"
#include "sweepspec/suggest.h"

namespace gridsweep::sweepspec {
namespace {

constexpr uint32_t kMaxAttempts = 32767;
constexpr uint32_t kMaxParallel = 2147483647;

std::optional<Scalar> ReadJsonScalar(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer() &&
      !(json.is_number_unsigned() && json.get<uint64_t>() > INT64_MAX)) {
    return json.get<int64_t>();
  }
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  return std::nullopt;
}

void ReadAxis(const v1::Axis& axis, const std::string& path, SweepPlan& plan, Notices& notices) {
  const auto* parameter = science::FindParameter(axis.parameter());
  if (parameter == nullptr) {
    notices.Error({path + ".parameter"},
                  notices.full() ? "" : UnknownParameter(axis.parameter()));
    return;
  }
  for (const Axis& other : plan.axes) {
    if (other.parameter == parameter) {
      notices.Error({path + ".parameter"},
                    StrCat(parameter->name, " is the axis ", other.where.path, " already"));
      return;
    }
  }
  if (axis.values_json_size() == 0) {
    notices.Error({path + ".values_json"}, "is empty; name at least one value");
  }
  Axis& planned = plan.axes.emplace_back();
  planned.parameter = parameter;
  planned.where = {path};
  for (int i = 0; i < axis.values_json_size(); ++i) {
    const Where where{StrCat(path, ".values_json[", i, "]")};
    const auto scalar = ReadJsonScalar(axis.values_json(i));
    if (!scalar) {
      notices.Error(where, Quoted(axis.values_json(i)) +
                               " is not a JSON number, string, true or false (text needs its "
                               "quotes: \"\\\"relu\\\"\")");
      continue;
    }
    ParsedValue parsed = ParseValue(*parameter, *scalar);
    if (parsed.error.empty()) {
      planned.values.push_back({std::move(parsed.value), where});
    } else {
      notices.Error(where, std::move(parsed.error));
    }
  }
}

void CheckSettings(const v1::SweepSettings& settings, Notices& notices) {
  const std::string path = "spec.settings.";
  if (settings.has_max_attempts() &&
      (settings.max_attempts() < 1 || settings.max_attempts() > kMaxAttempts)) {
    notices.Error({path + "max_attempts"},
                  StrCat(settings.max_attempts(), " is not from 1 to ", kMaxAttempts));
  }
  if (settings.max_parallel() > kMaxParallel) {
    notices.Error({path + "max_parallel"},
                  StrCat(settings.max_parallel(), " is more than ", kMaxParallel));
  }
  if (settings.has_checkpoint_interval()) {
    const absl::Duration interval = FromProto(settings.checkpoint_interval());
    if (interval < kShortestCheckpointInterval || interval > kLongestCheckpointInterval) {
      notices.Error({path + "checkpoint_interval"},
                    StrCat(absl::FormatDuration(interval), " is not from 1s to 720h"));
    }
  }
  const std::string& resource_class = settings.resources().resource_class();
  if (!resource_class.empty() && resource_class != "any" && resource_class != "cpu" &&
      resource_class != "gpu") {
    notices.Error({path + "resources.resource_class"},
                  StrCat("\"", resource_class, "\" is none of any, cpu and gpu"));
  }
  if (settings.resources().memory_bytes() > kMaxMemoryBytes) {
    notices.Error({path + "resources.memory_bytes"},
                  StrCat(settings.resources().memory_bytes(), " is more than ", kMaxMemoryBytes));
  }
  if (const std::string fault = HttpUrlFault(settings.notify_url());
      !settings.notify_url().empty() && !fault.empty()) {
    notices.Error({path + "notify_url"}, fault);
  }
  for (const auto& [name, value] : settings.labels()) {
    CheckName({path + "labels"}, name, notices);
    CheckName({path + "labels"}, value, notices);
  }
}

}  // namespace

std::optional<SweepPlan> ReadSweepSpec(const v1::SweepSpec& spec, Notices& notices) {
  SweepPlan plan;
  plan.method = "grid";
  plan.name = spec.name();
  plan.where = {"spec.base"};
  plan.settings = spec.settings();
  CheckName({"spec.name"}, spec.name(), notices);
  CheckSettings(spec.settings(), notices);

  ProtoFields base = ReadFields(spec.base());
  for (auto& [name, message] : base.errors) {
    notices.Error({"spec.base." + name}, std::move(message));
  }
  plan.base = base.config;
  plan.given = std::move(base.given);
  for (int i = 0; i < spec.axes_size(); ++i) {
    ReadAxis(spec.axes(i), StrCat("spec.axes[", i, "]"), plan, notices);
  }
  plan.seeds = spec.seeds();
  plan.seeds_where = {"spec.seeds"};
  for (const Axis& axis : plan.axes) {
    if (plan.seeds > 0 && axis.parameter->name == "seed") {
      notices.Error(plan.seeds_where, axis.where.path + " names the seeds already; keep one");
    }
  }
  if (notices.has_errors()) return std::nullopt;
  return plan;
}

}  // namespace gridsweep::sweepspec
