#include "tests/chaos/tokens.h"

#include <chrono>
#include <fstream>
#include <utility>

#include "common/rpc.h"
#include "common/strings.h"
#include "gridsweep/v1/admin.grpc.pb.h"

namespace gridsweep::testing {
namespace {

namespace fs = std::filesystem;

void Write(const fs::path& file, const std::string& secret) {
  // Whole at any moment: its readers read it for each call.
  const fs::path part = file.string() + ".part";
  std::ofstream(part) << secret << "\n";
  fs::rename(part, file);
}

// Calls `method` at the first of `sockets` that answers; false when none does.
template <typename Method, typename Request, typename Response>
bool Ask(const std::vector<std::string>& sockets, const std::string& token, Method method,
         const Request& request, Response& response) {
  ClientSecurity security;
  security.token = token;
  for (const std::string& socket : sockets) {
    const auto stub = v1::AdminService::NewStub(Dial("unix:" + socket, security));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
    if (((*stub).*method)(&context, request, &response).ok()) return true;
  }
  return false;
}

}  // namespace

Tokens::Tokens(fs::path directory, std::vector<std::string> coordinators)
    : directory_(std::move(directory)), coordinators_(std::move(coordinators)) {}

void Tokens::SetAdmin(const std::string& secret) {
  admin_ = secret.substr(0, secret.find('\n'));
  Write(AdminFile(), admin_);
}

fs::path Tokens::FileOf(int worker) const {
  return directory_ / StrCat("worker-", worker, ".token");
}

std::string Tokens::NameOf(int worker) const {
  return StrCat("worker-", worker, "-", made_[worker]);
}

bool Tokens::Put(int worker, v1::Role role) const {
  // A name is taken once, even where the answer was lost.
  ++made_[worker];
  v1::CreateTokenRequest request;
  request.set_name(NameOf(worker));
  request.set_role(role);
  v1::CreateTokenResponse response;
  if (!Ask(coordinators_, admin_, &v1::AdminService::Stub::CreateToken, request, response)) {
    return false;
  }
  Write(FileOf(worker), response.secret());
  return true;
}

bool Tokens::Revoke(int worker) const {
  v1::RevokeTokenRequest request;
  request.set_name(NameOf(worker));
  v1::RevokeTokenResponse response;
  return Ask(coordinators_, admin_, &v1::AdminService::Stub::RevokeToken, request, response);
}

}  // namespace gridsweep::testing
