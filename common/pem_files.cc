#include "common/pem_files.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "common/status.h"
#include "common/strings.h"

namespace gridsweep {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

absl::StatusOr<File> Open(const std::string& path) {
  File file(std::fopen(path.c_str(), "r"), &std::fclose);
  if (file == nullptr) {
    return absl::InvalidArgumentError(StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  return file;
}

absl::StatusOr<Certificate> FirstCertificate(const std::string& path) {
  ASSIGN_OR_RETURN(const File file, Open(path));
  Certificate certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
  if (certificate == nullptr) {
    return absl::InvalidArgumentError(
        StrCat(path, " holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"));
  }
  return certificate;
}

// No passphrase: a server cannot ask for one.
int NoPassphrase(char*, int, int, void*) { return 0; }

}  // namespace

absl::Status CheckCertificates(const std::string& path) { return FirstCertificate(path).status(); }

absl::Status CheckKeyPair(const std::string& cert, const std::string& key) {
  ASSIGN_OR_RETURN(const Certificate certificate, FirstCertificate(cert));
  ASSIGN_OR_RETURN(const File file, Open(key));
  const Key secret(PEM_read_PrivateKey(file.get(), nullptr, &NoPassphrase, nullptr),
                   &EVP_PKEY_free);
  if (secret == nullptr) {
    return absl::InvalidArgumentError(
        StrCat(key, " holds no private key in PEM without a passphrase"));
  }
  if (X509_check_private_key(certificate.get(), secret.get()) != 1) {
    return absl::InvalidArgumentError(StrCat(key, " is not the key of the certificate in ", cert));
  }
  return absl::OkStatus();
}

}  // namespace gridsweep
