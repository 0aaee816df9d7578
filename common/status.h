// absl::Status inside, google.rpc.Status on the wire, mapped here alone.
// Error details travel as payloads of absl::Status under their type URL.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/support/status.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gridsweep {

// INVALID_ARGUMENT with a BadRequest detail; the message is "field: description".
absl::Status InvalidField(std::string_view field, std::string_view description);
// The same for several fields at once; `fields` must not be empty.
absl::Status InvalidFields(const std::vector<std::pair<std::string, std::string>>& fields);

// `status` with an ErrorInfo detail (domain "gridsweep").
absl::Status WithReason(absl::Status status, std::string_view reason);
// The ErrorInfo reason of `status`, or "".
std::string Reason(const absl::Status& status);

// `status` with a RetryInfo detail: ask again after `delay`.
absl::Status WithRetryAfter(absl::Status status, absl::Duration delay);
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

// The field violations of `status` as (field, description).
std::vector<std::pair<std::string, std::string>> FieldViolations(const absl::Status& status);

// The fence's refusal: FAILED_PRECONDITION, reason LEASE_LOST. Never retried.
absl::Status LeaseLost(int64_t run_id);
bool IsLeaseLost(const absl::Status& status);

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace gridsweep

#define GRIDSWEEP_CONCAT_(a, b) a##b
#define GRIDSWEEP_CONCAT(a, b) GRIDSWEEP_CONCAT_(a, b)
#define RETURN_IF_ERROR(expr)                                                                      \
  do {                                                                                             \
    if (::absl::Status gridsweep_status = (expr); !gridsweep_status.ok()) return gridsweep_status; \
  } while (false)
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(GRIDSWEEP_CONCAT(gridsweep_statusor_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(statusor, lhs, expr)         \
  auto statusor = (expr);                                  \
  if (!statusor.ok()) return std::move(statusor).status(); \
  lhs = std::move(statusor).value()
