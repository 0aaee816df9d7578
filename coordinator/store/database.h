// One connection to PostgreSQL and the one way to run a transaction on it.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <pqxx/pqxx>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "coordinator/store/params.h"

namespace gridsweep::coordinator {

// A statement named by what it does; prepared on a connection at first use.
struct Statement {
  const char* name;
  const char* sql;
};

class Database;

// A transaction in progress. Its functions throw what libpqxx throws;
// Database::Transact catches it.
class Transaction {
 public:
  pqxx::result Exec(const Statement& statement, const Params& params = {});
  // Statements whose text is made at run time, or several at once.
  pqxx::result ExecText(const std::string& sql) { return work_.exec(sql); }
  // Sends rows by COPY. `columns` in the order of the fields of each row.
  void Copy(const std::string& table, const std::vector<std::string>& columns, size_t rows,
            const std::function<Params(size_t row)>& row);

 private:
  friend class Database;
  Transaction(pqxx::work& work, Database& database) : work_(work), database_(database) {}
  pqxx::work& work_;
  Database& database_;
};

// Whether Transact was ended by statement_timeout or by waiting for a lock: less at once may do.
bool TimedOut(const absl::Status& status);

// Connects at the first use and again after a loss. For one thread at a time.
class Database {
 public:
  struct Settings {
    std::string conninfo;  // libpq's: a URL, or keywords and values; "" = PG* environment
    absl::Duration statement_timeout = absl::Seconds(60);
    // A commit may be lost in a crash of the server: for what can be repeated.
    bool lazy_commit = false;
    // For few rows of tables that are small now and may be large later: a plan is made once, and
    // must not be to read them whole.
    bool by_index = false;
    // Hears how long each transaction took that was committed.
    std::function<void(absl::Duration)> committed = nullptr;
  };
  explicit Database(Settings settings) : settings_(std::move(settings)) {}

  // Calls `body` (Transaction& -> absl::Status or absl::StatusOr<T>) in a
  // transaction: commits when it answers OK, else aborts and hands its error
  // on. Calls it again after a serialization failure or deadlock, and once
  // after a connection was found broken; nothing else is retried.
  // Errors: UNAVAILABLE when the database cannot be reached, is out of resources, takes no writes,
  // has trouble with its disk or ran past a timeout; INTERNAL for the rest.
  template <typename Body>
  auto Transact(Body body) {
    using Result = std::invoke_result_t<Body, Transaction&>;
    if constexpr (std::is_same_v<Result, absl::Status>) {
      return Run(body);
    } else {
      Result result = absl::UnknownError("not run");
      absl::Status status = Run([&](Transaction& transaction) {
        result = body(transaction);
        return result.status();
      });
      return status.ok() ? std::move(result) : Result(std::move(status));
    }
  }

  // The connection itself, for LISTEN. UNAVAILABLE when there is none.
  absl::StatusOr<pqxx::connection*> Connection();
  // Closes it; the next use connects anew.
  void Drop();

 private:
  friend class Transaction;
  absl::Status Run(const std::function<absl::Status(Transaction&)>& body);
  void Connect();

  const Settings settings_;
  std::unique_ptr<pqxx::connection> connection_;
  std::set<std::string> prepared_;
};

}  // namespace gridsweep::coordinator
