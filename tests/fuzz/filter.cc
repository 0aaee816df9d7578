// The filter of a question about runs.
#include "analysis/queries/filter.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "common/status.h"
#include "tests/fuzz/promise.h"

namespace gridsweep::fuzz {
namespace {

void PromiseOfCondition(const analysis::Condition& condition) {
  Promise(condition.field != nullptr, "a condition has a field");
  Promise(!analysis::SqlOperator(condition.op).empty(), "a condition has an operator");
  if (const auto* number = std::get_if<analysis::NumberLiteral>(&condition.value)) {
    Promise(std::isfinite(number->value), "a number is finite", number->text);
  } else if (const auto* text = std::get_if<std::string>(&condition.value)) {
    Promise(text->find('\0') == std::string::npos, "a text has no NUL", *text);
  }
}

void PromiseOfColumn(const absl::Status& status, size_t length) {
  const std::string description = FieldViolations(status).at(0).second;
  constexpr std::string_view kColumn = "column ";
  size_t column = 0;
  const char* const begin = description.data() + kColumn.size();
  Promise(description.starts_with(kColumn) &&
              *std::from_chars(begin, description.data() + description.size(), column).ptr == ':',
          "a refusal begins with its column", description);
  Promise(column >= 1 && column <= length + 1, "the column is in the filter", description);
}

}  // namespace
}  // namespace gridsweep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!fuzz::IsText(text)) return -1;  // never arrives
  const auto conditions = analysis::ParseFilter(text, "where.filter");
  if (!conditions.ok()) {
    fuzz::PromiseRefusal(conditions.status());
    fuzz::PromiseOfColumn(conditions.status(), size);
    return 0;
  }
  for (const auto& condition : *conditions) fuzz::PromiseOfCondition(condition);
  return 0;
}
