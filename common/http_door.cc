#include "common/http_door.h"

#include <httplib.h>

#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

#include "common/strings.h"

namespace gridsweep {
namespace {

constexpr int kThreads = 4;
constexpr int kReadSeconds = 5, kKeepAliveSeconds = 1;

bool IsLoopbackHost(const std::string& host) {
  return host.rfind("127.", 0) == 0 || host == "localhost" || host == "::1";
}

// "127.0.0.1:9090", "[::1]:9090".
bool Split(const std::string& address, std::string& host, int& port) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const char* first = address.data() + colon + 1;
  const char* last = address.data() + address.size();
  const auto [end, error] = std::from_chars(first, last, port);
  return error == std::errc() && end == last && first != last && port >= 0 && port <= 65535;
}

}  // namespace

struct HttpDoor::Server {
  httplib::Server http;
  std::thread thread;
};

HttpDoor::HttpDoor() : server_(std::make_unique<Server>()) {}

absl::StatusOr<std::unique_ptr<HttpDoor>> HttpDoor::Start(const HttpSettings& settings,
                                                          const Metrics& metrics, Ready ready) {
  if (settings.address.empty()) return std::unique_ptr<HttpDoor>();
  std::string host;
  int port = 0;
  if (!Split(settings.address, host, port)) {
    return absl::InvalidArgumentError(StrCat("--http: \"", settings.address,
                                             "\" is no HOST:PORT; write for example "
                                             "127.0.0.1:9090"));
  }
  if (!settings.beyond_loopback && !IsLoopbackHost(host)) {
    return absl::FailedPreconditionError(
        StrCat("--http: will not listen on ", settings.address,
               ": whoever reaches it may read the metrics; allow it with --http-beyond-loopback, "
               "or use 127.0.0.1:PORT"));
  }
  auto door = std::unique_ptr<HttpDoor>(new HttpDoor);
  httplib::Server& http = door->server_->http;
  http.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  http.set_keep_alive_timeout(kKeepAliveSeconds);
  http.set_read_timeout(kReadSeconds);
  http.set_write_timeout(kReadSeconds);
  http.set_payload_max_length(1 << 10);
  // Two programs must not share a port unnoticed, as SO_REUSEPORT would let them.
  http.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  http.Get("/metrics", [&metrics](const httplib::Request&, httplib::Response& response) {
    response.set_content(metrics.Text(), "text/plain; version=0.0.4; charset=utf-8");
  });
  http.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("alive\n", "text/plain");
  });
  http.Get("/readyz",
           [ready = std::move(ready)](const httplib::Request&, httplib::Response& response) {
             const absl::Status status = ready();
             if (!status.ok()) response.status = 503;
             response.set_content(status.ok() ? "ready\n" : StrCat(ToStd(status.message()), "\n"),
                                  "text/plain");
           });
  if (port == 0) {
    port = http.bind_to_any_port(host);
  } else if (!http.bind_to_port(host, port)) {
    port = -1;
  }
  if (port < 0) {
    return absl::UnavailableError(
        StrCat("--http: cannot listen on ", settings.address, ": is it in use?"));
  }
  door->address_ = StrCat(settings.address.substr(0, settings.address.rfind(':')), ":", port);
  door->server_->thread = std::thread([&http] { http.listen_after_bind(); });
  // Before that, stop() would have nothing to stop.
  while (!http.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return door;
}

HttpDoor::~HttpDoor() {
  if (!server_->thread.joinable()) return;
  server_->http.stop();
  server_->thread.join();
}

}  // namespace gridsweep
