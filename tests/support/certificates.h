// Certificates made by the openssl program, as an operator would make them.
#pragma once

#include <filesystem>
#include <string>

namespace gridsweep::testing {

// An authority of its own in a directory: DIR/ca.pem, and what it signed.
class Authority {
 public:
  explicit Authority(std::filesystem::path directory);

  // Signs DIR/NAME.pem with DIR/NAME.key, for 127.0.0.1 and localhost.
  void Sign(const std::string& name) const;

  std::string ca() const { return directory_ / "ca.pem"; }
  std::string cert(const std::string& name) const { return directory_ / (name + ".pem"); }
  std::string key(const std::string& name) const { return directory_ / (name + ".key"); }

 private:
  const std::filesystem::path directory_;
};

}  // namespace gridsweep::testing
