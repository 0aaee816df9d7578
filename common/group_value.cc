#include "common/group_value.h"

#include <absl/strings/str_format.h>

namespace gridsweep {

std::string GroupValueText(const v1::GroupValue& value) {
  switch (value.value_case()) {
    case v1::GroupValue::kText:
      return value.text();
    case v1::GroupValue::kNumber:
      return absl::StrFormat("%g", value.number());
    case v1::GroupValue::kBoolean:
      return value.boolean() ? "true" : "false";
    case v1::GroupValue::VALUE_NOT_SET:
      break;
  }
  return "-";
}

}  // namespace gridsweep
