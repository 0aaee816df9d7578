// Connections for reading: one a thread, opened when first needed, opened again after a failure.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/queries/query_watch.h"

namespace gridsweep::analysis {

// Values for a statement's $1, $2, ... User text reaches SQL in no other way.
class SqlParams {
 public:
  // Binds a value; returns its placeholder, cast: "$3::float8".
  std::string Text(std::string_view value) { return Add(std::string(value), "text"); }
  std::string Number(double value);
  std::string Int(int64_t value) { return Add(std::to_string(value), "bigint"); }
  std::string Boolean(bool value) { return Add(value ? "true" : "false", "boolean"); }
  // An exact decimal number, as its text.
  std::string Decimal(std::string_view text) { return Add(std::string(text), "numeric"); }
  std::string Ints(const std::vector<int64_t>& values);
  std::string Numbers(const std::vector<double>& values);
  // 32 raw bytes and the like.
  std::string Bytes(std::string_view raw);

  const std::vector<std::string>& values() const { return values_; }

 private:
  std::string Add(std::string value, std::string_view type);
  std::vector<std::string> values_;
};

// What a query runs in: one read-only snapshot.
class Snapshot {
 public:
  explicit Snapshot(pqxx::transaction_base& transaction) : transaction_(transaction) {}
  pqxx::result Exec(const std::string& sql, const SqlParams& params = {});

 private:
  pqxx::transaction_base& transaction_;
};

// A field's value, exactly as stored. Precondition: not NULL.
int64_t AsInt(const pqxx::field& field);
double AsDouble(const pqxx::field& field);
// An array of numbers, without NULLs; empty for NULL.
std::vector<double> AsDoubles(const pqxx::field& field);
// Raw bytes of a bytea.
std::string AsBytes(const pqxx::field& field);
std::optional<double> AsOptionalDouble(const pqxx::field& field);
std::optional<std::string> AsOptionalText(const pqxx::field& field);

class Database {
 public:
  struct Options {
    std::string connection;  // libpq keywords or URI
    int statement_timeout_s = 120;
  };
  // `threads`: how many threads will read; thread i owns connection i.
  Database(Options options, int threads);
  ~Database();

  // Runs `read` in a REPEATABLE READ, READ ONLY transaction on `thread`'s
  // connection. Blocks. A connection found broken is opened anew, once.
  // Errors: what `read` returns; UNAVAILABLE when the database cannot be
  // reached or has no schema yet; DEADLINE_EXCEEDED past the statement timeout. A statement in
  // progress ends soon after `gone`, which is asked on another thread, says that the caller has
  // gone: CANCELLED. Throws std::bad_alloc.
  absl::Status Read(int thread, const std::function<absl::Status(Snapshot&)>& read,
                    const std::function<bool()>& gone = nullptr);

 private:
  absl::Status ReadOnce(int thread, const std::function<absl::Status(Snapshot&)>& read,
                        const std::function<bool()>& gone, bool& broken);
  const Options options_;
  QueryWatch watch_;
  std::vector<std::unique_ptr<pqxx::connection>> connections_;
};

}  // namespace gridsweep::analysis
