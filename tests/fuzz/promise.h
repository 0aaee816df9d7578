// What a fuzz target holds its parser to, beyond not crashing.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/stubs/logging.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/status.h"
#include "gridsweep/v1/analysis.pb.h"

namespace gridsweep::fuzz {

// What protobuf thinks of bytes that are no message is not of interest.
inline google::protobuf::LogHandler* const kNoLog = google::protobuf::SetLogHandler(nullptr);

// Ends the process, as libFuzzer wants to see it, where a promise is broken.
inline void Promise(bool kept, std::string_view what, std::string_view of = "") {
  if (kept) return;
  std::fprintf(stderr, "broken: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(of.size()), of.data());
  std::abort();
}

// Whether `text` may stand in a proto's string: a message that is no UTF-8 is not read at all.
inline bool IsText(const std::string& text) {
  v1::Selection holder;
  *holder.mutable_filter() = text;
  return holder.ParseFromString(holder.SerializeAsString());
}

// A refusal names fields of the request, in text that reaches the client.
inline void PromiseRefusal(const absl::Status& status) {
  Promise(status.code() == absl::StatusCode::kInvalidArgument, "refusals are INVALID_ARGUMENT",
          status.ToString());
  const auto violations = FieldViolations(status);
  Promise(!violations.empty(), "a refusal names a field", status.ToString());
  for (const auto& [field, description] : violations) {
    Promise(!field.empty() && !description.empty(), "a refusal says where and why",
            status.ToString());
    Promise(IsText(field) && IsText(description), "a refusal is text", description);
  }
}

}  // namespace gridsweep::fuzz
