#include "tests/support/certificates.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace gridsweep::testing {
namespace {

void Run(const std::string& command) {
  if (std::system((command + " 2>/dev/null").c_str()) == 0) return;
  std::fprintf(stderr, "failed: %s\n", command.c_str());
  std::abort();
}

}  // namespace

Authority::Authority(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
  Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
      "-subj '/CN=test authority' -keyout '" +
      key("ca") + "' -out '" + ca() + "'");
}

void Authority::Sign(const std::string& name) const {
  const std::string request = directory_ / (name + ".csr");
  const std::string extensions = directory_ / (name + ".ext");
  std::ofstream(extensions) << "subjectAltName=IP:127.0.0.1,DNS:localhost\n";
  Run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=" + name +
      "' -keyout '" + key(name) + "' -out '" + request + "'");
  Run("openssl x509 -req -days 2 -in '" + request + "' -CA '" + ca() + "' -CAkey '" + key("ca") +
      "' -CAcreateserial -extfile '" + extensions + "' -out '" + cert(name) + "'");
}

}  // namespace gridsweep::testing
