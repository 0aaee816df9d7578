#include "sweepspec/run_config_proto.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"
#include "science/config/number_text.h"
#include "science/config/parameters.h"
#include "sweepspec/proto_fields.h"
#include "sweepspec/scalar.h"

namespace gridsweep::sweepspec {
namespace {

using google::protobuf::FieldDescriptor;
using science::Draw;
using science::Parameter;
using science::ParameterKind;
using science::RunConfig;
using science::Value;

const FieldDescriptor* FieldOf(const Parameter& parameter) {
  return v1::RunConfig::descriptor()->FindFieldByName(std::string(parameter.name));
}

std::optional<Draw> FromProtoDraw(const v1::Draw& draw) {
  switch (draw.kind_case()) {
    case v1::Draw::kConstant:
      return Draw::Constant(draw.constant());
    case v1::Draw::kUniform:
      return Draw::Uniform(draw.uniform().low(), draw.uniform().high());
    case v1::Draw::kPoisson:
      return Draw::Poisson(draw.poisson());
    case v1::Draw::KIND_NOT_SET:
      break;
  }
  return std::nullopt;
}

void ToProtoDraw(const Draw& draw, v1::Draw* proto) {
  switch (draw.kind) {
    case Draw::Kind::kConstant:
      proto->set_constant(draw.a);
      return;
    case Draw::Kind::kUniform:
      proto->mutable_uniform()->set_low(draw.a);
      proto->mutable_uniform()->set_high(draw.b);
      return;
    case Draw::Kind::kPoisson:
      proto->set_poisson(draw.a);
      return;
  }
}

// A present field as a parameter's value.
ParsedValue ReadField(const v1::RunConfig& proto, const Parameter& parameter,
                      const FieldDescriptor* field) {
  const auto* reflection = proto.GetReflection();
  switch (parameter.kind) {
    case ParameterKind::kBool:
      return ParseValue(parameter, reflection->GetBool(proto, field));
    case ParameterKind::kInt:
      return ParseValue(parameter, static_cast<int64_t>(reflection->GetInt64(proto, field)));
    case ParameterKind::kDouble:
      return ParseValue(parameter, reflection->GetDouble(proto, field));
    case ParameterKind::kChoice:
      return ParseValue(parameter, reflection->GetString(proto, field));
    case ParameterKind::kDraw: {
      const auto draw =
          FromProtoDraw(static_cast<const v1::Draw&>(reflection->GetMessage(proto, field)));
      if (!draw) return {{}, "has no kind; set constant, uniform or poisson"};
      return {*draw, science::CheckValue(parameter, *draw)};
    }
  }
  return {};
}

absl::StatusOr<RunConfig> Checked(RunConfig config, const std::string& path,
                                  std::vector<std::pair<std::string, std::string>> errors) {
  if (errors.empty()) {
    for (const auto& error : science::CheckConfig(config)) {
      errors.emplace_back(error.parameter, error.message);
    }
  }
  if (errors.empty()) return config;
  if (!path.empty()) {
    for (auto& [field, message] : errors) field = path + "." + field;
  }
  return InvalidFields(errors);
}

// A JSON string literal. The only strings here are choices and draws.
std::string JsonString(const std::string& text) { return nlohmann::json(text).dump(); }

std::string JsonValue(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return JsonString(*text);
  const auto* draw = std::get_if<Draw>(&value);
  if (draw && draw->kind != Draw::Kind::kConstant) return JsonString(DrawText(*draw));
  return ValueText(value);
}

std::optional<Scalar> ToScalar(const nlohmann::json& json) {
  switch (json.type()) {
    case nlohmann::json::value_t::null:
      return Scalar();
    case nlohmann::json::value_t::boolean:
      return json.get<bool>();
    case nlohmann::json::value_t::number_integer:
      return json.get<int64_t>();
    case nlohmann::json::value_t::number_unsigned:
      if (json.get<uint64_t>() <= INT64_MAX) return json.get<int64_t>();
      return json.get<double>();
    case nlohmann::json::value_t::number_float:
      return json.get<double>();
    case nlohmann::json::value_t::string:
      return json.get<std::string>();
    default:
      return std::nullopt;
  }
}

}  // namespace

ProtoFields ReadFields(const v1::RunConfig& proto) {
  ProtoFields fields;
  for (const Parameter& parameter : science::Parameters()) {
    const FieldDescriptor* field = FieldOf(parameter);
    if (!proto.GetReflection()->HasField(proto, field)) continue;
    fields.given.insert(parameter.name);
    ParsedValue parsed = ReadField(proto, parameter, field);
    if (parsed.error.empty()) {
      parameter.set(fields.config, parsed.value);
    } else {
      fields.errors.emplace_back(parameter.name, std::move(parsed.error));
    }
  }
  return fields;
}

absl::StatusOr<RunConfig> FromProto(const v1::RunConfig& proto, const std::string& path) {
  ProtoFields fields = ReadFields(proto);
  if (!fields.given.contains("place_field_values")) {
    fields.errors.emplace_back(
        "place_field_values",
        StrCat("is missing; it is one of ", science::FindParameter("place_field_values")->range));
  }
  ApplyDependentDefaults(fields.config,
                         [&](std::string_view name) { return fields.given.contains(name); });
  return Checked(fields.config, path, std::move(fields.errors));
}

v1::RunConfig ToProto(const RunConfig& config) {
  v1::RunConfig proto;
  const auto* reflection = proto.GetReflection();
  for (const Parameter& parameter : science::Parameters()) {
    const Value value = parameter.get(config);
    if (std::holds_alternative<std::monostate>(value)) continue;
    const FieldDescriptor* field = FieldOf(parameter);
    switch (parameter.kind) {
      case ParameterKind::kBool:
        reflection->SetBool(&proto, field, std::get<bool>(value));
        break;
      case ParameterKind::kInt:
        reflection->SetInt64(&proto, field, std::get<int64_t>(value));
        break;
      case ParameterKind::kDouble:
        reflection->SetDouble(&proto, field, std::get<double>(value));
        break;
      case ParameterKind::kChoice:
        reflection->SetString(&proto, field, std::get<std::string>(value));
        break;
      case ParameterKind::kDraw:
        ToProtoDraw(std::get<Draw>(value),
                    static_cast<v1::Draw*>(reflection->MutableMessage(&proto, field)));
        break;
    }
  }
  return proto;
}

std::string CanonicalJson(const RunConfig& config) {
  std::string json = "{";
  for (const Parameter& parameter : science::Parameters()) {
    if (json.size() > 1) json += ',';
    json += '"';
    json += parameter.name;
    json += "\":";
    json += JsonValue(parameter.get(config));
  }
  json += '}';
  return json;
}

absl::StatusOr<RunConfig> FromCanonicalJson(const std::string& json) {
  const auto object = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return absl::InvalidArgumentError("the configuration is not a JSON object");
  }
  RunConfig config;
  std::vector<std::pair<std::string, std::string>> errors;
  for (const auto& [name, value] : object.items()) {
    const Parameter* parameter = science::FindParameter(name);
    if (parameter == nullptr) {
      errors.emplace_back(name, UnknownParameter(name));
      continue;
    }
    if (value.is_null() && std::holds_alternative<std::monostate>(parameter->get(RunConfig{}))) {
      continue;
    }
    const auto scalar = ToScalar(value);
    ParsedValue parsed = scalar ? ParseValue(*parameter, *scalar)
                                : ParsedValue{{}, "is an array or an object, not a value"};
    if (parsed.error.empty()) {
      parameter->set(config, parsed.value);
    } else {
      errors.emplace_back(name, std::move(parsed.error));
    }
  }
  if (!object.contains("place_field_values")) {
    errors.emplace_back("place_field_values", "is missing");
  }
  return Checked(config, "", std::move(errors));
}

std::string ConfigHash(const RunConfig& config) { return Sha256::Of(CanonicalJson(config)); }

std::string ShapeKey(const RunConfig& config) {
  const bool banino = config.rnn_type == science::RnnType::kBaninoLstm;
  std::string shape = ValueText(science::FindParameter("rnn_type")->get(config));
  for (int64_t size :
       {config.Ng, config.Np, config.n_head_direction_cells, config.batch_size,
        config.sequence_length, config.eval_sequence_length, banino ? config.lstm_units : 0,
        static_cast<int64_t>(banino && config.bottleneck_bias)}) {
    shape += ' ';
    shape += std::to_string(size);
  }
  return Sha256::Of(shape).substr(0, 16);
}

}  // namespace gridsweep::sweepspec
