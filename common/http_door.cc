#include "common/http_door.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include "common/strings.h"

namespace gridsweep {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

constexpr uint32_t kMaxHeaderBytes = 8 << 10;
constexpr auto kPauseAfterFailure = std::chrono::milliseconds(100);

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

// One thread runs all connections; nothing in it waits for one of them.
class HttpDoor::Server {
 public:
  Server(const HttpSettings& settings, const Metrics& metrics, Ready ready)
      : settings_(settings), metrics_(metrics), ready_(std::move(ready)) {}
  ~Server() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  // The port, or an error.
  int Listen(const std::string& host, int port, Error& error) {
    Tcp::resolver resolver(io_);
    const auto found = resolver.resolve(host, std::to_string(port), Tcp::resolver::passive, error);
    if (error) return 0;
    const Tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    // For a port whose last owner has just ended; two programs cannot share one by it.
    if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(Tcp::acceptor::max_listen_connections, error);
    return error ? 0 : acceptor_.local_endpoint(error).port();
  }
  void Run() {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }

 private:
  class Connection;

  void Accept();
  http::response<http::string_body> Answer(const http::request<http::empty_body>& request) const;

  const HttpSettings settings_;
  const Metrics& metrics_;
  const Ready ready_;
  std::list<Connection*> open_;  // the oldest first; outlives io_, which holds the connections
  asio::io_context io_{1};
  Tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  std::thread thread_;
};

// One request and its answer. Lives while an operation of it is under way.
class HttpDoor::Server::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, Tcp::socket socket) : server_(server), stream_(std::move(socket)) {
    place_ = server.open_.insert(server.open_.end(), this);
    parser_.header_limit(kMaxHeaderBytes);
  }
  ~Connection() { Leave(); }

  void Read() {
    // One deadline for all of it, however many bytes come meanwhile.
    stream_.expires_after(server_.settings_.request_time);
    http::async_read_header(stream_, buffer_, parser_,
                            [self = shared_from_this()](Error error, size_t) {
                              if (!error) self->Write();
                            });
  }
  void Close() {
    Leave();
    stream_.close();
  }

 private:
  void Leave() {
    if (place_) server_.open_.erase(*place_);
    place_.reset();
  }
  void Write() {
    response_ = server_.Answer(parser_.get());
    stream_.expires_after(server_.settings_.request_time);
    http::async_write(stream_, response_, [self = shared_from_this()](Error error, size_t) {
      if (!error) self->stream_.socket().shutdown(Tcp::socket::shutdown_send, error);
    });
  }

  Server& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kMaxHeaderBytes};
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;
  std::optional<std::list<Connection*>::iterator> place_;
};

void HttpDoor::Server::Accept() {
  acceptor_.async_accept([this](Error error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) {  // no more files, perhaps: not in a busy loop
      pause_.expires_after(kPauseAfterFailure);
      return pause_.async_wait([this](Error) { Accept(); });
    }
    // A probe is answered in the moment in which it comes: who has been here longest is none.
    if (open_.size() >= settings_.most_connections) open_.front()->Close();
    std::make_shared<Connection>(*this, std::move(socket))->Read();
    Accept();
  });
}

http::response<http::string_body> HttpDoor::Server::Answer(
    const http::request<http::empty_body>& request) const {
  http::response<http::string_body> response{http::status::ok, request.version()};
  response.keep_alive(false);
  response.set(http::field::content_type, "text/plain");
  const auto target = request.target();
  const std::string path(target.substr(0, target.find('?')));
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
  } else if (path == "/metrics") {
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response.body() = metrics_.Text();
  } else if (path == "/healthz") {
    response.body() = "alive\n";
  } else if (path == "/readyz") {
    const absl::Status status = ready_();
    if (!status.ok()) response.result(http::status::service_unavailable);
    response.body() = status.ok() ? "ready\n" : StrCat(ToStd(status.message()), "\n");
  } else {
    response.result(http::status::not_found);
  }
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

HttpDoor::HttpDoor() = default;

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
  door->server_ = std::make_unique<Server>(settings, metrics, std::move(ready));
  Error error;
  port = door->server_->Listen(host, port, error);
  if (error) {
    return absl::UnavailableError(StrCat("--http: cannot listen on ", settings.address, ": ",
                                         error.message(), ": is it in use?"));
  }
  door->address_ = StrCat(settings.address.substr(0, settings.address.rfind(':')), ":", port);
  door->server_->Run();
  return door;
}

HttpDoor::~HttpDoor() = default;

}  // namespace gridsweep
