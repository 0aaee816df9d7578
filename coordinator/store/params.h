// Values on their way into and out of PostgreSQL, in its text form.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

namespace gridsweep::coordinator {

// One parameter of a statement, or one field of a COPY row; NULL when empty.
// Numbers are written so that they read back as the same bits.
class Param {
 public:
  Param(std::nullopt_t) {}                                 // NOLINT: converts on purpose
  Param(std::string text) : text_(std::move(text)) {}      // NOLINT
  Param(const char* text) : text_(text) {}                 // NOLINT
  Param(bool value) : text_(value ? "t" : "f") {}          // NOLINT
  Param(int value) : text_(std::to_string(value)) {}       // NOLINT
  Param(unsigned value) : text_(std::to_string(value)) {}  // NOLINT
  Param(int64_t value) : text_(std::to_string(value)) {}   // NOLINT
  Param(uint64_t value) : text_(std::to_string(value)) {}  // NOLINT
  Param(double value);                                     // NOLINT
  Param(std::optional<double> value);                      // NOLINT
  Param(std::optional<int64_t> value);                     // NOLINT

  const char* c_str() const { return text_ ? text_->c_str() : nullptr; }
  const std::optional<std::string>& text() const { return text_; }

 private:
  std::optional<std::string> text_;
};

using Params = std::vector<Param>;

// Raw bytes as a bytea.
Param Bytea(std::string_view bytes);
std::string FromBytea(const pqxx::field& field);
// 16 raw bytes as a uuid. Any other length gives the nil uuid, which names nothing.
Param Uuid(std::string_view bytes);
std::string FromUuid(const pqxx::field& field);
// '{...}'
Param Array(const Params& elements);
// From a bigint of microseconds since the epoch.
google::protobuf::Timestamp FromMicros(const pqxx::field& field);

}  // namespace gridsweep::coordinator
