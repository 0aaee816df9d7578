#include "common/http_post.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <charconv>
#include <chrono>
#include <utility>

#include "common/strings.h"

namespace gridsweep {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

constexpr uint32_t kMaxHeaderBytes = 16 << 10;

struct Url {
  bool known = false;  // whether its scheme is one of ours
  bool tls = false;
  std::string host_and_port;
  std::string path;
};

Url Split(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.substr(0, scheme.size()) != scheme) continue;
    const std::string_view rest = url.substr(scheme.size());
    const size_t end = rest.find_first_of("/?");
    const std::string_view host = rest.substr(0, end);
    std::string path(end == std::string_view::npos ? "" : rest.substr(end));
    if (path.empty() || path[0] == '?') path = "/" + path;
    return {true, scheme == "https://", std::string(host), path};
  }
  return {};
}

// Of a URL without fault. An address of IPv6 without its brackets.
std::pair<std::string, std::string> HostAndPort(const Url& url) {
  std::string host = url.host_and_port, port = url.tls ? "443" : "80";
  const size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    port = host.substr(colon + 1);
    host.resize(colon);
  }
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, port};
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
  if (!parts.known) return "is neither http:// nor https://";
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
  const auto [host, port] = HostAndPort(parts);
  const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  asio::io_context io{1};
  // Starts one operation and waits for its end.
  const auto run = [&io](auto&& start) {
    Error error = asio::error::operation_aborted;
    start([&error](Error e, const auto&...) { error = e; });
    io.restart();
    io.run();
    return error;
  };
  const auto no_answer = [](const char* what, const Error& error) {
    return absl::UnavailableError(
        StrCat("no answer: ", what, ": ",
               error == beast::error::timeout ? "not in time" : error.message()));
  };
  try {
    Tcp::resolver resolver(io);
    Error error;
    const auto addresses = resolver.resolve(host, port, error);
    if (error) return no_answer("looking up its address", error);
    ssl::context tls(ssl::context::tls_client);
    tls.set_default_verify_paths();
    tls.set_verify_mode(ssl::verify_peer);
    beast::ssl_stream<beast::tcp_stream> stream(io, tls);
    beast::tcp_stream& plain = beast::get_lowest_layer(stream);
    plain.expires_at(deadline);
    error = run([&](auto done) { plain.async_connect(addresses, done); });
    if (error) return no_answer("connecting", error);
    if (parts.tls) {
      stream.set_verify_callback(ssl::host_name_verification(host));
      SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
      error = run([&](auto done) { stream.async_handshake(ssl::stream_base::client, done); });
      if (error) return no_answer("TLS", error);
    }
    http::request<http::string_body> request(http::verb::post, parts.path, 11);
    request.set(http::field::host, parts.host_and_port);
    request.set(http::field::content_type, "application/json");
    request.set(http::field::user_agent, "gridsweep");
    request.keep_alive(false);
    request.body() = json;
    request.prepare_payload();
    http::response_parser<http::empty_body> answer;
    answer.header_limit(kMaxHeaderBytes);
    beast::flat_buffer buffer(kMaxHeaderBytes);
    const auto exchange = [&](auto& connection) {
      Error failed = run([&](auto done) { http::async_write(connection, request, done); });
      if (failed) return failed;
      return run([&](auto done) { http::async_read_header(connection, buffer, answer, done); });
    };
    error = parts.tls ? exchange(stream) : exchange(plain);
    if (error) return no_answer("of HTTP", error);
    const unsigned status = answer.get().result_int();
    if (status / 100 == 2) return absl::OkStatus();
    return absl::UnknownError(StrCat("answered with HTTP status ", status));
  } catch (const std::exception& e) {
    return absl::InternalError(StrCat("cannot post: ", e.what()));
  }
}

}  // namespace gridsweep
