#include "sweepctl/reflection_client.h"

#include <absl/time/clock.h>
#include <google/protobuf/descriptor.pb.h>

#include <map>

#include "common/status.h"
#include "common/strings.h"
#include "sweepctl/generic_call.h"
#include "sweepctl/reflection.pb.h"

namespace gridsweep::sweepctl {
namespace {

namespace pb = google::protobuf;

absl::StatusOr<reflection::Response> Ask(const std::shared_ptr<grpc::Channel>& channel,
                                         const reflection::Request& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  GenericCall call(channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                   context);
  reflection::Response response;
  const bool answered = call.Write(request) && call.Read(response);
  if (answered) call.WritesDone();
  // A refusal explains an answer that did not come.
  const absl::Status status = call.Finish();
  if (!answered) {
    return status.ok() ? absl::InternalError("server reflection gave no answer") : status;
  }
  if (response.has_error()) {
    return absl::Status(static_cast<absl::StatusCode>(response.error().code()),
                        response.error().message());
  }
  return response;
}

}  // namespace

ReflectionClient::ReflectionClient(std::shared_ptr<grpc::Channel> channel)
    : channel_(std::move(channel)) {}

absl::StatusOr<std::vector<std::string>> ReflectionClient::ListServices() {
  reflection::Request request;
  request.set_list_services("*");
  ASSIGN_OR_RETURN(const auto response, Ask(channel_, request));
  std::vector<std::string> names;
  for (const auto& service : response.services().service()) names.push_back(service.name());
  return names;
}

absl::Status ReflectionClient::Load(const std::string& symbol) {
  if (pool_.FindFileContainingSymbol(symbol) != nullptr) return absl::OkStatus();
  reflection::Request request;
  request.set_file_containing_symbol(symbol);
  ASSIGN_OR_RETURN(const auto response, Ask(channel_, request));
  std::map<std::string, pb::FileDescriptorProto> files;
  for (const auto& bytes : response.files().file()) {
    pb::FileDescriptorProto file;
    if (!file.ParseFromString(bytes)) return absl::InternalError("malformed file descriptor");
    files[file.name()] = file;
  }
  // A file can be built once those that it imports are.
  size_t left = files.size() + 1;
  while (!files.empty() && files.size() < left) {
    left = files.size();
    for (auto file = files.begin(); file != files.end();) {
      bool ready = true;
      for (const auto& import : file->second.dependency()) {
        ready = ready && pool_.FindFileByName(import) != nullptr;
      }
      if (ready && pool_.FindFileByName(file->first) == nullptr) {
        ready = pool_.BuildFile(file->second) != nullptr;
      }
      file = ready ? files.erase(file) : std::next(file);
    }
  }
  if (!files.empty()) {
    return absl::InternalError(StrCat("the description of ", symbol, " is incomplete"));
  }
  return absl::OkStatus();
}

absl::StatusOr<const pb::ServiceDescriptor*> ReflectionClient::FindService(
    const std::string& name) {
  RETURN_IF_ERROR(Load(name));
  const auto* service = pool_.FindServiceByName(name);
  if (service == nullptr) return absl::NotFoundError(StrCat(name, " is not a service"));
  return service;
}

absl::StatusOr<const pb::Descriptor*> ReflectionClient::FindMessage(const std::string& name) {
  RETURN_IF_ERROR(Load(name));
  const auto* message = pool_.FindMessageTypeByName(name);
  if (message == nullptr) return absl::NotFoundError(StrCat(name, " is not a message"));
  return message;
}

absl::StatusOr<std::string> ReflectionClient::Describe(const std::string& symbol) {
  RETURN_IF_ERROR(Load(symbol));
  if (const auto* service = pool_.FindServiceByName(symbol)) return service->DebugString();
  if (const auto* message = pool_.FindMessageTypeByName(symbol)) return message->DebugString();
  if (const auto* values = pool_.FindEnumTypeByName(symbol)) return values->DebugString();
  if (const auto* method = pool_.FindMethodByName(symbol)) {
    return StrCat(method->DebugString(), "\n", method->input_type()->DebugString(), "\n",
                  method->output_type()->DebugString());
  }
  return absl::NotFoundError(StrCat("there is no ", symbol));
}

std::unique_ptr<pb::Message> ReflectionClient::NewMessage(const pb::Descriptor& descriptor) {
  return std::unique_ptr<pb::Message>(factory_.GetPrototype(&descriptor)->New());
}

}  // namespace gridsweep::sweepctl
