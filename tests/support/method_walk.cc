#include "tests/support/method_walk.h"

#include <google/protobuf/empty.pb.h>
#include <gtest/gtest.h>

#include "sweepctl/generic_call.h"
#include "sweepctl/reflection_client.h"

namespace gridsweep::testing {
namespace {

// How a call with one empty message ends; OK as soon as an answer comes.
absl::Status CallOnce(const std::shared_ptr<grpc::Channel>& channel, const std::string& path) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  sweepctl::GenericCall call(channel, path, context);
  google::protobuf::Empty message;
  if (call.Write(message)) call.WritesDone();
  if (call.Read(message)) {
    context.TryCancel();
    (void)call.Finish();
    return absl::OkStatus();
  }
  return call.Finish();
}

}  // namespace

void ExpectRoles(const std::shared_ptr<grpc::Channel>& reader,
                 const std::map<std::string, std::set<std::string>>& allowed,
                 const std::map<std::string, std::string>& secrets,
                 const std::function<std::shared_ptr<grpc::Channel>(const std::string&)>& dial) {
  sweepctl::ReflectionClient reflection(reader);
  const auto services = reflection.ListServices();
  ASSERT_TRUE(services.ok()) << services.status();
  ASSERT_FALSE(services->empty());
  for (const std::string& name : *services) {
    const auto service = reflection.FindService(name);
    if (absl::IsNotFound(service.status())) {
      // gRPC's own, which it lists without their descriptors.
      const auto first = allowed.lower_bound("/" + name + "/");
      EXPECT_TRUE(first != allowed.end() && first->first.rfind("/" + name + "/", 0) == 0) << name;
      continue;
    }
    ASSERT_TRUE(service.ok()) << service.status();
    for (int i = 0; i < (*service)->method_count(); ++i) {
      const std::string path = "/" + name + "/" + (*service)->method(i)->name();
      EXPECT_EQ(allowed.count(path), 1u) << path << ": say in this test who may call it";
    }
  }
  for (const auto& [role, secret] : secrets) {
    const auto channel = dial(secret);
    for (const auto& [path, roles] : allowed) {
      const absl::Status status = CallOnce(channel, path);
      const std::string what = path + " as \"" + role + "\": " + status.ToString();
      if (roles.count(role) > 0) {
        EXPECT_FALSE(absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status) ||
                     absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status))
            << what;
      } else if (secret.empty()) {
        EXPECT_TRUE(absl::IsUnauthenticated(status)) << what;
      } else {
        EXPECT_TRUE(absl::IsPermissionDenied(status)) << what;
      }
    }
  }
}

}  // namespace gridsweep::testing
