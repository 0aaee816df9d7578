#include "coordinator/store/params.h"

#include <charconv>
#include <cmath>

#include "common/strings.h"

namespace gridsweep::coordinator {
namespace {

std::string Shortest(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

}  // namespace

Param::Param(double value) : text_(Shortest(value)) {}
Param::Param(std::optional<double> value) {
  if (value) text_ = Shortest(*value);
}
Param::Param(std::optional<int64_t> value) {
  if (value) text_ = std::to_string(*value);
}

Param Bytea(std::string_view bytes) { return "\\x" + ToHex(bytes); }

std::string FromBytea(const pqxx::field& field) {
  if (field.is_null() || field.size() < 2) return "";
  return FromHex(std::string_view(field.c_str() + 2, field.size() - 2));
}

Param Uuid(std::string_view bytes) {
  return bytes.size() == 16 ? ToHex(bytes) : std::string(32, '0');
}

std::string FromUuid(const pqxx::field& field) {
  std::string hex;
  for (const char* c = field.c_str(); *c != 0; ++c) {
    if (*c != '-') hex += *c;
  }
  return FromHex(hex);
}

Param Array(const Params& elements) {
  std::string text = "{";
  for (const Param& element : elements) {
    if (text.size() > 1) text += ',';
    if (!element.text()) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (char c : *element.text()) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

google::protobuf::Timestamp FromMicros(const pqxx::field& field) {
  const int64_t micros = field.as<int64_t>();
  google::protobuf::Timestamp time;
  time.set_seconds(micros / 1'000'000);
  time.set_nanos(static_cast<int32_t>(micros % 1'000'000) * 1000);
  return time;
}

}  // namespace gridsweep::coordinator
