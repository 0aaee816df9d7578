#include "coordinator/store/database.h"

#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "common/database_away.h"
#include "common/status.h"
#include "common/strings.h"
#include "db/libpqxx.h"

namespace gridsweep::coordinator {
namespace {

constexpr int kRollbackTries = 8;

// `conninfo` with what keeps a dead network from holding a thread for ever;
// what it says itself stands.
std::string WithTimeouts(std::string conninfo) {
  const bool url = conninfo.rfind("postgres://", 0) == 0 || conninfo.rfind("postgresql://", 0) == 0;
  static constexpr std::pair<const char*, const char*> kSettings[] = {
      {"connect_timeout", "5"},  {"tcp_user_timeout", "10000"},
      {"keepalives_idle", "10"}, {"keepalives_interval", "5"},
      {"keepalives_count", "3"}, {"application_name", "gridsweep-coordinator"}};
  for (const auto& [key, value] : kSettings) {
    if (conninfo.find(std::string(key) + "=") != std::string::npos) continue;
    const char* separator = !url ? " " : conninfo.find('?') == std::string::npos ? "?" : "&";
    conninfo += StrCat(separator, key, "=", value);
  }
  return conninfo;
}

// PostgreSQL's word for it: "ERROR:  ...\n" without the trailing newline.
std::string Message(const std::exception& e) {
  std::string text = e.what();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return "database: " + text;
}

constexpr char kTimedOut[] = "STATEMENT_TIMEOUT";

// Whether another connection may find a server that serves: this one shuts down, or is a standby.
bool IsElsewhere(const std::string& state) {
  return state.rfind("57P", 0) == 0 || state == "25006";
}

absl::Status OfSqlState(const pqxx::sql_error& e) {
  const std::string state = e.sqlstate();
  // 53: out of resources; 57: timeouts, shutdown; 55: a lock not granted in time; 58: the server's
  // own disk. 25006: it takes no writes, as a standby does.
  for (const char* passing : {"53", "55", "57", "58", "25006"}) {
    if (state.rfind(passing, 0) != 0) continue;
    const absl::Status status = absl::UnavailableError(Message(e));
    // Query cancelled; lock not available.
    return state == "57014" || state == "55P03" ? WithReason(status, kTimedOut) : status;
  }
  return absl::InternalError(Message(e));
}

void AppendTexts(const Params& params, db::Texts& texts) {
  for (const Param& param : params) texts.push_back(param.c_str());
}

void PauseBeforeRetry(int attempt) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  std::this_thread::sleep_for(
      std::chrono::microseconds(std::uniform_int_distribution<>(200, 2000)(random) * attempt));
}

}  // namespace

bool TimedOut(const absl::Status& status) { return Reason(status) == kTimedOut; }

pqxx::result Transaction::Exec(const Statement& statement, const Params& params) {
  if (database_.prepared_.insert(statement.name).second) {
    work_.conn().prepare(statement.name, statement.sql);
  }
  db::Texts texts;
  texts.reserve(params.size());
  AppendTexts(params, texts);
  return db::ExecPrepared(work_, statement.name, texts);
}

void Transaction::Copy(const std::string& table, const std::vector<std::string>& columns,
                       size_t rows, const std::function<Params(size_t)>& row) {
  if (rows == 0) return;
  Params params;
  db::Copy(work_, table, columns, rows, [&](size_t i, db::Texts& fields) {
    params = row(i);
    AppendTexts(params, fields);
  });
}

void Database::Connect() {
  if (connection_ != nullptr && connection_->is_open()) return;
  Drop();
  connection_ = db::Connect(WithTimeouts(settings_.conninfo));
  pqxx::nontransaction session(*connection_);
  session.exec(
      StrCat("set statement_timeout = ", absl::ToInt64Milliseconds(settings_.statement_timeout),
             "; set lock_timeout = '15s'; set idle_in_transaction_session_timeout = '30s'"
             "; set client_min_messages = warning; set bytea_output = hex"
             "; set extra_float_digits = 1"
             // Compiling a plan costs more than any of these statements.
             "; set jit = off",
             settings_.lazy_commit ? "; set synchronous_commit = off" : "",
             // By itself the server would plan some statements anew each time they are executed, at
             // up to half of what a run costs it.
             settings_.by_index
                 ? "; set enable_seqscan = off; set plan_cache_mode = force_generic_plan"
                 : ""));
}

void Database::Drop() {
  connection_.reset();
  prepared_.clear();
}

absl::StatusOr<pqxx::connection*> Database::Connection() {
  try {
    Connect();
    return connection_.get();
  } catch (const std::exception& e) {
    Drop();
    return DatabaseAway(e.what());
  }
}

absl::Status Database::Run(const std::function<absl::Status(Transaction&)>& body) {
  for (int attempt = 1;; ++attempt) {
    try {
      Connect();
      const absl::Time start = absl::Now();
      pqxx::work work(*connection_);
      Transaction transaction(work, *this);
      if (absl::Status status = body(transaction); !status.ok()) {
        work.abort();
        return status;
      }
      work.commit();
      if (settings_.committed) settings_.committed(absl::Now() - start);
      return absl::OkStatus();
    } catch (const pqxx::in_doubt_error& e) {
      // The commit may have happened: only the caller knows whether a repeat is harmless.
      Drop();
      return absl::UnavailableError(Message(e));
    } catch (const pqxx::statement_completion_unknown& e) {
      Drop();
      return absl::UnavailableError(Message(e));
    } catch (const pqxx::transaction_rollback& e) {
      if (attempt >= kRollbackTries) return absl::UnavailableError(Message(e));
      PauseBeforeRetry(attempt);
    } catch (const pqxx::failure& e) {
      const auto* sql = dynamic_cast<const pqxx::sql_error*>(&e);
      const bool lost = dynamic_cast<const pqxx::broken_connection*>(&e) != nullptr ||
                        connection_ == nullptr || !connection_->is_open() ||
                        (sql != nullptr && IsElsewhere(sql->sqlstate()));
      if (!lost) {
        return sql != nullptr ? OfSqlState(*sql) : absl::InternalError(Message(e));
      }
      Drop();
      if (attempt > 1) return DatabaseAway(e.what());
    } catch (const std::exception& e) {
      Drop();  // its state is unknown
      return absl::InternalError(Message(e));
    }
  }
}

}  // namespace gridsweep::coordinator
