#include "analysis/queries/database.h"

#include <charconv>
#include <cmath>
#include <new>

#include "common/database_away.h"
#include "common/strings.h"
#include "db/libpqxx.h"

namespace gridsweep::analysis {
namespace {

std::string NumberText(double value) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

template <typename T, typename Text>
std::string ArrayText(const std::vector<T>& values, Text text) {
  std::string out = "{";
  for (const T& value : values) {
    if (out.size() > 1) out += ',';
    out += text(value);
  }
  return out + "}";
}

// Timeouts, so that a network partition hangs no thread for ever.
std::string WithTimeouts(const std::string& connection) {
  const bool uri =
      connection.rfind("postgres://", 0) == 0 || connection.rfind("postgresql://", 0) == 0;
  std::string out = connection;
  char separator = !uri ? ' ' : connection.find('?') == std::string::npos ? '?' : '&';
  for (const char* setting :
       {"connect_timeout=5", "tcp_user_timeout=30000", "keepalives_idle=30",
        "keepalives_interval=10", "keepalives_count=3", "application_name=gridsweep-analysis"}) {
    out += separator;
    out += setting;
    if (uri) separator = '&';
  }
  return out;
}

}  // namespace

std::string SqlParams::Add(std::string value, std::string_view type) {
  values_.push_back(std::move(value));
  return StrCat("$", values_.size(), "::", type);
}

std::string SqlParams::Number(double value) { return Add(NumberText(value), "float8"); }

std::string SqlParams::Ints(const std::vector<int64_t>& values) {
  return Add(ArrayText(values, [](int64_t v) { return std::to_string(v); }), "bigint[]");
}

std::string SqlParams::Numbers(const std::vector<double>& values) {
  return Add(ArrayText(values, NumberText), "float8[]");
}

std::string SqlParams::Bytes(std::string_view raw) { return Add("\\x" + ToHex(raw), "bytea"); }

pqxx::result Snapshot::Exec(const std::string& sql, const SqlParams& params) {
  return db::ExecParams(transaction_, sql, params.values());
}

int64_t AsInt(const pqxx::field& field) {
  int64_t value = 0;
  std::from_chars(field.c_str(), field.c_str() + field.size(), value);
  return value;
}

double AsDouble(const pqxx::field& field) {
  double value = NAN;
  std::from_chars(field.c_str(), field.c_str() + field.size(), value);
  return value;
}

std::vector<double> AsDoubles(const pqxx::field& field) {
  std::vector<double> values;
  if (field.is_null()) return values;
  // "{0.1,0.25}"
  const char* at = field.c_str() + 1;
  const char* end = field.c_str() + field.size() - 1;
  while (at < end) {
    double value = 0;
    const auto result = std::from_chars(at, end, value);
    if (result.ec != std::errc()) break;
    values.push_back(value);
    at = result.ptr + 1;
  }
  return values;
}

std::string AsBytes(const pqxx::field& field) {
  return FromHex(std::string_view(field.c_str(), field.size()).substr(2));  // "\x..."
}

std::optional<double> AsOptionalDouble(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return AsDouble(field);
}

std::optional<std::string> AsOptionalText(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return std::string(field.c_str(), field.size());
}

Database::Database(Options options, int threads)
    : options_(std::move(options)), connections_(threads) {}

Database::~Database() = default;

absl::Status Database::Read(int thread, const std::function<absl::Status(Snapshot&)>& read,
                            const std::function<bool()>& gone) {
  bool broken = false;
  absl::Status status = ReadOnce(thread, read, gone, broken);
  if (broken) status = ReadOnce(thread, read, gone, broken);
  return status;
}

absl::Status Database::ReadOnce(int thread, const std::function<absl::Status(Snapshot&)>& read,
                                const std::function<bool()>& gone, bool& broken) {
  auto& connection = connections_.at(thread);
  const bool reused = connection != nullptr;
  try {
    if (!reused) {
      connection = db::Connect(WithTimeouts(options_.connection));
      pqxx::nontransaction settings(*connection);
      settings.exec(StrCat("set statement_timeout = '", options_.statement_timeout_s,
                           "s'; set lock_timeout = '10s';"
                           "set idle_in_transaction_session_timeout = '120s';"
                           "set session characteristics as"
                           " transaction isolation level repeatable read, read only"));
    }
    std::optional<QueryWatch::Watched> watched;
    if (gone) watched.emplace(watch_, *connection, gone);
    pqxx::work transaction(*connection);
    Snapshot snapshot(transaction);
    absl::Status status = read(snapshot);
    transaction.commit();
    broken = false;
    return status;
  } catch (const pqxx::broken_connection& e) {
    connection.reset();
    broken = reused;
    return DatabaseAway(e.what());
  } catch (const pqxx::sql_error& e) {
    const std::string state = e.sqlstate();
    if (state == "57014") {
      if (gone && gone()) return absl::CancelledError("the caller has gone");
      return absl::DeadlineExceededError(StrCat("the query took longer than ",
                                                options_.statement_timeout_s,
                                                " s; select fewer sweeps or groups"));
    }
    if (state == "42P01" || state == "3F000") {
      return absl::UnavailableError("the database has no schema yet: start the coordinator first");
    }
    // Out of resources; the server's own disk.
    if (state.rfind("53", 0) == 0 || state.rfind("58", 0) == 0) {
      return absl::UnavailableError(StrCat("the database has trouble: ", e.what()));
    }
    if (state.rfind("57P", 0) == 0 || state.rfind("08", 0) == 0) {
      connection.reset();
      broken = reused;
      return absl::UnavailableError(StrCat("the database is shutting down: ", e.what()));
    }
    return absl::InternalError(StrCat("database error ", state, ": ", e.what()));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    connection.reset();
    return absl::InternalError(StrCat("database: ", e.what()));
  }
}

}  // namespace gridsweep::analysis
