// What filters and group_by may name, and where the schema keeps it.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gridsweep::analysis {

enum class FieldType { kText, kInt, kNumber, kBool };

struct Field {
  std::string name;
  FieldType type;
  // An expression over runs r, run_state st, run_results p.
  std::string sql = {};
  // A run metric: known for finished runs only.
  bool is_result = false;
  bool groupable = true;
  // A width or another random draw: text such as "0.12" or "Uniform( 0.06 , 0.18 )".
  // Its range, where the schema has columns for it, else "".
  bool is_draw = false;
  std::string low_sql = {}, high_sql = {};
  // What a text field may be; empty = anything.
  std::vector<std::string_view> choices = {};
  // Other words for some of them: {"leased", "running"}.
  std::vector<std::pair<std::string_view, std::string_view>> also = {};
};

// All names but "decoding_error_cm", which is pos_err_published.
std::vector<std::string_view> FieldNames();
// nullptr when there is none of that name ("decoding_error_cm" is found).
const Field* FindField(std::string_view name);
// Why `name` is no field: did-you-mean, or that it is a unit metric.
std::string NoSuchField(std::string_view name, bool for_grouping);

}  // namespace gridsweep::analysis
