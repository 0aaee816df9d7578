// Calls every method of a server under every role.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <set>
#include <string>

namespace gridsweep::testing {

// Asks the server, through `reader`, for all its services and methods, and
// expects that each is in `allowed`, by its path; then calls it once with each
// of `secrets` (by role; "" for no token), and expects that it is refused
// exactly where `allowed` does not name the role.
void ExpectRoles(const std::shared_ptr<grpc::Channel>& reader,
                 const std::map<std::string, std::set<std::string>>& allowed,
                 const std::map<std::string, std::string>& secrets,
                 const std::function<std::shared_ptr<grpc::Channel>(const std::string&)>& dial);

}  // namespace gridsweep::testing
