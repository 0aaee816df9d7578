// Filters: `field op value` joined by AND, read into typed conditions.
//
//   filter    = [ condition { "AND" condition } ]
//   condition = field op value
//   op        = "=" | "!=" | "<" | "<=" | ">" | ">="
//   value     = quoted string ("..." or '...', \ escapes) | bare word
//
// A condition on a value that a run does not have (NULL) does not hold.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <variant>
#include <vector>

#include "analysis/queries/field.h"

namespace gridsweep::analysis {

enum class CompareOp { kEq, kNe, kLt, kLe, kGt, kGe };
std::string_view SqlOperator(CompareOp op);

// An exact decimal, as it was written and as float64.
struct NumberLiteral {
  std::string text;
  double value;
};

struct Condition {
  const Field* field;
  CompareOp op;
  // By the field's type: text, a number or a boolean. A draw's is a number
  // where its range is compared, its canonical text otherwise.
  std::variant<std::string, NumberLiteral, bool> value;
};

// Errors: INVALID_ARGUMENT whose one violation is of `path`; the description
// begins "column N:", N counted from 1. At most kMaxFilterBytes and kMaxConditions: each condition
// takes a place in the statement's stack.
inline constexpr size_t kMaxFilterBytes = 64 << 10;
inline constexpr size_t kMaxConditions = 256;
absl::StatusOr<std::vector<Condition>> ParseFilter(std::string_view text, std::string_view path);

}  // namespace gridsweep::analysis
