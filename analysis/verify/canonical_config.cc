#include "analysis/verify/canonical_config.h"

#include <openssl/evp.h>

#include <charconv>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

namespace gridsweep::analysis {
namespace {

std::string CanonicalValue(const nlohmann::json& value) {
  if (value.is_number_float()) return CanonicalNumber(value.get<double>());
  return value.dump();
}

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Digest = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

Digest Begin() {
  Digest digest(EVP_MD_CTX_new());
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  return digest;
}

std::string End(const Digest& digest) {
  std::string raw(32, '\0');
  EVP_DigestFinal_ex(digest.get(), reinterpret_cast<unsigned char*>(raw.data()), nullptr);
  return raw;
}

}  // namespace

std::string CanonicalNumber(double value) {
  if (value == 0) return "0";
  if (value < 0) return "-" + CanonicalNumber(-value);
  char text[64];
  // Shortest digits d.ddd and the exponent; RFC 8785 then writes plain
  // decimals from 1e-6 up to below 1e21 and exponents beyond.
  const bool plain = value >= 1e-6 && value < 1e21;
  const auto end = std::to_chars(text, text + sizeof text, value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  std::string out(text, end);
  if (plain) {
    if (out.find('.') == std::string::npos && value >= 9007199254740992.0) {
      // to_chars writes all digits of a large integer, RFC 8785 the shortest
      // that read back, padded with zeros.
      const auto short_end =
          std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
      const std::string shortest(text, short_end);
      const size_t e = shortest.find('e');
      std::string digits;
      for (const char c : shortest.substr(0, e)) {
        if (c != '.') digits += c;
      }
      digits.resize(static_cast<size_t>(std::stoi(shortest.substr(e + 1))) + 1, '0');
      return digits;
    }
    return out;
  }
  // "1e-07" is written 1e-7.
  const size_t e = out.find('e');
  const int exponent = std::stoi(out.substr(e + 1));
  return out.substr(0, e) + (exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(exponent));
}

std::optional<std::string> RebuildCanonicalConfig(const std::string& json) {
  const auto object = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  std::string out = "{";
  // nlohmann keeps keys sorted bytewise.
  for (const auto& [name, value] : object.items()) {
    if (out.size() > 1) out += ',';
    out += nlohmann::json(name).dump() + ":" + CanonicalValue(value);
  }
  return out + "}";
}

std::string Shown(const std::optional<double>& value) {
  return value ? CanonicalNumber(*value) : "NULL";
}

std::string HashOf(std::string_view bytes) {
  const Digest digest = Begin();
  EVP_DigestUpdate(digest.get(), bytes.data(), bytes.size());
  return End(digest);
}

std::optional<std::string> HashOfFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  const Digest digest = Begin();
  std::vector<char> buffer(1 << 20);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    EVP_DigestUpdate(digest.get(), buffer.data(), static_cast<size_t>(in.gcount()));
  }
  if (!in.eof()) return std::nullopt;
  return End(digest);
}

std::string HexOf(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace gridsweep::analysis
