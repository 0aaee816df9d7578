// The small HTTP server that monitoring asks: GET /metrics, /healthz, /readyz.
#pragma once

#include <absl/status/statusor.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "common/metrics.h"

namespace gridsweep {

struct HttpSettings {
  std::string address;  // "host:port", port 0 picks a free one; "" = no door
  bool beyond_loopback = false;
  std::chrono::milliseconds request_time = std::chrono::seconds(5);  // to send a whole request, and
                                                                     // to take the whole answer
  size_t most_connections = 256;
};

// /metrics is `metrics` in Prometheus' text format; /healthz answers 200 while the process lives,
// and asks nobody; /readyz answers 200 while `ready` is OK, else 503 with its message. Anything
// else is 404. No TLS and no tokens: it tells numbers, and takes no orders. One thread serves all
// connections without waiting for any, so that slow clients hold up nobody; beyond the most
// connections the oldest gives way to the newest. (By Boost.Beast: cpp-httplib has a thread a
// connection.)
class HttpDoor {
 public:
  using Ready = std::function<absl::Status()>;  // called from any thread; must not block

  // `metrics` and what `ready` uses outlive the door. nullptr where `settings` names no address.
  // Errors: INVALID_ARGUMENT for an address that is none; FAILED_PRECONDITION for one beyond
  // loopback unless that is allowed; UNAVAILABLE when it is taken.
  static absl::StatusOr<std::unique_ptr<HttpDoor>> Start(const HttpSettings& settings,
                                                         const Metrics& metrics, Ready ready);
  ~HttpDoor();

  // host:port, the port filled in.
  const std::string& address() const { return address_; }

 private:
  class Server;
  HttpDoor();
  std::string address_;
  std::unique_ptr<Server> server_;
};

}  // namespace gridsweep
