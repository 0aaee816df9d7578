#include "analysis/queries/selection.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "common/status.h"
#include "common/strings.h"
#include "science/config/parameters.h"

namespace gridsweep::analysis {
namespace {

constexpr int kMaxSweeps = 10'000;  // named in one question

std::string ConditionSql(const Condition& condition, SqlParams& params) {
  const Field& field = *condition.field;
  const std::string op(SqlOperator(condition.op));
  if (const auto* number = std::get_if<NumberLiteral>(&condition.value)) {
    if (field.is_draw) {
      const bool below = condition.op == CompareOp::kLt || condition.op == CompareOp::kLe;
      return StrCat("(", below ? field.high_sql : field.low_sql, " ", op, " ",
                    params.Number(number->value), ")");
    }
    return StrCat(
        "(", field.sql, " ", op, " ",
        field.type == FieldType::kInt ? params.Decimal(number->text) : params.Number(number->value),
        ")");
  }
  if (const auto* boolean = std::get_if<bool>(&condition.value)) {
    return StrCat("(", field.sql, " ", op, " ", params.Boolean(*boolean), ")");
  }
  return StrCat("(", field.sql, " ", op, " ", params.Text(std::get<std::string>(condition.value)),
                ")");
}

double NumberOf(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Order of two values of one field.
int CompareValues(const Field& field, const std::optional<std::string>& a,
                  const std::optional<std::string>& b) {
  if (!a || !b) return static_cast<int>(!a) - static_cast<int>(!b);
  if (field.type == FieldType::kInt || field.type == FieldType::kNumber) {
    const double x = NumberOf(*a), y = NumberOf(*b);
    return (x > y) - (x < y);
  }
  if (field.is_draw) {
    const auto x = science::ParseDraw(*a), y = science::ParseDraw(*b);
    if (x && y) {
      const auto left = std::pair(x->Low(), x->High()), right = std::pair(y->Low(), y->High());
      if (left != right) return left < right ? -1 : 1;
    }
  }
  return a->compare(*b);
}

}  // namespace

absl::StatusOr<Selection> ParseSelection(const v1::Selection& proto, const std::string& path) {
  if (proto.sweep_ids_size() > kMaxSweeps) {
    return InvalidField(path + ".sweep_ids", StrCat(proto.sweep_ids_size(), " sweeps; at most ",
                                                    kMaxSweeps, ": ask in parts, or filter"));
  }
  Selection selection;
  selection.sweep_ids.assign(proto.sweep_ids().begin(), proto.sweep_ids().end());
  ASSIGN_OR_RETURN(selection.conditions, ParseFilter(proto.filter(), path + ".filter"));
  std::set<const Field*> seen;
  for (int i = 0; i < proto.group_by_size(); ++i) {
    const std::string item = StrCat(path, ".group_by[", i, "]");
    const Field* field = FindField(proto.group_by(i));
    if (field == nullptr || !field->groupable) {
      return InvalidField(item, field == nullptr
                                    ? NoSuchField(proto.group_by(i), true)
                                    : StrCat("cannot group by \"", proto.group_by(i),
                                             "\": group by configuration fields, readout, "
                                             "readout_family or sweep"));
    }
    if (!seen.insert(field).second) {
      return InvalidField(item, StrCat("\"", field->name, "\" is there twice; leave one out"));
    }
    selection.group_by.push_back(field);
  }
  return selection;
}

v1::Selection Narrowed(const v1::Selection& where, std::string_view filter) {
  v1::Selection narrowed = where;
  if (!filter.empty()) {
    narrowed.set_filter(where.filter().empty() ? std::string(filter)
                                               : StrCat(where.filter(), " AND ", filter));
  }
  return narrowed;
}

absl::Status CheckSweepsExist(Snapshot& snapshot, const Selection& selection,
                              const std::string& path) {
  if (selection.sweep_ids.empty()) return absl::OkStatus();
  SqlParams params;
  const auto rows = snapshot.Exec(StrCat("select id from unnest(", params.Ints(selection.sweep_ids),
                                         ") id where not exists (select from sweeps where sweep_id "
                                         "= id and deleted_at is null) order by id limit 5"),
                                  params);
  if (rows.empty()) return absl::OkStatus();
  std::string missing;
  for (const auto& row : rows) missing += StrCat(missing.empty() ? "" : ", ", row[0].c_str());
  return absl::NotFoundError(StrCat(path, ".sweep_ids: there is no sweep ", missing));
}

std::string WithSelected(const Selection& selection, SqlParams& params,
                         const std::vector<std::string>& result_columns) {
  std::string asked = "true", passes = "true", keys, results;
  if (!selection.sweep_ids.empty()) {
    asked = StrCat("r.sweep_id = any(", params.Ints(selection.sweep_ids), ")");
  }
  for (const Condition& condition : selection.conditions) {
    std::string& into = condition.field->is_result ? passes : asked;
    into += " and " + ConditionSql(condition, params);
  }
  for (size_t i = 0; i < selection.group_by.size(); ++i) {
    keys += StrCat(", ", selection.group_by[i]->sql, " as k", i);
  }
  for (const auto& column : result_columns) results += ", p." + column;
  return StrCat("with picked as materialized (select r.run_id, st.state, coalesce(", passes,
                ", false) as passes, p.reused_from is not null as reused", keys, results,
                " from runs r join run_state st using (run_id)"
                " left join run_results p on p.run_id = r.run_id where ",
                asked, "), selected as (select * from picked where state = 4 and passes)");
}

std::string KeyColumns(const Selection& selection, std::string_view prefix) {
  std::string columns;
  for (size_t i = 0; i < selection.group_by.size(); ++i) columns += StrCat(prefix, "k", i, ", ");
  return columns;
}

std::string GroupByKeys(const Selection& selection) {
  std::string columns = KeyColumns(selection);
  if (columns.empty()) return "";
  columns.resize(columns.size() - 2);
  return " group by " + columns;
}

std::string KeyIs(const Selection& selection, const Key& key, SqlParams& params) {
  std::string sql;
  for (size_t i = 0; i < key.size(); ++i) {
    sql += StrCat(" and k", i);
    if (!key[i]) {
      sql += " is null";
      continue;
    }
    switch (selection.group_by[i]->type) {
      case FieldType::kInt:
        sql += " = " + params.Decimal(*key[i]);
        break;
      case FieldType::kNumber:
        sql += " = " + params.Number(NumberOf(*key[i]));
        break;
      case FieldType::kBool:
        sql += " = " + params.Boolean(*key[i] == "t");
        break;
      case FieldType::kText:
        sql += " = " + params.Text(*key[i]);
        break;
    }
  }
  return sql;
}

Key KeyOf(const Selection& selection, const pqxx::row& row) {
  Key key;
  for (size_t i = 0; i < selection.group_by.size(); ++i) {
    key.push_back(AsOptionalText(row[static_cast<pqxx::row::size_type>(i)]));
  }
  return key;
}

std::vector<v1::GroupValue> KeyValues(const Selection& selection, const Key& key) {
  std::vector<v1::GroupValue> values;
  for (size_t i = 0; i < key.size(); ++i) {
    v1::GroupValue& value = values.emplace_back();
    value.set_field(selection.group_by[i]->name);
    if (!key[i]) continue;
    switch (selection.group_by[i]->type) {
      case FieldType::kInt:
      case FieldType::kNumber:
        value.set_number(NumberOf(*key[i]));
        break;
      case FieldType::kBool:
        value.set_boolean(*key[i] == "t");
        break;
      case FieldType::kText:
        value.set_text(*key[i]);
        break;
    }
  }
  return values;
}

std::vector<CoveredGroup> ReadCoverage(Snapshot& snapshot, const Selection& selection) {
  SqlParams params;
  const std::string with = WithSelected(selection, params);
  const auto rows = snapshot.Exec(
      StrCat(with, " select ", KeyColumns(selection),
             "count(*), count(*) filter (where state = 4), count(*) filter (where state = 5),"
             " count(*) filter (where state = 6), count(*) filter (where state = 7),"
             " count(*) filter (where state = 3), count(*) filter (where state in (0, 1, 2)),"
             " count(*) filter (where state = 4 and passes),"
             " count(*) filter (where state = 4 and passes and reused) from picked",
             GroupByKeys(selection)),
      params);
  std::vector<CoveredGroup> groups;
  for (const auto& row : rows) {
    CoveredGroup& covered = groups.emplace_back();
    covered.key = KeyOf(selection, row);
    for (auto& value : KeyValues(selection, covered.key)) {
      *covered.group.add_key() = std::move(value);
    }
    auto column = static_cast<pqxx::row::size_type>(covered.key.size());
    v1::Coverage& coverage = *covered.group.mutable_coverage();
    coverage.set_runs_total(AsInt(row[column]));
    coverage.set_finished(AsInt(row[++column]));
    coverage.set_diverged(AsInt(row[++column]));
    coverage.set_failed(AsInt(row[++column]));
    coverage.set_cancelled(AsInt(row[++column]));
    coverage.set_running(AsInt(row[++column]));
    coverage.set_pending(AsInt(row[++column]));
    coverage.set_selected_runs(AsInt(row[++column]));
    coverage.set_reused(AsInt(row[++column]));
  }
  std::ranges::sort(groups, [&](const CoveredGroup& a, const CoveredGroup& b) {
    for (size_t i = 0; i < a.key.size(); ++i) {
      const int order = CompareValues(*selection.group_by[i], a.key[i], b.key[i]);
      if (order != 0) return order < 0;
    }
    return false;
  });
  return groups;
}

}  // namespace gridsweep::analysis
