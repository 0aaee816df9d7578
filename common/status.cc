#include "common/status.h"

#include <absl/strings/cord.h>

#include "common/duration.h"
#include "common/strings.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace gridsweep {
namespace {

constexpr char kDomain[] = "gridsweep";
constexpr char kTypePrefix[] = "type.googleapis.com/";

template <typename Detail>
std::string TypeUrl() {
  return kTypePrefix + std::string(Detail::descriptor()->full_name());
}

template <typename Detail>
void SetDetail(absl::Status& status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

template <typename Detail>
std::optional<Detail> GetDetail(const absl::Status& status) {
  const auto payload = status.GetPayload(TypeUrl<Detail>());
  Detail detail;
  if (!payload || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

}  // namespace

absl::Status InvalidField(std::string_view field, std::string_view description) {
  return InvalidFields({{std::string(field), std::string(description)}});
}

absl::Status InvalidFields(const std::vector<std::pair<std::string, std::string>>& fields) {
  google::rpc::BadRequest detail;
  std::string message;
  for (const auto& [field, description] : fields) {
    auto* violation = detail.add_field_violations();
    violation->set_field(field);
    violation->set_description(description);
    if (!message.empty()) message += "\n";
    message += field.empty() ? description : StrCat(field, ": ", description);
  }
  absl::Status status = absl::InvalidArgumentError(message);
  SetDetail(status, detail);
  return status;
}

absl::Status WithReason(absl::Status status, std::string_view reason) {
  google::rpc::ErrorInfo detail;
  detail.set_reason(std::string(reason));
  detail.set_domain(kDomain);
  SetDetail(status, detail);
  return status;
}

std::string Reason(const absl::Status& status) {
  const auto detail = GetDetail<google::rpc::ErrorInfo>(status);
  return detail && detail->domain() == kDomain ? detail->reason() : "";
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration delay) {
  google::rpc::RetryInfo detail;
  *detail.mutable_retry_delay() = ToProto(delay);
  SetDetail(status, detail);
  return status;
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const auto detail = GetDetail<google::rpc::RetryInfo>(status);
  if (!detail) return std::nullopt;
  return FromProto(detail->retry_delay());
}

std::vector<std::pair<std::string, std::string>> FieldViolations(const absl::Status& status) {
  std::vector<std::pair<std::string, std::string>> fields;
  if (const auto detail = GetDetail<google::rpc::BadRequest>(status)) {
    for (const auto& v : detail->field_violations())
      fields.emplace_back(v.field(), v.description());
  }
  return fields;
}

absl::Status LeaseLost(int64_t run_id) {
  return WithReason(absl::FailedPreconditionError(
                        StrCat("the lease of run ", run_id, " has ended; drop this run's work")),
                    "LEASE_LOST");
}

bool IsLeaseLost(const absl::Status& status) { return Reason(status) == "LEASE_LOST"; }

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(std::string(status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    auto* detail = wire.add_details();
    detail->set_type_url(std::string(type_url));
    detail->set_value(std::string(payload));
  });
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      wire.details_size() > 0 ? wire.SerializeAsString() : "");
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status wire;
  if (!status.error_details().empty() && wire.ParseFromString(status.error_details())) {
    for (const auto& detail : wire.details()) {
      result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

}  // namespace gridsweep
