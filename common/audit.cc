#include "common/audit.h"

#include <absl/status/status.h>

#include "common/log.h"
#include "common/method_roles.h"

namespace gridsweep {
namespace {

using grpc::experimental::InterceptionHookPoints;

class Audit : public grpc::experimental::Interceptor {
 public:
  Audit(grpc::experimental::ServerRpcInfo* info, const TokenGate* gate, v1::Role role)
      : info_(info), gate_(gate), role_(role) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    // Before the call does anything: it may revoke its own token.
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      name_ = CallerName(gate_, *info_->server_context());
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      const auto code = static_cast<absl::StatusCode>(methods->GetSendStatus().error_code());
      spdlog::log(role_ == v1::ROLE_WORK ? spdlog::level::debug : spdlog::level::info,
                  "audit: {} by {} from {}: {}", info_->method(),
                  name_.empty() ? "nobody named" : name_, info_->server_context()->peer(),
                  absl::StatusCodeToString(code));
    }
    methods->Proceed();
  }

 private:
  grpc::experimental::ServerRpcInfo* const info_;
  const TokenGate* const gate_;
  const v1::Role role_;
  std::string name_;
};

class Factory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(const TokenGate* gate) : gate_(gate) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    const auto rule = info->method() == nullptr ? std::nullopt : RuleOf(info->method());
    return rule && rule->writes ? new Audit(info, gate_, rule->least) : nullptr;
  }

 private:
  const TokenGate* const gate_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> AuditLog(
    const TokenGate* gate) {
  return std::make_unique<Factory>(gate);
}

}  // namespace gridsweep
