#include "common/http_post.h"

#include <httplib.h>

#include <charconv>

#include "common/strings.h"

namespace gridsweep {
namespace {

struct Url {
  std::string server;  // "https://host:port"
  std::string host_and_port;
  std::string path;
};

// Empty server where it has no scheme of ours.
Url Split(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.substr(0, scheme.size()) != scheme) continue;
    const std::string_view rest = url.substr(scheme.size());
    const size_t end = rest.find_first_of("/?");
    const std::string_view host = rest.substr(0, end);
    std::string path(end == std::string_view::npos ? "" : rest.substr(end));
    if (path.empty() || path[0] == '?') path = "/" + path;
    return {StrCat(scheme, host), std::string(host), path};
  }
  return {};
}

}  // namespace

std::string HttpUrlFault(std::string_view url) {
  if (url.size() > kMaxUrlBytes) {
    return StrCat("has ", url.size(), " bytes; at most ", kMaxUrlBytes);
  }
  for (const char c : url) {
    if (c <= ' ' || c > '~') {
      return "has a space, a control character or one beyond ASCII; write it as %XX";
    }
  }
  const Url parts = Split(url);
  if (parts.server.empty()) return "is neither http:// nor https://";
  if (url.find('#') != std::string_view::npos) return "has a fragment (#); leave it out";
  std::string host = parts.host_and_port;
  if (host.find('@') != std::string::npos) {
    return "has a user or password, which would be shown with the sweep; leave it out";
  }
  // A colon within [...] belongs to the address.
  const size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    const std::string port = host.substr(colon + 1);
    int number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535) {
      return StrCat("has the port \"", port, "\"; 1 to 65535");
    }
    host.resize(colon);
  }
  return host.empty() ? "names no host" : "";
}

absl::Status PostJson(const std::string& url, const std::string& json, absl::Duration timeout) {
  const Url parts = Split(url);
  try {
    httplib::Client client(parts.server);
    if (!client.is_valid()) return absl::InvalidArgumentError(StrCat("cannot post to ", url));
    const auto limit = absl::ToChronoMilliseconds(timeout);
    client.set_connection_timeout(limit);
    client.set_read_timeout(limit);
    client.set_write_timeout(limit);
    client.set_keep_alive(false);
    httplib::Request request;
    request.method = "POST";
    request.path = parts.path;
    request.headers = {{"Content-Type", "application/json"}, {"User-Agent", "gridsweep"}};
    request.body = json;
    int status = 0;
    request.response_handler = [&status](const httplib::Response& response) {
      status = response.status;
      return false;  // its body is of no use
    };
    const auto result = client.send(request);
    if (status == 0) {
      return absl::UnavailableError(StrCat("no answer: ", httplib::to_string(result.error())));
    }
    if (status / 100 == 2) return absl::OkStatus();
    return absl::UnknownError(StrCat("answered with HTTP status ", status));
  } catch (const std::exception& error) {
    return absl::InternalError(StrCat("cannot post: ", error.what()));
  }
}

}  // namespace gridsweep
