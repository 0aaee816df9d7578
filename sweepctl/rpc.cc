#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <algorithm>
#include <ostream>

#include "common/strings.h"
#include "sweepspec/suggest.h"
#include "sweepctl/exit_code.h"
#include "sweepctl/generic_call.h"
#include "sweepctl/number_check.h"
#include "sweepctl/output.h"
#include "sweepctl/reflection_client.h"
#include "sweepctl/verbs.h"

namespace gridsweep::sweepctl {
namespace {

namespace pb = google::protobuf;

struct Options {
  std::string what;                   // list, describe, or a method
  std::vector<std::string> messages;  // JSON, one a request message
  double timeout = 60;
};

constexpr Server kServers[] = {Server::kCoordinator, Server::kAnalysis};

// All services of both servers. A server that is down is an error only when
// the other is, too.
absl::StatusOr<std::vector<std::pair<Server, std::string>>> AllServices(Client& client,
                                                                        Console& console) {
  std::vector<std::pair<Server, std::string>> services;
  absl::Status error;
  for (const Server server : kServers) {
    if (server == Server::kAnalysis &&
        client.channel(server) == client.channel(Server::kCoordinator)) {
      continue;
    }
    ReflectionClient reflection(client.channel(server));
    const auto names = reflection.ListServices();
    if (!names.ok()) {
      error = client.Explain(names.status(), server);
      continue;
    }
    for (const auto& name : *names) services.emplace_back(server, name);
  }
  if (services.empty()) return error;
  if (!error.ok()) PrintError(console, error);
  return services;
}

// "gridsweep.v1.SweepService/GetSweep", "SweepService.GetSweep", "GetSweep".
struct MethodName {
  std::string service, method;
};

MethodName Split(std::string text) {
  if (!text.empty() && text.front() == '/') text.erase(0, 1);
  size_t at = text.rfind('/');
  if (at == std::string::npos) at = text.rfind('.');
  if (at == std::string::npos) return {"", text};
  return {text.substr(0, at), text.substr(at + 1)};
}

bool EndsWithName(const std::string& full, const std::string& name) {
  if (name.empty() || full == name) return true;
  return full.size() > name.size() + 1 &&
         full.compare(full.size() - name.size(), name.size(), name) == 0 &&
         full[full.size() - name.size() - 1] == '.';
}

struct Method {
  Server server;
  std::unique_ptr<ReflectionClient> reflection;
  const pb::MethodDescriptor* descriptor;
};

absl::StatusOr<Method> FindMethod(Client& client, Console& console, const std::string& text) {
  const MethodName name = Split(text);
  ASSIGN_OR_RETURN(const auto services, AllServices(client, console));
  std::vector<Method> found;
  std::vector<std::string> known;
  for (const auto& [server, service] : services) {
    const bool ours = service.rfind("grpc.", 0) != 0;
    if (!EndsWithName(service, name.service) || (name.service.empty() && !ours)) continue;
    auto reflection = std::make_unique<ReflectionClient>(client.channel(server));
    ASSIGN_OR_RETURN(const auto* descriptor, reflection->FindService(service));
    for (int i = 0; i < descriptor->method_count(); ++i)
      known.push_back(descriptor->method(i)->name());
    if (const auto* method = descriptor->FindMethodByName(name.method)) {
      found.push_back({server, std::move(reflection), method});
    }
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    const std::string_view guess = sweepspec::Nearest(name.method, {known.begin(), known.end()});
    return absl::NotFoundError(
        StrCat("there is no method \"", text, "\"",
               guess.empty() ? "" : StrCat("; did you mean \"", guess, "\"?"),
               " See `sweepctl rpc list`"));
  }
  std::string candidates;
  for (const auto& method : found) {
    candidates += (candidates.empty() ? "" : ", ") + method.descriptor->full_name();
  }
  return UsageError(StrCat("\"", text, "\" may be any of ", candidates));
}

absl::StatusOr<int> List(Session& session, Client& client) {
  Listing listing;
  listing.columns = {{"METHOD"}, {"REQUEST"}, {"RESPONSE"}, {"SERVER"}};
  ASSIGN_OR_RETURN(const auto services, AllServices(client, session.console()));
  for (const auto& [server, service] : services) {
    ReflectionClient reflection(client.channel(server));
    const auto found = reflection.FindService(service);
    // gRPC's own health service is listed, but described by no one.
    if (absl::IsNotFound(found.status())) continue;
    ASSIGN_OR_RETURN(const auto* descriptor, found);
    for (int i = 0; i < descriptor->method_count(); ++i) {
      const auto* method = descriptor->method(i);
      const std::string name = StrCat(service, "/", method->name());
      const std::string request =
          StrCat(method->client_streaming() ? "stream " : "", method->input_type()->name());
      const std::string response =
          StrCat(method->server_streaming() ? "stream " : "", method->output_type()->name());
      const char* where = server == Server::kCoordinator ? "coordinator" : "analysis";
      listing.rows.push_back({Text(name), Text(request), Text(response), Text(where)});
      listing.items.push_back(
          {{"method", name}, {"request", request}, {"response", response}, {"server", where}});
      listing.names.push_back(name);
    }
  }
  session.Print(listing);
  return kDone;
}

absl::StatusOr<int> Describe(Session& session, Client& client, const std::string& symbol) {
  if (symbol.find('/') != std::string::npos || Split(symbol).service.empty()) {
    // Perhaps a method by its short name.
    if (auto method = FindMethod(client, session.console(), symbol); method.ok()) {
      ASSIGN_OR_RETURN(const std::string text,
                       method->reflection->Describe(method->descriptor->full_name()));
      session.console().out << text;
      return kDone;
    }
  }
  absl::Status error;
  for (const Server server : kServers) {
    for (const char* package : {"", "gridsweep.v1."}) {
      ReflectionClient reflection(client.channel(server));
      const auto text = reflection.Describe(package + symbol);
      if (text.ok()) {
        session.console().out << *text;
        return kDone;
      }
      error = client.Explain(text.status(), server);
      if (absl::IsUnavailable(error)) break;
    }
  }
  if (absl::IsUnavailable(error)) return error;
  return absl::NotFoundError(
      StrCat("no server knows a service, message or method \"", symbol, "\""));
}

absl::StatusOr<int> Call(Session& session, Client& client, const Options& options) {
  Console& console = session.console();
  ASSIGN_OR_RETURN(Method method, FindMethod(client, console, options.what));
  const auto& descriptor = *method.descriptor;
  std::vector<std::unique_ptr<pb::Message>> requests;
  std::vector<std::string> texts = options.messages;
  if (texts.empty()) texts = {"{}"};
  if (texts.size() > 1 && !descriptor.client_streaming()) {
    return UsageError(StrCat(descriptor.full_name(), " takes one message, not ", texts.size()));
  }
  const std::unique_ptr<pb::util::TypeResolver> resolver(pb::util::NewTypeResolverForDescriptorPool(
      "type.googleapis.com", &method.reflection->pool()));
  for (const auto& text : texts) {
    auto message = method.reflection->NewMessage(*descriptor.input_type());
    std::string bytes;
    const auto status = pb::util::JsonToBinaryString(
        resolver.get(), "type.googleapis.com/" + descriptor.input_type()->full_name(), text,
        &bytes);
    if (!status.ok() || !message->ParseFromString(bytes)) {
      return UsageError(StrCat("not a ", descriptor.input_type()->full_name(), ": ",
                               std::string(status.message()), "\nSee `sweepctl rpc describe ",
                               descriptor.input_type()->full_name(), "`"));
    }
    requests.push_back(std::move(message));
  }
  grpc::ClientContext context;
  if (options.timeout > 0) {
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(options.timeout)));
  }
  const absl::Time start = absl::Now();
  GenericCall call(client.channel(method.server),
                   StrCat("/", descriptor.service()->full_name(), "/", descriptor.name()), context);
  for (const auto& request : requests) {
    if (!call.Write(*request)) break;
  }
  call.WritesDone();
  pb::util::JsonPrintOptions json;
  json.preserve_proto_field_names = true;
  json.always_print_primitive_fields = true;
  json.add_whitespace = !descriptor.server_streaming() && console.out_terminal;
  const auto response = method.reflection->NewMessage(*descriptor.output_type());
  while (call.Read(*response)) {
    std::string text;
    const auto printed = pb::util::BinaryToJsonString(
        resolver.get(), "type.googleapis.com/" + descriptor.output_type()->full_name(),
        StableBytes(*response), &text, json);
    if (!printed.ok()) {
      return absl::InternalError(
          StrCat("the answer cannot be shown as JSON: ", std::string(printed.message())));
    }
    console.out << text << (text.empty() || text.back() != '\n' ? "\n" : "");
    console.out.flush();
    response->Clear();
  }
  const absl::Status status = call.Finish();
  client.Trace(descriptor.full_name(), start, status);
  if (!status.ok()) return client.Explain(status, method.server, /*by_flags=*/false);
  return kDone;
}

absl::StatusOr<int> Rpc(Session& session, const Options& options) {
  ASSIGN_OR_RETURN(Client * client, session.Connect());
  if (options.what == "list") return List(session, *client);
  if (options.what == "describe") {
    if (options.messages.size() != 1) {
      return UsageError("rpc describe takes the name of a service, message or method");
    }
    return Describe(session, *client, options.messages.front());
  }
  return Call(session, *client, options);
}

}  // namespace

void AddRpc(CLI::App& app, Session& session) {
  CLI::App* verb = AddVerb(app, "rpc", "Call any method of the servers, with JSON",
                           "sweepctl rpc list\n  sweepctl rpc describe GetSweep\n"
                           "  sweepctl rpc SweepService/GetSweep '{\"sweep_id\": 3}'");
  auto options = std::make_shared<Options>();
  verb->add_option("METHOD", options->what,
                   "list, describe NAME, or a method such as SweepService/GetSweep")
      ->required();
  verb->add_option("JSON", options->messages, "The request, {} by default; several for a stream");
  verb->add_option("--timeout", options->timeout, "Seconds; 0 = none")
      ->type_name("S")
      ->check(RealFromZero())
      ->capture_default_str();
  session.OnRun(verb, [&session, options] { return Rpc(session, *options); });
}

}  // namespace gridsweep::sweepctl
