#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace gridsweep {

// SHA-256 of a stream of bytes (OpenSSL). Digests are 32 raw bytes.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Update(std::string_view bytes);
  // Ends the stream; call once.
  std::string Digest();

  static std::string Of(std::string_view bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// `n` bytes from the operating system's random source.
std::string RandomBytes(int n);

}  // namespace gridsweep
