// AdminService: who may call.
#include "common/duration.h"
#include "coordinator/admin_service.h"
#include "coordinator/store/fields.h"
#include "coordinator/store/tokens.h"

namespace gridsweep::coordinator {

grpc::ServerUnaryReactor* AdminService::CreateToken(grpc::CallbackServerContext* context,
                                                    const v1::CreateTokenRequest* request,
                                                    v1::CreateTokenResponse* response) {
  NewToken token{request->name(), request->role(), std::nullopt, CallerName(gate_, *context)};
  if (request->has_valid_for()) token.valid_for = FromProto(request->valid_for());
  return AnswerIn(lane_, context, [token, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(CreatedToken created, coordinator::CreateToken(database, token));
    *response->mutable_token() = std::move(created.token);
    response->set_secret(std::move(created.secret));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::ListTokens(grpc::CallbackServerContext* context,
                                                   const v1::ListTokensRequest* request,
                                                   v1::ListTokensResponse* response) {
  return AnswerIn(lane_, context, [request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(const auto tokens, coordinator::ListTokens(database, request->all()));
    for (const v1::Token& token : tokens) *response->add_tokens() = token;
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::RevokeToken(grpc::CallbackServerContext* context,
                                                    const v1::RevokeTokenRequest* request,
                                                    v1::RevokeTokenResponse* response) {
  if (absl::Status status = CheckText("name", request->name()); !status.ok()) {
    return Refuse(context, status);
  }
  return AnswerIn(lane_, context, [request, response](Database& database) -> absl::Status {
    ASSIGN_OR_RETURN(*response->mutable_token(),
                     coordinator::RevokeToken(database, request->name()));
    return absl::OkStatus();
  });
}

}  // namespace gridsweep::coordinator
