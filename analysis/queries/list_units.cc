#include "analysis/queries/list_units.h"

#include <absl/strings/escaping.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "analysis/queries/basis.h"
#include "common/sha256.h"
#include "common/status.h"
#include "common/strings.h"

namespace gridsweep::analysis {
namespace {

using nlohmann::json;
using science::Metric;
using science::MetricLevel;

constexpr int kDefaultPage = 20;
constexpr int kMaxPage = 10'000;
constexpr size_t kPageBytes = 3 << 20;

std::vector<const Metric*> UnitMetrics() {
  std::vector<const Metric*> metrics;
  for (const auto& metric : science::Metrics()) {
    if (metric.level == MetricLevel::kUnit) metrics.push_back(&metric);
  }
  return metrics;
}

std::string MakeToken(const std::string& fingerprint, const std::map<Key, PageStart>& starts) {
  json token = {{"question", fingerprint}, {"after", json::array()}};
  for (const auto& [key, start] : starts) {
    json keys = json::array();
    for (const auto& part : key) keys.push_back(part ? json(*part) : json());
    json entry = {{"key", keys}};
    if (!start.exhausted) {
      entry["at"] = {start.value ? json(*start.value) : json(), start.run_id, start.unit};
    }
    token["after"].push_back(entry);
  }
  std::string out;
  absl::WebSafeBase64Escape(token.dump(), &out);
  return out;
}

bool ReadToken(const std::string& text, std::string& fingerprint,
               std::map<Key, PageStart>& starts) {
  std::string decoded;
  if (!absl::WebSafeBase64Unescape(text, &decoded)) return false;
  try {
    const json token = json::parse(decoded);
    fingerprint = token.at("question").get<std::string>();
    for (const json& entry : token.at("after")) {
      Key key;
      for (const json& part : entry.at("key")) {
        key.push_back(part.is_null() ? std::nullopt
                                     : std::optional<std::string>(part.get<std::string>()));
      }
      PageStart& start = starts[key];
      start.exhausted = !entry.contains("at");
      if (start.exhausted) continue;
      const json& value = entry["at"].at(0);
      if (!value.is_null()) start.value = value.get<std::string>();
      const json &run_id = entry["at"].at(1), &unit = entry["at"].at(2);
      if (!run_id.is_number_integer() || !unit.is_number_integer()) return false;
      start.run_id = run_id.get<int64_t>();
      start.unit = unit.get<int64_t>();
    }
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

// One more than a page of one group.
pqxx::result ReadGroup(Snapshot& snapshot, const ListUnitsQuestion& q, const Key& key,
                       const PageStart* start) {
  SqlParams params;
  std::string sql = WithSelected(q.selection, params);
  const std::string value = StrCat("u.", q.metric->name);
  sql += " select u.run_id, u.unit, r.sweep_id, r.readout, " + value;
  for (const Metric* metric : UnitMetrics()) sql += StrCat(", u.", metric->name);
  sql += " from selected s join units u using (run_id) join runs r using (run_id) where true";
  sql += KeyIs(q.selection, key, params);
  if (start != nullptr) {
    const std::string after = StrCat("(u.run_id, u.unit) > (", params.Int(start->run_id), ", ",
                                     params.Int(start->unit), ")");
    if (!start->value) {
      sql += StrCat(" and ", value, " is null and ", after);
    } else {
      double at = 0;
      std::from_chars(start->value->data(), start->value->data() + start->value->size(), at);
      const std::string bound = params.Number(at);
      sql += StrCat(" and (", value, q.ascending ? " > " : " < ", bound, " or (", value, " = ",
                    bound, " and ", after, ") or ", value, " is null)");
    }
  }
  sql += StrCat(" order by ", value, q.ascending ? "" : " desc", " nulls last, u.run_id, u.unit ",
                "limit ", params.Int(q.page_size + 1));
  return snapshot.Exec(sql, params);
}

v1::UnitRow ReadUnit(const pqxx::row& row) {
  v1::UnitRow unit;
  unit.mutable_ref()->set_run_id(AsInt(row[0]));
  unit.mutable_ref()->set_unit(static_cast<uint32_t>(AsInt(row[1])));
  unit.set_sweep_id(AsInt(row[2]));
  unit.set_readout(row[3].c_str());
  if (const auto value = AsOptionalDouble(row[4])) unit.set_value(*value);
  pqxx::row::size_type column = 5;
  for (const Metric* metric : UnitMetrics()) {
    if (const auto value = AsOptionalDouble(row[column++])) {
      (*unit.mutable_metrics())[std::string(metric->name)] = *value;
    }
  }
  return unit;
}

}  // namespace

absl::StatusOr<ListUnitsQuestion> ParseListUnits(const v1::ListUnitsRequest& request,
                                                 const std::string& path) {
  ListUnitsQuestion question;
  ASSIGN_OR_RETURN(question.selection, ParseSelection(request.where(), path + "where"));
  ASSIGN_OR_RETURN(question.metric, ResolveMetric(request.metric(), path + "metric"));
  if (question.metric->level != MetricLevel::kUnit) {
    return InvalidField(path + "metric", StrCat(question.metric->name,
                                                " is a metric of runs; name a metric of units"));
  }
  question.ascending = request.ascending();
  if (request.page_size() > kMaxPage) {
    return InvalidField(path + "page_size",
                        StrCat(request.page_size(), " is not in 1..", kMaxPage, "; ask for pages"));
  }
  question.page_size =
      request.page_size() == 0 ? kDefaultPage : static_cast<int>(request.page_size());
  v1::ListUnitsRequest same = request;
  same.clear_page_token();
  same.clear_page_size();
  question.fingerprint = ToHex(Sha256::Of(same.SerializeAsString())).substr(0, 16);
  if (!request.page_token().empty()) {
    std::string fingerprint;
    if (!ReadToken(request.page_token(), fingerprint, question.starts)) {
      return InvalidField(path + "page_token",
                          "no token of ListUnits; pass next_page_token back as it came");
    }
    if (fingerprint != question.fingerprint) {
      return InvalidField(path + "page_token",
                          "this token belongs to another question; only page_size may change "
                          "between pages");
    }
  }
  return question;
}

absl::StatusOr<v1::ListUnitsResponse> AnswerListUnits(Snapshot& snapshot,
                                                      const ListUnitsQuestion& question) {
  RETURN_IF_ERROR(CheckSweepsExist(snapshot, question.selection, "where"));
  v1::ListUnitsResponse response;
  *response.mutable_basis() = MakeBasis(snapshot, *question.metric, "units");
  std::map<Key, PageStart> starts = question.starts;
  bool more = false;
  size_t bytes = 0;
  for (const auto& [key, group] : ReadCoverage(snapshot, question.selection)) {
    const auto start = starts.find(key);
    if (start != starts.end() && start->second.exhausted) continue;
    if (bytes >= kPageBytes) {
      more = true;
      break;
    }
    const auto rows =
        ReadGroup(snapshot, question, key, start == starts.end() ? nullptr : &start->second);
    const auto key_values = KeyValues(question.selection, key);
    int taken = 0;
    for (const auto& row : rows) {
      if (taken == question.page_size || bytes >= kPageBytes) break;
      v1::UnitRow unit = ReadUnit(row);
      for (const auto& value : key_values) *unit.add_key() = value;
      bytes += unit.ByteSizeLong();
      starts[key] = {false, AsOptionalText(row[4]), unit.ref().run_id(), unit.ref().unit()};
      *response.add_units() = std::move(unit);
      ++taken;
    }
    if (taken < static_cast<int>(rows.size())) {
      more = true;
    } else {
      starts[key] = {.exhausted = true};
    }
  }
  if (more) response.set_next_page_token(MakeToken(question.fingerprint, starts));
  return response;
}

}  // namespace gridsweep::analysis
