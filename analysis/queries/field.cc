#include "analysis/queries/field.h"

#include <algorithm>
#include <map>

#include "common/strings.h"
#include "science/config/metric_registry.h"
#include "science/config/parameters.h"
#include "sweepspec/suggest.h"

namespace gridsweep::analysis {
namespace {

using science::ParameterKind;

constexpr std::string_view kStates[] = {"pending",   "backoff",  "paused", "running",
                                        "succeeded", "diverged", "failed", "cancelled"};

// Parameters with a column of their own.
const std::map<std::string_view, std::string_view>& Columns() {
  static const std::map<std::string_view, std::string_view> columns = {
      {"rnn_type", "r.rnn_type"},
      {"activation", "r.activation"},
      {"Ng", "r.ng"},
      {"Np", "r.np"},
      {"place_cell_rf", "r.place_cell_rf"},
      {"surround_scale", "r.surround_scale"},
      {"seed", "r.seed"},
  };
  return columns;
}

Field ConfigField(const science::Parameter& parameter) {
  Field field{.name = std::string(parameter.name), .type = FieldType::kText};
  const auto column = Columns().find(parameter.name);
  field.sql = column != Columns().end() ? std::string(column->second)
                                        : StrCat("(r.config->>'", parameter.name, "')");
  const bool typed = column != Columns().end();
  switch (parameter.kind) {
    case ParameterKind::kBool:
      field.type = FieldType::kBool;
      if (!typed) field.sql += "::boolean";
      break;
    case ParameterKind::kInt:
      field.type = FieldType::kInt;
      if (!typed) field.sql += "::numeric";
      break;
    case ParameterKind::kDouble:
      field.type = FieldType::kNumber;
      if (!typed) field.sql += "::float8";
      break;
    case ParameterKind::kChoice:
      field.choices = parameter.choices;
      break;
    case ParameterKind::kDraw:
      field.is_draw = true;
      if (typed) {
        field.low_sql = field.sql + "_low";
        field.high_sql = field.sql + "_high";
      }
      break;
  }
  return field;
}

std::vector<Field> MakeFields() {
  std::vector<Field> fields;
  for (const auto& parameter : science::Parameters()) fields.push_back(ConfigField(parameter));
  fields.push_back({.name = "readout", .type = FieldType::kText, .sql = "r.readout"});
  fields.push_back({.name = "readout_family", .type = FieldType::kText, .sql = "r.readout_family"});
  fields.push_back({.name = "sweep", .type = FieldType::kInt, .sql = "r.sweep_id"});
  fields.push_back({.name = "run", .type = FieldType::kInt, .sql = "r.run_id", .groupable = false});
  std::string states = "(array[";
  for (const auto state : kStates) states += StrCat(state == kStates[0] ? "'" : ", '", state, "'");
  fields.push_back({.name = "state",
                    .type = FieldType::kText,
                    .sql = states + "])[st.state + 1]",
                    .groupable = false,
                    .choices = {std::begin(kStates), std::end(kStates)},
                    .also = {{"leased", "running"}}});
  // What a result's bits depend on besides its configuration.
  fields.push_back({.name = "numerics_id",
                    .type = FieldType::kText,
                    .sql = "p.numerics_id",
                    .is_result = true,
                    .groupable = false});
  fields.push_back({.name = "science_version",
                    .type = FieldType::kInt,
                    .sql = "p.science_version",
                    .is_result = true,
                    .groupable = false});
  fields.push_back({.name = "reused",
                    .type = FieldType::kBool,
                    .sql = "(p.reused_from is not null)",
                    .is_result = true,
                    .groupable = false});
  for (const auto& metric : science::Metrics()) {
    if (metric.level != science::MetricLevel::kRun) continue;
    fields.push_back({.name = std::string(metric.name),
                      .type = FieldType::kNumber,
                      .sql = StrCat("p.", metric.name),
                      .is_result = true,
                      .groupable = false});
  }
  return fields;
}

const std::vector<Field>& Fields() {
  static const std::vector<Field> fields = MakeFields();
  return fields;
}

}  // namespace

std::vector<std::string_view> FieldNames() {
  std::vector<std::string_view> names;
  for (const Field& field : Fields()) names.push_back(field.name);
  return names;
}

const Field* FindField(std::string_view name) {
  if (const auto* metric = science::FindMetric(name)) name = metric->name;
  for (const Field& field : Fields()) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string NoSuchField(std::string_view name, bool for_grouping) {
  if (const auto* metric = science::FindMetric(name);
      metric != nullptr && metric->level == science::MetricLevel::kUnit) {
    return StrCat("\"", name,
                  "\" is a metric of units; only configuration fields, readout, readout_family, "
                  "sweep",
                  for_grouping ? " can be grouped by" : ", run, state and run metrics select runs");
  }
  std::vector<std::string_view> names;
  for (const Field& field : Fields()) {
    if (!for_grouping || field.groupable) names.push_back(field.name);
  }
  if (!for_grouping) names.push_back("decoding_error_cm");
  return StrCat("there is no field \"", name, "\"", sweepspec::DidYouMean(name, names),
                for_grouping
                    ? "; fields are configuration fields, readout, readout_family and sweep"
                    : "; fields are configuration fields, readout, readout_family, sweep, run, "
                      "state, numerics_id, science_version, reused and metrics of runs");
}

}  // namespace gridsweep::analysis
