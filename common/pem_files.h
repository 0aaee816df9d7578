// Certificates and keys in files, looked at before they are used: gRPC itself
// says of a bad one only that handshakes fail.
#pragma once

#include <absl/status/status.h>

#include <string>

namespace gridsweep {

// How often a program looks whether its certificates have changed.
inline constexpr unsigned kPemRereadSeconds = 1;

// INVALID_ARGUMENT, naming the file, unless it holds at least one PEM certificate.
absl::Status CheckCertificates(const std::string& path);
// And unless `key` holds the private key, without a passphrase, of the first
// certificate in `cert`.
absl::Status CheckKeyPair(const std::string& cert, const std::string& key);

}  // namespace gridsweep
